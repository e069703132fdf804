"""The current location of the file of a job."""

import os
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx
from mysticanvas.db.images import files
from mysticanvas.domain.generation import GenerationId


@dataclass(frozen=True, slots=True)
class Location:
    file_id: int
    root: bytes
    path_bytes: bytes


def find_location(tx: ReadTx, payload: dict[str, Any]) -> Location | None:
    """The final file of the image in the payload; None when the image or its file is missing. When the file
    is found again, its jobs are queued again."""
    file = files.find_final(tx, GenerationId(payload["generation"]))
    if file is None or file.missing_at is not None:
        return None
    return Location(file.id, os.fsencode(file.root_path), file.path_bytes)
