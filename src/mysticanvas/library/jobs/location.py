"""Where the file of a job is now."""

import os
from dataclasses import dataclass
from typing import Any

from mysticanvas.domain.generation import GenerationId
from mysticanvas.store import files
from mysticanvas.store.database import ReadTx


@dataclass(frozen=True, slots=True)
class Location:
    file_id: int
    root: bytes
    path_bytes: bytes


def of(tx: ReadTx, payload: dict[str, Any]) -> Location | None:
    """The final file of the payload's generation; None when the image is gone."""
    file = files.final_of(tx, GenerationId(payload["generation"]))
    return None if file is None else Location(file.id, os.fsencode(file.root_path), file.path_bytes)
