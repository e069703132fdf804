"""Hugging Face Spaces that run diffusers: one JSON object under `parameters`.

Source: the code of the Spaces.
"""

from typing import Any

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.generators.infotext import extract_loras
from mysticanvas.formats.json_text import FieldReader, parse_size


def parse(object_: dict[str, Any]) -> Recipe | None:
    if "num_inference_steps" not in object_ or not {"Model", "resolution", "use_upscaler"} & set(object_):
        return None
    fields = FieldReader(object_)
    width, height = parse_size(object_.get("resolution"))
    prompt = fields.text("prompt")
    if width is not None:
        fields.take("resolution")
    return Recipe(
        tool="HuggingFace Space",
        prompt=prompt,
        negative_prompt=fields.text("negative_prompt"),
        seed=fields.integer("seed"),
        steps=fields.int32("num_inference_steps"),
        cfg_scale=fields.number("guidance_scale"),
        sampler=fields.name("sampler"),
        width=width or fields.int32("width"),
        height=height or fields.int32("height"),
        model=fields.name("Model", "model"),
        model_hash=fields.name("Model hash"),
        loras=extract_loras(prompt or "", {}, {}),
        params=fields.rest,
    )
