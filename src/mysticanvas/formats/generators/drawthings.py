"""Draw Things: the JSON that it puts into XMP.

Source: its ImageConverter.
"""

from typing import Any

from mysticanvas.domain.generation import LoraUse, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.json_text import Said, name_of, number, size_of


def parse(object_: dict[str, Any]) -> Recipe | None:
    if not isinstance(object_.get("c"), str) or not {"uc", "seed_mode", "sampler", "v2"} & set(object_):
        return None
    said = Said(object_)
    width, height = size_of(object_.get("size"))
    loras = [one for one in said.list("lora") if isinstance(one, dict) and isinstance(one.get("model"), str)]
    said.take("size", "lora")
    profile = said.object("profile")
    duration_s = number(profile.get("duration"))
    return Recipe(
        tool="Draw Things",
        prompt=said.text("c"),
        negative_prompt=said.text("uc"),
        seed=said.integer("seed"),
        steps=said.small("steps"),
        cfg_scale=said.number("scale"),
        sampler=said.name("sampler"),
        denoise=said.number("strength"),
        clip_skip=said.small("clip_skip"),
        width=width,
        height=height,
        model=said.name("model"),
        loras=tuple(LoraUse(one["model"], number(one.get("weight"))) for one in loras),
        models=_draw_things_models(said),
        generation_time_ms=round(duration_s * 1000) if duration_s is not None and 0 <= duration_s < 1e7 else None,
        params=said.rest,
    )


def _draw_things_models(said: Said) -> tuple[ModelUse, ...]:
    found = []
    if refiner := name_of(said.all.get("refiner")):
        found.append(ModelUse(ModelKind.REFINER, refiner))
    if upscaler := name_of(said.all.get("upscaler")):
        found.append(ModelUse(ModelKind.UPSCALER, upscaler))
    for control in said.list("control"):
        name = name_of(control.get("file") or control.get("model")) if isinstance(control, dict) else None
        if name:
            found.append(ModelUse(ModelKind.CONTROLNET, name, None, number(control.get("weight"))))
    return tuple(found)
