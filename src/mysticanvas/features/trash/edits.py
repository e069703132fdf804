"""Edits that move images to Trash and restore them. Files stay in place."""

from collections.abc import Sequence
from typing import ClassVar

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits.kinds import Edit
from mysticanvas.features.trash import queries
from mysticanvas.features.trash.service import move_to_trash


class MoveToTrash(Edit, frozen=True, kw_only=True):
    """Hide images, and keep everything that belongs to them. Protected images are skipped."""

    kind: ClassVar[str] = "trash"
    at_once: ClassVar[int] = 200

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return move_to_trash(tx, images, now_ms)


class RestoreFromTrash(Edit, frozen=True, kw_only=True):
    """Restore images with everything that belongs to them."""

    kind: ClassVar[str] = "restore"
    at_once: ClassVar[int] = 200

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return queries.restore(tx, images, now_ms=now_ms)


EDITS = (
    MoveToTrash,
    RestoreFromTrash,
)
