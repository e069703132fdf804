"""Queues stored metadata for parsing with newer parsers. Ratings, tags and notes stay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mysticanvas.db import event_log
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.features.importing import reparse_job, reparse_queries
from mysticanvas.features.importing.reparse_queries import OutdatedImage
from mysticanvas.formats.detect import PARSER_VERSION

# Applying a batch takes a few milliseconds, and several may be applied in one transaction.
BATCH_IMAGES = 25
BATCH_BYTES = 2 * 1024 * 1024
JOBS_PER_TRANSACTION = 500
LIST_LIMIT_MS = 60_000


@dataclass(frozen=True, slots=True)
class ReparseQueued:
    """The number of images to parse again, and of the jobs that do it."""

    images: int
    jobs: int


def start(database: Database, images: Sequence[int] | None, *, everything: bool, now_ms: int) -> ReparseQueued:
    """Queue the given images (None: all images) that an older parser read, or all of them with `everything`. The jobs
    are committed when this returns."""
    older_than = PARSER_VERSION + 1 if everything else PARSER_VERSION
    found = database.read_within(LIST_LIMIT_MS, reparse_queries.list_outdated, images, older_than=older_than)
    batches = list(_split_batches(found))
    for first in range(0, len(batches), JOBS_PER_TRANSACTION):
        database.write_bulk(_enqueue, batches[first : first + JOBS_PER_TRANSACTION])
    database.write_bulk(_log_start, len(found), now_ms=now_ms)
    return ReparseQueued(len(found), len(batches))


def _split_batches(found: Sequence[OutdatedImage]) -> Iterator[list[int]]:
    """Split images into batches, limited by number and size. A larger image gets its own batch."""
    batch: list[int] = []
    size_bytes = 0
    for one in found:
        if batch and (len(batch) == BATCH_IMAGES or size_bytes + one.raw_bytes > BATCH_BYTES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(one.id)
        size_bytes += one.raw_bytes
    if batch:
        yield batch


def _enqueue(tx: WriteTx, batches: Sequence[list[int]]) -> None:
    for batch in batches:
        reparse_job.enqueue(tx, batch)


def _log_start(tx: WriteTx, images: int, *, now_ms: int) -> None:
    data = {"images": images, "parser_version": PARSER_VERSION}
    event_log.append(tx, level="info", kind="reparse", subject=None, data=data, now_ms=now_ms)
