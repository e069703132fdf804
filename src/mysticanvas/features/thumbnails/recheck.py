"""Reads the headers of images again that were imported before orientation and color profiles counted.

Only the header is read, which is fast. An image whose thumbnails were made wrong is queued for new ones.
"""

from collections.abc import Callable, Sequence
from typing import Any

from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import outdated
from mysticanvas.domain.clock import now_ms as get_now_ms
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.thumbnails import queries
from mysticanvas.features.thumbnails.types import (
    JOB_KIND,
    RECHECK_JOB_KIND,
    FileToRecheck,
    HeadersRechecked,
    RecheckHeaders,
)
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority

BATCH_IMAGES = 100
JOBS_PER_TRANSACTION = 100
READ_LIMIT_MS = 60_000


def queue_outdated(database: Database, *, now_ms: Callable[[], int], goes_on: Callable[[], bool] = lambda: True) -> int:
    """Queue every image that an older version read, and return how many. Stops when `goes_on` returns False."""
    queued, slice_images = 0, BATCH_IMAGES * JOBS_PER_TRANSACTION
    last = 0
    while images := database.read_within(READ_LIMIT_MS, outdated.list_outdated, after=last, limit=slice_images):
        database.write_bulk(_enqueue, images, now_ms=now_ms())
        queued, last = queued + len(images), images[-1]
        if not goes_on():
            break
    return queued


def _enqueue(tx: WriteTx, images: Sequence[int], *, now_ms: int) -> None:
    batches = [images[first : first + BATCH_IMAGES] for first in range(0, len(images), BATCH_IMAGES)]
    new = [NewJob(RECHECK_JOB_KIND, _build_payload(b), f"{b[0]}-{b[-1]}-{len(b)}", JobPriority.IDLE) for b in batches]
    job_queue.enqueue_all(tx, new, now_ms=now_ms)


def _build_payload(images: Sequence[int]) -> dict[str, Any]:
    """`generation` is the first image; it identifies the job in error messages."""
    return {"generations": list(images), "generation": images[0]}


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    outdated = queries.load_outdated(tx, payload["generations"])
    return RecheckHeaders([FileToRecheck(one.root, one.path_bytes) for one in outdated]) if outdated else None


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, HeadersRechecked)
    read = {(file.root, file.path_bytes): file for file in answer.files}
    again = []
    for one in queries.load_outdated(tx, payload["generations"]):
        header = read.get((one.root, one.path_bytes))
        # A file that changed meanwhile, or cannot be read now, is left to the next scan.
        if (
            header is None
            or header.stat is None
            or (header.stat.bytes, header.stat.mtime_ns) != (one.bytes, one.mtime_ns)
        ):
            continue
        # Without a thumbnail, the image was too large or damaged. Limits changed since.
        remake = header.may_look_wrong or not one.has_thumbnail
        outdated.set_shown_size(
            tx,
            one.file_id,
            width=header.width_px,
            height=header.height_px,
            orientation=header.orientation,
            is_outdated=remake,
        )
        tx.changes.changed.append(one.image)
        if remake:
            again.append(NewJob(JOB_KIND, {"generation": one.image}, one.uuid, JobPriority.BEHIND))
    job_queue.enqueue_all(tx, again, now_ms=get_now_ms())


def split(payload: dict[str, Any]) -> list[dict[str, Any]]:
    images = payload["generations"]
    middle = len(images) // 2
    return [_build_payload(images[:middle]), _build_payload(images[middle:])] if middle else []
