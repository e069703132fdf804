"""What a person does, as it is kept so that it can be taken back."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# One deed or one part of a larger one: its kind and its arguments, ready for JSON.
Step = tuple[str, dict[str, Any]]


class DeedState(StrEnum):
    """APPLYING → DONE ⇄ UNDONE, by way of UNDOING and REDOING where it takes several transactions.

    An undo that meets what the world did meanwhile goes back to DONE, a redo to UNDONE, each with
    the reason. EXPIRED can be read but not taken back.
    """

    APPLYING = "applying"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    REDOING = "redoing"
    EXPIRED = "expired"

    @property
    def moving(self) -> bool:
        return self in (DeedState.APPLYING, DeedState.UNDOING, DeedState.REDOING)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a deed: `changed` counts the images (or other things) that are different now;
    `total` those it is to reach. `trouble` says why the last undo or redo was refused."""

    operation: int
    changed: int
    state: DeedState = DeedState.DONE
    total: int = 0
    trouble: str | None = None
