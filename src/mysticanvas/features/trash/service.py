"""Moving images to Trash, its retention period, and images protected from it. Files stay in place."""

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
    """Days until images that are moved to Trash from now on expire. Images already in it keep their date."""
    return int(settings_store.get(tx, RETENTION_DAYS_KEY, DEFAULT_DAYS))


def list_protected(tx: ReadTx) -> list[queries.Protected]:
    """What cannot be moved to Trash."""
    kinds: list[queries.Protected] = settings_store.get(tx, PROTECTED_KEY, [])
    return kinds


def move_to_trash(tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
    """Hide images, skip protected ones, and return how many were moved.

    Raises `ConflictError` if all of them are protected.
    """
    free = _filter_unprotected(tx, images)
    if images and not free:
        raise ConflictError(
            "No image was moved to Trash: your settings protect favorites or images in collections. "
            "Change this in the Trash settings."
        )
    return queries.move_to_trash(tx, free, now_ms=now_ms, purge_after=now_ms + get_retention_days(tx) * DAY_MS)


def _filter_unprotected(tx: ReadTx, images: Sequence[GenerationId]) -> list[GenerationId]:
    kinds = list_protected(tx)
    kept: set[GenerationId] = set()
    if "favorites" in kinds:
        kept |= generations.filter_favorites(tx, images)
    if "collected" in kinds:
        kept |= collection_queries.filter_collected(tx, images)
    return [image for image in images if image not in kept]
