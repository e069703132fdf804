"""Store perceptual hashes after decoding, and backfill them for images imported before hashes existed."""

from collections.abc import Callable

from mysticanvas.db import settings_store
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.generation import BEFORE_ALL_IDS, GenerationId
from mysticanvas.features.duplicates import queries
from mysticanvas.features.duplicates.types import JOB_KIND
from mysticanvas.features.hooks import Pixels
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority

JOBS_PER_SLICE = 1_000
READ_LIMIT_MS = 60_000
# Set once the backfill is complete: pictures without contrast never get a hash and must not be queued at every start.
CAUGHT_UP = "state.likeness.looks_caught_up"


def on_thumbnails_made(tx: WriteTx, image: GenerationId, pixels: Pixels, *, now_ms: int) -> None:
    """Store the hash of a decoded image, in the transaction that stores the rest of its pixel data."""
    queries.save_hash(tx, image, pixels.phash)


def hash_missing(database: Database, *, now_ms: Callable[[], int], goes_on: Callable[[], bool] = lambda: True) -> int:
    """Queue a hash job for every image imported before hashes existed, and return how many were queued.

    Stops between slices when `goes_on` returns False. Once all are queued, later calls queue none.
    """
    if database.read(settings_store.get, CAUGHT_UP, False):
        return 0
    queued, last = 0, BEFORE_ALL_IDS
    while slice_ := database.read_within(READ_LIMIT_MS, queries.list_unhashed, after=last, limit=JOBS_PER_SLICE):
        new = [NewJob(JOB_KIND, {"generation": image}, uuid, JobPriority.IDLE) for image, uuid in slice_]
        database.write_bulk(job_queue.enqueue_all, new, now_ms=now_ms())
        queued += len(slice_)
        last = slice_[-1][0]
        if not goes_on():
            return queued
    database.write_bulk(settings_store.put, CAUGHT_UP, True)
    return queued
