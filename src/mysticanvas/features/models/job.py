"""The job that computes all hashes of a model file when the app is idle."""

import os
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.models import file_queries
from mysticanvas.features.models.types import HashModel, ModelHashed


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    found = file_queries.find(tx, payload["model_file"])
    if found is None or found[1].hashed_at is not None or found[1].missing_at is not None:
        return None
    folder, file = found
    return HashModel(os.fsencode(folder), file.path_bytes)


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, ModelHashed)
    found = file_queries.find(tx, payload["model_file"])
    # A file that changed since then was queued again by the scan that found the change.
    if found is not None and found[1].stat == answer.stat:
        file_queries.set_hashes(tx, found[1], answer.hashes, now_ms=now_ms())
