"""Perceptual hashes for images that were taken in before there were any."""

from collections.abc import Callable

from mysticanvas.db import settings_store
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.duplicates import queries
from mysticanvas.features.duplicates.types import JOB_KIND
from mysticanvas.features.hooks import Pixels
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority

JOBS_PER_SLICE = 1_000
READ_LIMIT_MS = 60_000
# Once, for a library from before: a picture without contrast has no hash, and is not to be looked at at every start.
CAUGHT_UP = "state.likeness.looks_caught_up"


def on_thumbnails_made(tx: WriteTx, image: GenerationId, pixels: Pixels, *, now_ms: int) -> None:
    """The pixels of an image were read; in the transaction that keeps what they showed."""
    queries.save_hash(tx, image, pixels.phash)


def hash_missing(database: Database, *, now_ms: Callable[[], int], goes_on: Callable[[], bool] = lambda: True) -> int:
    """Queue the hash of every image that was taken in before there were any. How many jobs were queued;
    none once they all were. Broken off between slices when it is not to go on."""
    if database.read(settings_store.get, CAUGHT_UP, False):
        return 0
    queued, last = 0, 0
    while slice_ := database.read_within(READ_LIMIT_MS, queries.list_unhashed, after=last, limit=JOBS_PER_SLICE):
        new = [NewJob(JOB_KIND, {"generation": image}, uuid, JobPriority.IDLE) for image, uuid in slice_]
        database.write_bulk(job_queue.enqueue_all, new, now_ms=now_ms())
        queued += len(slice_)
        last = slice_[-1][0]
        if not goes_on():
            return queued
    database.write_bulk(settings_store.put, CAUGHT_UP, True)
    return queued
