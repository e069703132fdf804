"""The images whose files were read by a version that ignored orientation and color profiles."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.generation import GenerationId


@dataclass(frozen=True, slots=True)
class OutdatedFile:
    image: GenerationId
    uuid: str
    file_id: int
    root: bytes
    path_bytes: bytes
    bytes: int
    mtime_ns: int
    has_thumbnail: bool


def load_outdated(tx: ReadTx, images: Sequence[int]) -> list[OutdatedFile]:
    """The images among these whose final file exists and is still outdated, in the order of `images`."""
    rows = tx.rows(
        """
        SELECT g.id, g.uuid, f.id, r.path, f.path_bytes, f.bytes, f.mtime_ns,
               EXISTS (SELECT 1 FROM generation_files AS t WHERE t.generation_id = g.id AND t.kind = 'thumb')
          FROM json_each(:images) AS i
               CROSS JOIN generations AS g ON g.id = i.value
               JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
               JOIN roots AS r ON r.id = f.root_id
         WHERE f.is_outdated = 1 AND f.missing_at IS NULL
         ORDER BY i.key
        """,
        images=json.dumps(list(images)),
    )
    return [
        OutdatedFile(GenerationId(image), uuid, file_id, os.fsencode(root), path, size, mtime, bool(has_thumbnail))
        for image, uuid, file_id, root, path, size, mtime, has_thumbnail in rows
    ]
