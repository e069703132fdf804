"""What the pixels of an image said when they were decoded: its recipe is read anew with that."""

import json
import zlib

from mysticanvas.domain.file import TextEntry
from mysticanvas.domain.generation import GenerationId
from mysticanvas.formats.detect import read_entries
from mysticanvas.library import taking_in
from mysticanvas.store import raw_metadata
from mysticanvas.store.database import WriteTx


def take_in(tx: WriteTx, image: GenerationId, text: str, *, now_ms: int) -> None:
    """Kept beside the texts of the file, to be read again; what the file itself says still wins."""
    entries = [one for one in raw_metadata.entries(tx, image) if one.carrier != "stealth"]
    entries.append(TextEntry("stealth", "stealth", text))
    recipe = read_entries(entries, file_name="")
    taking_in.set_recipe(tx, image, recipe, recipe.problems, now_ms=now_ms)
    content = json.dumps([[one.carrier, one.key, one.text] for one in entries], ensure_ascii=False)
    raw_metadata.keep_all(tx, [(image, zlib.compress(content.encode(), 6))])
