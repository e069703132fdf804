"""Taking back what a person did."""

from collections.abc import Callable
from typing import Any

from mysticanvas.domain.errors import ConflictError
from mysticanvas.library.lineage import undo_parent
from mysticanvas.library.merging_models import undo_merge
from mysticanvas.store import generations, operations
from mysticanvas.store.database import WriteTx


def undo(tx: WriteTx, operation: int, *, now_ms: int) -> int:
    """Apply the inverse of a deed and say how many images (or models) changed.

    Raises `NotFoundError` for a deed that is not known, `ConflictError` for one taken back already.
    """
    deed = operations.find(tx, operation)
    if deed.state != "done":
        raise ConflictError("That has been undone already.")
    changed = _INVERSES[deed.kind](tx, deed.inverse, now_ms)
    operations.mark_undone(tx, operation)
    return changed


def _undo_favorite(tx: WriteTx, inverse: Any, now_ms: int) -> int:
    return generations.set_favorite(tx, inverse["images"], inverse["value"], now_ms=now_ms)


def _undo_rating(tx: WriteTx, inverse: Any, now_ms: int) -> int:
    return sum(generations.set_rating(tx, images, int(rating), now_ms=now_ms) for rating, images in inverse.items())


_INVERSES: dict[str, Callable[[WriteTx, Any, int], int]] = {
    "favorite": _undo_favorite,
    "rating": _undo_rating,
    "merge_models": undo_merge,
    "parent": undo_parent,
}
