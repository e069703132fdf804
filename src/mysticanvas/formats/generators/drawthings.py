"""Draw Things: the JSON that it writes into XMP.

Source: ImageConverter in its source code.
"""

from typing import Any

from mysticanvas.domain.generation import LoraUse, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.json_text import FieldReader, parse_size, to_name, to_number


def parse(object_: dict[str, Any]) -> Recipe | None:
    if not isinstance(object_.get("c"), str) or not {"uc", "seed_mode", "sampler", "v2"} & set(object_):
        return None
    fields = FieldReader(object_)
    width, height = parse_size(object_.get("size"))
    loras = [one for one in fields.list("lora") if isinstance(one, dict) and isinstance(one.get("model"), str)]
    fields.take("size", "lora")
    profile = fields.object("profile")
    duration_s = to_number(profile.get("duration"))
    return Recipe(
        tool="Draw Things",
        prompt=fields.text("c"),
        negative_prompt=fields.text("uc"),
        seed=fields.integer("seed"),
        steps=fields.int32("steps"),
        cfg_scale=fields.number("scale"),
        sampler=fields.name("sampler"),
        denoise=fields.number("strength"),
        clip_skip=fields.int32("clip_skip"),
        width=width,
        height=height,
        model=fields.name("model"),
        loras=tuple(LoraUse(one["model"], to_number(one.get("weight"))) for one in loras),
        models=_read_models(fields),
        generation_time_ms=round(duration_s * 1000) if duration_s is not None and 0 <= duration_s < 1e7 else None,
        params=fields.rest,
    )


def _read_models(fields: FieldReader) -> tuple[ModelUse, ...]:
    found = []
    if refiner := to_name(fields.all.get("refiner")):
        found.append(ModelUse(ModelKind.REFINER, refiner))
    if upscaler := to_name(fields.all.get("upscaler")):
        found.append(ModelUse(ModelKind.UPSCALER, upscaler))
    for control in fields.list("control"):
        name = to_name(control.get("file") or control.get("model")) if isinstance(control, dict) else None
        if name:
            found.append(ModelUse(ModelKind.CONTROLNET, name, None, to_number(control.get("weight"))))
    return tuple(found)
