"""The job that computes the perceptual hash of an image imported before MystiCanvas had hashes."""

from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import files
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.duplicates import queries
from mysticanvas.features.duplicates.types import HashPicture, PictureHashed
from mysticanvas.jobs import location as job_location


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    file = job_location.find_location(tx, payload)
    return None if file is None else HashPicture(file.root, file.path_bytes)


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, PictureHashed)
    image = GenerationId(payload["generation"])
    file = files.find_final(tx, image)
    # If the file changed while it was read, a thumbnail job is queued by now, and it computes the hash.
    if file is not None and (file.bytes, file.mtime_ns) == (answer.stat.bytes, answer.stat.mtime_ns):
        queries.save_hash(tx, image, answer.phash)
