"""TensorArt: `generation_data`, stored beside the ComfyUI graph.

Source: images downloaded from its site.
"""

from typing import Any

from mysticanvas.domain.generation import LoraUse, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.json_text import FieldReader, to_name, to_number


def parse(object_: dict[str, Any]) -> Recipe | None:
    """The recipe; None for another format. A seed of -1 means that only the graph has the seed; it becomes None."""
    if "baseModel" not in object_ or "cfgScale" not in object_:
        return None
    fields = FieldReader(object_)
    base = fields.object("baseModel")
    seed = fields.integer("seed")
    loras, others = [], []
    for one in fields.list("models"):
        name = to_name(one.get("modelFileName") or one.get("label")) if isinstance(one, dict) else None
        kind = str(one.get("type")).upper() if isinstance(one, dict) else ""
        value_hash = to_name(one.get("hash")) if isinstance(one, dict) else None
        if name and kind in ("LORA", "LOCON", "LYCORIS", "DORA"):
            loras.append(LoraUse(name, to_number(one.get("weight")), value_hash))
        elif name:
            others.append(ModelUse(ModelKind.EMBEDDING if kind == "EMBEDDING" else ModelKind.OTHER, name, value_hash))
    return Recipe(
        tool="TensorArt",
        prompt=fields.text("prompt"),
        negative_prompt=fields.text("negativePrompt"),
        seed=None if seed == -1 else seed,
        steps=fields.int32("steps"),
        cfg_scale=fields.number("cfgScale"),
        guidance=None,
        sampler=fields.name("ksamplerName", "samplerName", "sampler"),
        scheduler=fields.name("schedule", "scheduler"),
        clip_skip=fields.int32("clipSkip"),
        width=fields.int32("width"),
        height=fields.int32("height"),
        model=to_name(base.get("modelFileName") or base.get("label")),
        model_hash=to_name(base.get("hash")),
        vae=None if fields.all.get("sdVae") == "Automatic" else fields.name("sdVae"),
        loras=tuple(loras),
        models=tuple(others),
        params=fields.rest,
    )
