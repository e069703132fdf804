"""RuinedFooocus: one JSON object under `parameters`.

Source: its worker, which writes the path of a model beneath its folder.
"""

import re
from typing import Any

from mysticanvas.domain.generation import LoraUse, Recipe
from mysticanvas.formats.json_text import Said, name_of, number


def parse(object_: dict[str, Any]) -> Recipe | None:
    if object_.get("software") != "RuinedFooocus" and not {"base_model_name", "sampler_name", "Prompt"} <= set(object_):
        return None
    said = Said(object_)
    prompt = said.text("Prompt")
    said.take("software", "loras")
    return Recipe(
        tool="RuinedFooocus",
        prompt=prompt,
        negative_prompt=said.text("Negative"),
        seed=said.integer("seed"),
        steps=said.small("steps"),
        cfg_scale=said.number("cfg"),
        sampler=said.name("sampler_name"),
        scheduler=said.name("scheduler"),
        denoise=said.number("denoise"),
        clip_skip=said.small("clip_skip"),
        width=said.small("width"),
        height=said.small("height"),
        model=said.name("base_model_name"),
        model_hash=said.name("base_model_hash"),
        loras=_ruined_loras(object_.get("loras")),
        params=said.rest,
    )


def _ruined_loras(value: Any) -> tuple[LoraUse, ...]:
    """[[hash, "weight - path"]], or earlier one text "<name:weight>,…"."""
    found = []
    if isinstance(value, str):
        pairs = re.findall(r"<([^<>:]{1,300}):([^<>:]{1,20})>", value)
        return tuple(LoraUse(name, number(weight)) for name, weight in pairs if name_of(name))
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[1], str):
            weight, dash, name = entry[1].partition(" - ")
            value_hash = entry[0] if isinstance(entry[0], str) and entry[0] else None
            found.append(LoraUse(name if dash else entry[1], number(weight) if dash else None, value_hash))
    return tuple(found)
