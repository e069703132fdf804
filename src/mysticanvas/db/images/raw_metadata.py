"""The original texts of a file, to be read again by a newer parser."""

import json
import zlib
from collections.abc import Sequence

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.file import TextEntry
from mysticanvas.domain.generation import GenerationId


def keep_all(tx: WriteTx, contents: Sequence[tuple[GenerationId, bytes]]) -> None:
    """Each as `domain/task.py` packs it; b"" means that the file has no text, and then nothing is kept."""
    empty = [{"image": image} for image, content in contents if not content]
    tx.run_many("DELETE FROM raw_metadata WHERE generation_id = :image", empty)
    tx.run_many(
        """
        INSERT INTO raw_metadata (generation_id, content)
        VALUES (:image, :content)
            ON CONFLICT (generation_id) DO UPDATE SET content = excluded.content
        """,
        [{"image": image, "content": content} for image, content in contents if content],
    )


def entries(tx: ReadTx, image: GenerationId) -> list[TextEntry]:
    content = tx.value("SELECT content FROM raw_metadata WHERE generation_id = :image", image=image)
    if content is None:
        return []
    return [TextEntry(*entry) for entry in json.loads(zlib.decompress(content))]


def keep_also(tx: WriteTx, image: GenerationId, entry: TextEntry) -> None:
    """One more text, beside those that were kept; the same one twice is kept once."""
    kept = entries(tx, image)
    if entry in kept:
        return
    said = [[one.carrier, one.key, one.text] for one in (*kept, entry)]
    keep_all(tx, [(image, zlib.compress(json.dumps(said, ensure_ascii=False).encode(), 6))])
