"""Thumbnails, and what reading all the bytes for them brings: the full hash, the damage, hidden text."""

from typing import Any

from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.file import FileKind, TextEntry
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Answer, MakeThumbs, Task, ThumbsMade
from mysticanvas.library import looking
from mysticanvas.library.jobs import location, reparse
from mysticanvas.store import files, likeness, raw_metadata
from mysticanvas.store.database import ReadTx, WriteTx

SHORT_EDGES_PX = (256, 512)


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
        # The file changed while it was read; what takes the change in queues another job.
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
