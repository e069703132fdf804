"""Spaces of Hugging Face that run diffusers: one JSON object under `parameters`.

Source: the spaces' own code.
"""

from typing import Any

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.generators.infotext import loras_of
from mysticanvas.formats.json_text import Said, size_of


def parse(object_: dict[str, Any]) -> Recipe | None:
    if "num_inference_steps" not in object_ or not {"Model", "resolution", "use_upscaler"} & set(object_):
        return None
    said = Said(object_)
    width, height = size_of(object_.get("resolution"))
    prompt = said.text("prompt")
    if width is not None:
        said.take("resolution")
    return Recipe(
        tool="HuggingFace Space",
        prompt=prompt,
        negative_prompt=said.text("negative_prompt"),
        seed=said.integer("seed"),
        steps=said.small("num_inference_steps"),
        cfg_scale=said.number("guidance_scale"),
        sampler=said.name("sampler"),
        width=width or said.small("width"),
        height=height or said.small("height"),
        model=said.name("Model", "model"),
        model_hash=said.name("Model hash"),
        loras=loras_of(prompt or "", {}, {}),
        params=said.rest,
    )
