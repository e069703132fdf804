"""The job that computes the SHA-256 of a file."""

from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import files
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features import hooks as import_hooks
from mysticanvas.features.file_hashes.types import FileHashed, HashFile
from mysticanvas.jobs import location as job_location


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    file = job_location.find_location(tx, payload)
    return None if file is None else HashFile(file.root, file.path_bytes, "sha256")


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, FileHashed)
    file = job_location.find_location(tx, payload)
    if file is not None and file.path_bytes == answer.stat.path_bytes:
        files.set_sha256(tx, file_id=file.file_id, sha256=answer.digest)
        for hooks in import_hooks.list_hooks():
            hooks.on_file_hashed(tx, GenerationId(payload["generation"]), answer.digest, now_ms=now_ms())
