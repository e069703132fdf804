"""RuinedFooocus: one JSON object under `parameters`.

Source: its worker, which writes model paths relative to the model folder.
"""

import re
from typing import Any

from mysticanvas.domain.generation import LoraUse, Recipe
from mysticanvas.formats.json_text import FieldReader, to_name, to_number


def parse(object_: dict[str, Any]) -> Recipe | None:
    if object_.get("software") != "RuinedFooocus" and not {"base_model_name", "sampler_name", "Prompt"} <= set(object_):
        return None
    fields = FieldReader(object_)
    prompt = fields.text("Prompt")
    fields.take("software", "loras")
    return Recipe(
        tool="RuinedFooocus",
        prompt=prompt,
        negative_prompt=fields.text("Negative"),
        seed=fields.integer("seed"),
        steps=fields.int32("steps"),
        cfg_scale=fields.number("cfg"),
        sampler=fields.name("sampler_name"),
        scheduler=fields.name("scheduler"),
        denoise=fields.number("denoise"),
        clip_skip=fields.int32("clip_skip"),
        width=fields.int32("width"),
        height=fields.int32("height"),
        model=fields.name("base_model_name"),
        model_hash=fields.name("base_model_hash"),
        loras=_read_loras(object_.get("loras")),
        params=fields.rest,
    )


def _read_loras(value: Any) -> tuple[LoraUse, ...]:
    """Read [[hash, "weight - path"], …], or the earlier text form "<name:weight>,…"."""
    found = []
    if isinstance(value, str):
        pairs = re.findall(r"<([^<>:]{1,300}):([^<>:]{1,20})>", value)
        return tuple(LoraUse(name, to_number(weight)) for name, weight in pairs if to_name(name))
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[1], str):
            weight, dash, name = entry[1].partition(" - ")
            value_hash = entry[0] if isinstance(entry[0], str) and entry[0] else None
            found.append(LoraUse(name if dash else entry[1], to_number(weight) if dash else None, value_hash))
    return tuple(found)
