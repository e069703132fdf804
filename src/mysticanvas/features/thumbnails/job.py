"""The thumbnail job. Reading the whole file also yields its hash, damage, and stealth text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import files, generations
from mysticanvas.db.images.files import DecodedPicture, KnownFile
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.file import FileKind
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features import hooks as import_hooks
from mysticanvas.features.hooks import NewImage, Pixels
from mysticanvas.features.thumbnails.types import JOB_KIND, MakeThumbs, ThumbsMade
from mysticanvas.fs.thumbnail_cache import SHORT_EDGES_PX, ThumbCache
from mysticanvas.jobs import location as job_location
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority

# The next scan imports a file that changed before its thumbnail was made. Until then, retry occasionally.
RETRY_MS = 5 * 60_000


def queue_new_images(tx: WriteTx, images: Sequence[NewImage], *, now_ms: int) -> None:
    """Queue thumbnails for new images, in the transaction that adds them."""
    queue(tx, [(one.id, one.uuid) for one in images], now_ms=now_ms)


def queue(tx: WriteTx, images: Sequence[tuple[GenerationId, str]], *, now_ms: int) -> None:
    """Queue one job per (image, uuid). An image with a queued job gets no second one."""
    job_queue.enqueue_all(tx, [NewJob(JOB_KIND, {"generation": one}, uuid) for one, uuid in images], now_ms=now_ms)


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    file = job_location.find_location(tx, payload)
    if file is None:
        return None
    return MakeThumbs(file.root, file.path_bytes, list(SHORT_EDGES_PX))


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, ThumbsMade)
    image = GenerationId(payload["generation"])
    file = files.find_final(tx, image)
    if file is None or (file.bytes, file.mtime_ns) != (answer.stat.bytes, answer.stat.mtime_ns):
        _retry_later(tx, image, file)
        return
    files.set_pixels(
        tx,
        file.id,
        DecodedPicture(
            answer.blake3,
            answer.color_rgb,
            answer.damage,
            answer.too_large,
            answer.width_px,
            answer.height_px,
            answer.orientation,
        ),
    )
    has_thumbnail = bool(answer.blake3 is not None and answer.webps)
    if answer.blake3 is not None and answer.webps:
        for kind, edge_px, webp in zip((FileKind.THUMB, FileKind.PREVIEW), SHORT_EDGES_PX, answer.webps, strict=False):
            files.record_thumbnail(
                tx, image, kind=kind, blake3=answer.blake3, short_edge_px=edge_px, size_bytes=len(webp)
            )
    pixels = Pixels(answer.phash, has_thumbnail, answer.hidden)
    for hooks in import_hooks.list_hooks():
        hooks.on_thumbnails_made(tx, image, pixels, now_ms=now_ms())
    tx.changes.changed.append(image)


def save_files(library: Path, answer: Answer) -> None:
    """Write the thumbnails to disk. `apply` adds their rows afterwards."""
    assert isinstance(answer, ThumbsMade)
    if answer.blake3 is not None:
        ThumbCache(library / "thumbs", SHORT_EDGES_PX).keep(answer.blake3.hex(), answer.webps)


def _retry_later(tx: WriteTx, image: GenerationId, file: KnownFile | None) -> None:
    """Requeue the job: the file on disk differs from its row. If the original file comes back before the next
    scan, nothing else would queue its thumbnail."""
    if file is None or file.blake3 is not None or file.missing_at is not None:
        return
    moment_ms = now_ms()
    again = NewJob(
        JOB_KIND,
        {"generation": image},
        generations.get_uuid(tx, image),
        JobPriority.NORMAL,
        moment_ms + RETRY_MS,
    )
    job_queue.enqueue(tx, again, now_ms=moment_ms)
