"""TensorArt: `generation_data`, beside the graph that ran.

Source: images of its site.
"""

from typing import Any

from mysticanvas.domain.generation import LoraUse, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.json_text import Said, name_of, number


def parse(object_: dict[str, Any]) -> Recipe | None:
    """Its seed is -1 where the graph beside it holds the true one."""
    if "baseModel" not in object_ or "cfgScale" not in object_:
        return None
    said = Said(object_)
    base = said.object("baseModel")
    seed = said.integer("seed")
    loras, others = [], []
    for one in said.list("models"):
        name = name_of(one.get("modelFileName") or one.get("label")) if isinstance(one, dict) else None
        kind = str(one.get("type")).upper() if isinstance(one, dict) else ""
        value_hash = name_of(one.get("hash")) if isinstance(one, dict) else None
        if name and kind in ("LORA", "LOCON", "LYCORIS", "DORA"):
            loras.append(LoraUse(name, number(one.get("weight")), value_hash))
        elif name:
            others.append(ModelUse(ModelKind.EMBEDDING if kind == "EMBEDDING" else ModelKind.OTHER, name, value_hash))
    return Recipe(
        tool="TensorArt",
        prompt=said.text("prompt"),
        negative_prompt=said.text("negativePrompt"),
        seed=None if seed == -1 else seed,
        steps=said.small("steps"),
        cfg_scale=said.number("cfgScale"),
        guidance=None,
        sampler=said.name("ksamplerName", "samplerName", "sampler"),
        scheduler=said.name("schedule", "scheduler"),
        clip_skip=said.small("clipSkip"),
        width=said.small("width"),
        height=said.small("height"),
        model=name_of(base.get("modelFileName") or base.get("label")),
        model_hash=name_of(base.get("hash")),
        vae=None if said.all.get("sdVae") == "Automatic" else said.name("sdVae"),
        loras=tuple(loras),
        models=tuple(others),
        params=said.rest,
    )
