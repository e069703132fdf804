"""fastsdcpu: the JSON that it writes beside an image.

Source: its settings.
"""

from typing import Any

from mysticanvas.domain.generation import LoraUse, Recipe
from mysticanvas.formats.json_text import Said, name_of, number


def parse(object_: dict[str, Any]) -> Recipe | None:
    if not {"inference_steps", "image_width", "image_height"} <= set(object_):
        return None
    said = Said(object_)
    model = said.name("openvino_lcm_model_id", "lcm_model_id") if object_.get("use_openvino") else None
    lora = said.object("lora")
    loras = []
    if lora.get("enabled") and name_of(lora.get("path")):
        loras.append(LoraUse(lora["path"], number(lora.get("weight"))))
    return Recipe(
        tool="fastsdcpu",
        prompt=said.text("prompt"),
        negative_prompt=said.text("negative_prompt"),
        seed=said.integer("seed"),
        steps=said.small("inference_steps"),
        cfg_scale=said.number("guidance_scale"),
        clip_skip=said.small("clip_skip"),
        width=said.small("image_width"),
        height=said.small("image_height"),
        model=model or said.name("lcm_model_id"),
        loras=tuple(loras),
        params=said.rest,
    )
