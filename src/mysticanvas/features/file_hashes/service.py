"""The sha256 of every file, for those who ask for it: reading every byte twice is off until then."""

from collections.abc import Callable, Sequence

from mysticanvas.db import settings_store
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import files
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.file_hashes.types import JOB_KIND
from mysticanvas.features.hooks import NewImage
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority

WANTED = "sha256.wanted"
# A transaction of this many jobs takes some ten milliseconds.
JOBS_A_SLICE = 1_000


def wanted(tx: ReadTx) -> bool:
    return bool(settings_store.get(tx, WANTED, False))


def start(database: Database, now_ms: Callable[[], int]) -> int:
    """Hash every image without a sha256 from now on, new ones too. How many jobs were queued.

    Asked again after an interruption, it goes on: what is queued or hashed already is left alone.
    """
    database.write(settings_store.put, WANTED, True)
    queued, last = 0, 0
    while slice_ := database.read(files.without_sha256, after=last, limit=JOBS_A_SLICE):
        database.write_bulk(job_queue.enqueue_all, [job_for(*one) for one in slice_], now_ms=now_ms())
        queued += len(slice_)
        last = slice_[-1][0]
    return queued


def stop(tx: WriteTx) -> None:
    """Queue no more of them."""
    settings_store.put(tx, WANTED, False)


def note(tx: WriteTx, images: Sequence[NewImage], *, now_ms: int) -> None:
    """New images, in the transaction that brought them."""
    if wanted(tx):
        job_queue.enqueue_all(tx, [job_for(one.id, one.uuid) for one in images], now_ms=now_ms)


def job_for(image: GenerationId, public_uuid: str) -> NewJob:
    return NewJob(JOB_KIND, {"generation": image}, public_uuid, JobPriority.IDLE)
