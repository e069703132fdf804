"""Where the file of a job is now."""

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


def of(tx: ReadTx, payload: dict[str, Any]) -> Location | None:
    """The final file of the payload's generation; None when the image or its file is gone. A file that
    is found again is given its jobs then."""
    file = files.final_of(tx, GenerationId(payload["generation"]))
    if file is None or file.missing_at is not None:
        return None
    return Location(file.id, os.fsencode(file.root_path), file.path_bytes)
