"""The original texts of a file, so that newer parsers can read them again (docs/adr/0011-every-text-of-a-file.md)."""

import json
import zlib
from collections.abc import Sequence

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.file import TextEntry
from mysticanvas.domain.generation import GenerationId


def store_all(tx: WriteTx, contents: Sequence[tuple[GenerationId, bytes]]) -> None:
    """Stores packed texts: zlib over a JSON list of [carrier, key, text]. b"" means no texts, and deletes the row."""
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


def list_entries(tx: ReadTx, image: GenerationId) -> list[TextEntry]:
    content = tx.value("SELECT content FROM raw_metadata WHERE generation_id = :image", image=image)
    if content is None:
        return []
    return [TextEntry(*entry) for entry in json.loads(zlib.decompress(content))]


def store_another(tx: WriteTx, image: GenerationId, entry: TextEntry) -> None:
    """Adds a text to those of the image. Adding the same one twice has no effect."""
    stored = list_entries(tx, image)
    if entry in stored:
        return
    texts = [[one.carrier, one.key, one.text] for one in (*stored, entry)]
    store_all(tx, [(image, zlib.compress(json.dumps(texts, ensure_ascii=False).encode(), 6))])
