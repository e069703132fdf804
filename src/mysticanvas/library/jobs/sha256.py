"""The sha256 of a file, for those who ask for it."""

from typing import Any

from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Answer, FileHashed, HashFile, Task
from mysticanvas.library import lineage
from mysticanvas.library.jobs import location
from mysticanvas.store import files
from mysticanvas.store.database import ReadTx, WriteTx


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    file = location.of(tx, payload)
    return None if file is None else HashFile(file.root, file.path_bytes, "sha256")


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, FileHashed)
    file = location.of(tx, payload)
    if file is not None and file.path_bytes == answer.stat.path_bytes:
        files.set_sha256(tx, file_id=file.file_id, sha256=answer.digest)
        lineage.note_hash(tx, GenerationId(payload["generation"]), answer.digest, now_ms=now_ms())
