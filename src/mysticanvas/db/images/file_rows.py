"""Image files for display, also those of many images at once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.generation import GenerationId


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file for display. `root` is the path of its watched folder, None for a file inside the library."""

    kind: str
    root: str | None
    path: str
    path_bytes: bytes
    format: str | None
    blake3: bytes | None
    sha256: bytes | None
    bytes: int
    mtime_ns: int
    width: int | None
    height: int | None
    frames: int
    damage: str | None
    too_large: str | None
    orientation: int
    missing_at: int | None


def list_of_image(tx: ReadTx, image: GenerationId) -> list[FileRow]:
    return list_of_images(tx, [image]).get(image, [])


def list_of_images(tx: ReadTx, images: Sequence[GenerationId]) -> dict[GenerationId, list[FileRow]]:
    """The files by image, the final file first. Images without files are omitted."""
    rows = tx.all(
        """
        SELECT f.generation_id, f.kind, r.path AS root, f.path, f.path_bytes, f.format, f.bytes, f.mtime_ns, f.width,
               f.height, f.frames, f.damage, f.too_large, f.orientation, f.blake3, f.sha256, f.missing_at
          FROM json_each(:images) AS wanted
               CROSS JOIN generation_files AS f ON f.generation_id = wanted.value
               LEFT JOIN roots AS r ON r.id = f.root_id
         ORDER BY wanted.key, f.kind <> 'final', f.id
        """,
        images=json.dumps(list(images)),
    )
    return _group_files(rows)


def _group_files(rows: Sequence[dict[str, Any]]) -> dict[GenerationId, list[FileRow]]:
    found: dict[GenerationId, list[FileRow]] = {}
    for row in rows:
        found.setdefault(row.pop("generation_id"), []).append(FileRow(**row))
    return found


def list_input_files(tx: ReadTx, images: Sequence[GenerationId]) -> dict[GenerationId, list[FileRow]]:
    """By image, the final files of its input images, with the kind input, mask or control."""
    rows = tx.all(
        """
        SELECT i.generation_id, iif(i.role IN ('mask', 'control'), i.role, 'input') AS kind, r.path AS root, f.path,
               f.path_bytes, f.format, f.bytes, f.mtime_ns, f.width, f.height, f.frames, f.damage, f.too_large,
               f.orientation, f.blake3, f.sha256, f.missing_at
          FROM json_each(:images) AS wanted
               CROSS JOIN generation_inputs AS i ON i.generation_id = wanted.value AND i.found_by IS NOT NULL
               CROSS JOIN generation_files AS f ON f.generation_id = i.found_id AND f.kind = 'final'
               CROSS JOIN roots AS r ON r.id = f.root_id
         ORDER BY wanted.key, i.position
        """,
        images=json.dumps(list(images)),
    )
    return _group_files(rows)
