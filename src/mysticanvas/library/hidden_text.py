"""What the pixels of an image said when they were decoded: its recipe is read anew with that."""

import json
import zlib

from mysticanvas.domain.file import TextEntry
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.detect import PARSER_VERSION, read_entries
from mysticanvas.store import generations, models, raw_metadata
from mysticanvas.store.database import WriteTx


def take_in(tx: WriteTx, image: GenerationId, text: str, *, now_ms: int) -> None:
    """Kept beside the texts of the file, to be read again; what the file itself says still wins."""
    entries = [one for one in raw_metadata.entries(tx, image) if one.carrier != "stealth"]
    entries.append(TextEntry("stealth", "stealth", text))
    recipe = read_entries(entries, file_name="")
    uses = [ModelUse(ModelKind.CHECKPOINT, recipe.model, recipe.model_hash), *recipe.models]
    uses += [ModelUse(ModelKind.VAE, recipe.vae)] if recipe.vae else []
    uses += [ModelUse(ModelKind.LORA, lora.name, lora.hash, lora.weight) for lora in recipe.loras]
    found = [(models.find_or_add(tx, use, now_ms=now_ms), use) for use in uses]
    linked = [(model_id, use) for model_id, use in found if model_id is not None]
    generations.set_recipe(
        tx,
        image,
        recipe,
        model_id=next((model_id for model_id, use in linked if use.role is ModelKind.CHECKPOINT), None),
        problems=recipe.problems,
        parser_version=PARSER_VERSION,
        now_ms=now_ms,
    )
    models.link(tx, image, linked)
    content = json.dumps([[one.carrier, one.key, one.text] for one in entries], ensure_ascii=False)
    raw_metadata.keep(tx, image, zlib.compress(content.encode(), 6))
