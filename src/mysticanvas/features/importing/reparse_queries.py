"""Images whose stored texts can be parsed again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.generation import GenerationId


@dataclass(frozen=True, slots=True)
class OutdatedImage:
    """`raw_bytes` is the compressed size of its stored texts."""

    id: GenerationId
    raw_bytes: int


@dataclass(frozen=True, slots=True)
class StoredImage:
    """The stored texts of an image, and its recorded problems."""

    id: GenerationId
    raw: bytes
    path: str
    problems: list[str]


def list_outdated(tx: ReadTx, images: Sequence[int] | None, *, older_than: int) -> list[OutdatedImage]:
    """The images among `images` (None: all, including Trash) that an older parser read, newest first. Images without
    stored texts are excluded."""
    rows = tx.all(
        """
        SELECT g.id, length(r.content) AS raw_bytes
          FROM raw_metadata AS r
               JOIN generations AS g ON g.id = r.generation_id
         WHERE g.parser_version < :older_than
           AND (:images IS NULL OR g.id IN (SELECT value FROM json_each(:images)))
         ORDER BY r.generation_id DESC
        """,
        older_than=older_than,
        images=None if images is None else json.dumps(list(images)),
    )
    return [OutdatedImage(**row) for row in rows]


def load_stored(tx: ReadTx, images: Sequence[int]) -> list[StoredImage]:
    """Stored texts in the order of `images`. Images that are deleted or have no stored texts are excluded."""
    rows = tx.all(
        """
        SELECT g.id, r.content AS raw, f.path, g.problems_json
          FROM json_each(:images) AS wanted
               JOIN generations AS g ON g.id = wanted.value
               JOIN raw_metadata AS r ON r.generation_id = g.id
               JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
         ORDER BY wanted.key
        """,
        images=json.dumps(list(images)),
    )
    return [StoredImage(problems=json.loads(row.pop("problems_json")), **row) for row in rows]
