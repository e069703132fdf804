"""Into the Trash and out of it. Files stay where they are (R2). Each function is a deed of edits/kinds.py."""

from collections.abc import Sequence

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import ConflictError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.collections import queries as collection_queries
from mysticanvas.features.trash import queries

RETENTION_DAYS_KEY = "trash.days"
PROTECTED_KEY = "trash.locked"
DEFAULT_DAYS = 30
DAY_MS = 86_400_000


def get_retention_days(tx: ReadTx) -> int:
    """How long what is trashed from now on is kept; what is in the Trash keeps its own day (R1)."""
    return int(settings_store.get(tx, RETENTION_DAYS_KEY, DEFAULT_DAYS))


def list_protected(tx: ReadTx) -> list[str]:
    """What cannot be trashed: "favorites", "collected", both or nothing (R5)."""
    kinds: list[str] = settings_store.get(tx, PROTECTED_KEY, [])
    return kinds


def move_to_trash(tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
    """Hidden, with everything that hangs on them; images that are locked stay."""
    free = _filter_unprotected(tx, images)
    if images and not free:
        raise ConflictError("Favourites and images in collections are protected from the Trash, by your own settings.")
    return queries.move_to_trash(tx, free, now_ms=now_ms, purge_after=now_ms + get_retention_days(tx) * DAY_MS)


def _filter_unprotected(tx: ReadTx, images: Sequence[GenerationId]) -> list[GenerationId]:
    kinds = list_protected(tx)
    kept: set[GenerationId] = set()
    if "favorites" in kinds:
        kept |= generations.favorites_among(tx, images)
    if "collected" in kinds:
        kept |= collection_queries.filter_collected(tx, images)
    return [image for image in images if image not in kept]
