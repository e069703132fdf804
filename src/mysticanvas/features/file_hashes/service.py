"""SHA-256 of every file. Off by default, because it reads every byte a second time."""

from collections.abc import Callable, Sequence

from mysticanvas.db import settings_store
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import files
from mysticanvas.domain.generation import BEFORE_ALL_IDS, GenerationId
from mysticanvas.features.file_hashes.types import JOB_KIND
from mysticanvas.features.hooks import NewImage
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority

ENABLED_KEY = "sha256.wanted"
# A transaction with this many jobs takes about 10 ms.
JOBS_PER_TRANSACTION = 1_000


def is_enabled(tx: ReadTx) -> bool:
    return bool(settings_store.get(tx, ENABLED_KEY, False))


def start(database: Database, now_ms: Callable[[], int]) -> int:
    """Enable hashing and queue every image without a SHA-256. Returns the number of queued jobs.

    Can be called again after an interruption: images that are queued or hashed are skipped.
    """
    database.write(settings_store.put, ENABLED_KEY, True)
    queued, last = 0, BEFORE_ALL_IDS
    while slice_ := database.read(files.list_without_sha256, after=last, limit=JOBS_PER_TRANSACTION):
        database.write_bulk(job_queue.enqueue_all, [build_job(*one) for one in slice_], now_ms=now_ms())
        queued += len(slice_)
        last = slice_[-1][0]
    return queued


def stop(tx: WriteTx) -> None:
    """Disable hashing. Jobs that are already queued still run."""
    settings_store.put(tx, ENABLED_KEY, False)


def queue_new_images(tx: WriteTx, images: Sequence[NewImage], *, now_ms: int) -> None:
    """Queue new images if hashing is enabled, in the transaction that adds them."""
    if is_enabled(tx):
        job_queue.enqueue_all(tx, [build_job(one.id, one.uuid) for one in images], now_ms=now_ms)


def build_job(image: GenerationId, public_uuid: str) -> NewJob:
    return NewJob(JOB_KIND, {"generation": image}, public_uuid, JobPriority.IDLE)
