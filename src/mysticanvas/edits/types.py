"""The states of an edit, and its result."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# One edit, or one part of a larger one, as it is stored: its kind and its fields, ready for JSON.
Step = tuple[str, dict[str, Any]]


class EditState(StrEnum):
    """APPLYING → DONE ⇄ UNDONE, by way of UNDOING and REDOING where that takes several transactions.

    An undo that meets rows that were changed meanwhile goes back to DONE, a redo to UNDONE, each with the
    reason. EXPIRED can be read but not undone.
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
    """`changed` counts the images (or other things) that are different now; `total` those it is to reach.
    `error` is why the last undo or redo was refused."""

    operation: int
    changed: int
    state: EditState = EditState.DONE
    total: int = 0
    error: str | None = None
