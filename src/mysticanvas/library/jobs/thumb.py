"""Thumbnails, and what reading all the bytes for them brings: the full hash, the damage, hidden text."""

from typing import Any

from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.file import FileKind, TextEntry
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.job import JobKind, JobPriority
from mysticanvas.domain.task import Answer, MakeThumbs, Task, ThumbsMade
from mysticanvas.library import looking
from mysticanvas.library.jobs import location, reparse
from mysticanvas.store import files, generations, jobs, likeness, raw_metadata
from mysticanvas.store.database import ReadTx, WriteTx
from mysticanvas.store.files import KnownFile

SHORT_EDGES_PX = (256, 512)
# A file that changed before its thumbnail was made is taken in anew by the next scan; until then now and then
# is often enough.
LOOK_AGAIN_MS = 5 * 60_000


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    file = location.of(tx, payload)
    if file is None:
        return None
    return MakeThumbs(file.root, file.path_bytes, list(SHORT_EDGES_PX))


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, ThumbsMade)
    image = GenerationId(payload["generation"])
    file = files.final_of(tx, image)
    if file is None or (file.bytes, file.mtime_ns) != (answer.stat.bytes, answer.stat.mtime_ns):
        _look_again_later(tx, image, file)
        return
    files.set_pixels(tx, file.id, blake3=answer.blake3, color_rgb=answer.color_rgb, damage=answer.damage)
    likeness.keep(tx, image, answer.phash)
    if answer.blake3 is not None and answer.webps:
        for kind, edge_px, webp in zip((FileKind.THUMB, FileKind.PREVIEW), SHORT_EDGES_PX, answer.webps, strict=False):
            files.keep_thumb(tx, image, kind=kind, blake3=answer.blake3, short_edge_px=edge_px, size_bytes=len(webp))
        looking.note(tx, image, now_ms=now_ms())
    if answer.hidden is not None:
        # Kept beside the texts of the file; what they say together is for a worker to read.
        raw_metadata.keep_also(tx, image, TextEntry("stealth", "stealth", answer.hidden))
        reparse.enqueue(tx, [image])
    tx.changes.changed.append(image)


def _look_again_later(tx: WriteTx, image: GenerationId, file: KnownFile | None) -> None:
    """Another file is there than the one that was known. Should it become that one again before a scan sees
    it, nothing else would ask for its thumbnail."""
    if file is None or file.blake3 is not None or file.missing_at is not None:
        return
    moment_ms = now_ms()
    again = jobs.NewJob(
        JobKind.THUMB,
        {"generation": image},
        generations.uuid_of(tx, image),
        JobPriority.NORMAL,
        moment_ms + LOOK_AGAIN_MS,
    )
    jobs.enqueue(tx, again, now_ms=moment_ms)
