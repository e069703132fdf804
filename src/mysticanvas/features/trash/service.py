"""Into the Trash and out of it. Files stay where they are (R2). Each function is a deed of edits/kinds.py."""

from collections.abc import Sequence

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import ConflictError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.collections import queries as collection_queries
from mysticanvas.features.trash import queries

KEPT_DAYS = "trash.days"
LOCKED = "trash.locked"
DEFAULT_DAYS = 30
DAY_MS = 86_400_000


def kept_days(tx: ReadTx) -> int:
    """How long what is trashed from now on is kept; what is in the Trash keeps its own day (R1)."""
    return int(settings_store.get(tx, KEPT_DAYS, DEFAULT_DAYS))


def locked(tx: ReadTx) -> list[str]:
    """What cannot be trashed: "favorites", "collected", both or nothing (R5)."""
    kinds: list[str] = settings_store.get(tx, LOCKED, [])
    return kinds


def put_in(tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
    """Hidden, with everything that hangs on them; images that are locked stay."""
    free = _unlocked(tx, images)
    if images and not free:
        raise ConflictError("Favourites and images in collections are protected from the Trash, by your own settings.")
    return queries.put_in(tx, free, now_ms=now_ms, purge_after=now_ms + kept_days(tx) * DAY_MS)


def _unlocked(tx: ReadTx, images: Sequence[GenerationId]) -> list[GenerationId]:
    kinds = locked(tx)
    kept: set[GenerationId] = set()
    if "favorites" in kinds:
        kept |= generations.favorites_among(tx, images)
    if "collected" in kinds:
        kept |= collection_queries.members_of_any(tx, images)
    return [image for image in images if image not in kept]
