"""The states of an edit, and its result."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# An edit, or a part of a larger one, in stored form: its kind and its fields, ready for JSON.
Step = tuple[str, dict[str, Any]]


class EditState(StrEnum):
    """APPLYING → DONE ⇄ UNDONE, through UNDOING and REDOING when that takes several transactions.

    An undo that finds rows changed by others returns to DONE, a redo to UNDONE, each with the
    reason. EXPIRED can be read but not undone. An edit that changed nothing is EXPIRED without an error, and the
    history does not list it.
    """

    APPLYING = "applying"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    REDOING = "redoing"
    EXPIRED = "expired"

    @property
    def is_moving(self) -> bool:
        return self in (EditState.APPLYING, EditState.UNDOING, EditState.REDOING)


@dataclass(frozen=True, slots=True)
class EditResult:
    """`changed` counts the images (or other things) changed so far, `total` those that the edit covers.
    `error` is why the edit, or its last undo or redo, was refused."""

    operation: int
    changed: int
    state: EditState = EditState.DONE
    total: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationResult(EditResult):
    """The result of an edit that created something with this UUID."""

    uuid: str


EXAMPLE_RESULT = EditResult(operation=12, changed=42, state=EditState.DONE, total=42, error=None)
EXAMPLE_CREATION = CreationResult(
    operation=13, changed=1, state=EditState.DONE, total=1, error=None, uuid="7b1f0c52-3c1e-4d2a-9a5e-0f6b8d7c4e21"
)
