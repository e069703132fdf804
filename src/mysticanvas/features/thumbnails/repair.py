"""Queues missing thumbnails and removes orphaned ones."""

import time

from mysticanvas.db import checks
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import files, generations
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.repairs import Cleanup, Repair
from mysticanvas.features.thumbnails import job
from mysticanvas.fs.thumbnail_cache import ThumbCache, is_unfinished

# A thumbnail is written to disk before its row is added, so a newer file may not be an orphan.
YOUNGEST_ORPHAN_S = 3_600.0
_RULE = "missing thumbnails"


def _queue_missing(tx: WriteTx, now_ms: int) -> None:
    images = [GenerationId(image) for image in tx.column(dict(checks.load_invariants())[_RULE])]
    job.queue(tx, [(image, generations.get_uuid(tx, image)) for image in images], now_ms=now_ms)


def _describe_orphans(database: Database, cache: ThumbCache) -> str | None:
    orphans = len(_find_orphans(database, cache))
    return f"remove orphaned thumbnails ({orphans:,})" if orphans else None


def _remove_orphans(database: Database, cache: ThumbCache) -> None:
    for name in _find_orphans(database, cache):
        cache.remove(name)


def _find_orphans(database: Database, cache: ThumbCache) -> list[str]:
    known = database.read_within(checks.CHECK_LIMIT_MS, files.list_content_hashes)
    before_s = time.time() - YOUNGEST_ORPHAN_S
    return [
        name
        for name, at_s in cache.list_files()
        if at_s < before_s and (is_unfinished(name) or name.partition("-")[0] not in known)
    ]


MISSING = Repair((_RULE,), "queue the missing thumbnails for creation", _queue_missing)
ORPHANS = Cleanup("orphaned thumbnails", _describe_orphans, _remove_orphans)
