"""What a check finds wrong and can be made again from what is sound: nothing that a person wrote is touched."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from mysticanvas.db import event_log
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import generations, word_index
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.doctor import checks
from mysticanvas.features.tags import image_tag_queries
from mysticanvas.features.thumbnails.types import JOB_KIND as THUMB_JOB
from mysticanvas.imaging.thumbnail_cache import ThumbCache
from mysticanvas.jobs import queue as job_queue

# A thumbnail is on the disk before its row is.
YOUNGEST_ORPHAN_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Mended:
    """`what` was wrong, and `deed` is what makes it right."""

    what: str
    deed: str


def _make_thumbnails(tx: WriteTx, *, now_ms: int) -> None:
    sql = dict(checks.invariants())["every image has its thumbnail or a job that will make it"]
    images = [GenerationId(image) for image in tx.column(sql)]
    wanted = [job_queue.NewJob(THUMB_JOB, {"generation": one}, generations.uuid_of(tx, one)) for one in images]
    job_queue.enqueue_all(tx, wanted, now_ms=now_ms)


_WORDS = ("The word index is made again.", lambda tx, now_ms: word_index.rebuild(tx))
_TAGS = ("The tags of all images are derived again, and counted.", lambda tx, now_ms: image_tag_queries.rebuild(tx))
# By the name of the check that fails.
WAYS: dict[str, tuple[str, Callable[[WriteTx, int], None]]] = {
    "word index": _WORDS,
    "search": _WORDS,
    "the grid's table is what it is defined to be": (
        "The grid's table is made again.",
        lambda tx, now_ms: generations.rebuild_grid(tx),
    ),
    "the tags shown follow from what was said": _TAGS,
    "every tag has the number of images that show it": _TAGS,
    "every image has its thumbnail or a job that will make it": (
        "The missing thumbnails are queued.",
        lambda tx, now_ms: _make_thumbnails(tx, now_ms=now_ms),
    ),
}


def look(database: Database, cache: ThumbCache) -> list[Mended]:
    """What `mend` would do; nothing is changed."""
    found = [Mended(check.name, WAYS[check.name][0]) for check in checks.run_all(database) if _can(check)]
    orphans = len(_orphans(database, cache))
    return found + ([Mended("thumbnails", f"{orphans:,} thumbnails of no image are removed.")] if orphans else [])


def mend(database: Database, cache: ThumbCache, *, now_ms: int) -> list[Mended]:
    """Does what can be done, and says what it did; a check afterwards says whether it was enough."""
    found = look(database, cache)
    done = set()
    for one in found:
        how = WAYS.get(one.what)
        if how is not None and how[0] not in done:
            done.add(how[0])
            database.write(how[1], now_ms)
    for name in _orphans(database, cache):
        cache.remove(name)
    for one in found:
        database.write(_note, one, now_ms=now_ms)
    return found


def _can(check: checks.Check) -> bool:
    return not check.ok and check.name in WAYS


def _orphans(database: Database, cache: ThumbCache) -> list[str]:
    known = database.read_within(checks.CHECK_LIMIT_MS, _contents)
    before_s = time.time() - YOUNGEST_ORPHAN_S
    return [name for name, at_s in cache.kept() if name.partition("-")[0] not in known and at_s < before_s]


def _contents(tx: ReadTx) -> set[str]:
    sql = "SELECT lower(hex(blake3)) FROM generation_files WHERE blake3 IS NOT NULL"
    return set(tx.column(sql))


def _note(tx: WriteTx, one: Mended, *, now_ms: int) -> None:
    event_log.append(tx, level="info", kind="mended", subject=one.what, data={"deed": one.deed}, now_ms=now_ms)
