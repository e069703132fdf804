"""FastSD CPU: the JSON file that it writes beside an image.

Source: its settings classes.
"""

from typing import Any

from mysticanvas.domain.generation import LoraUse, Recipe
from mysticanvas.formats.json_text import FieldReader, to_name, to_number


def parse(object_: dict[str, Any]) -> Recipe | None:
    if not {"inference_steps", "image_width", "image_height"} <= set(object_):
        return None
    fields = FieldReader(object_)
    model = fields.name("openvino_lcm_model_id", "lcm_model_id") if object_.get("use_openvino") else None
    lora = fields.object("lora")
    loras = []
    if lora.get("enabled") and to_name(lora.get("path")):
        loras.append(LoraUse(lora["path"], to_number(lora.get("weight"))))
    return Recipe(
        tool="fastsdcpu",
        prompt=fields.text("prompt"),
        negative_prompt=fields.text("negative_prompt"),
        seed=fields.integer("seed"),
        steps=fields.int32("inference_steps"),
        cfg_scale=fields.number("guidance_scale"),
        clip_skip=fields.int32("clip_skip"),
        width=fields.int32("image_width"),
        height=fields.int32("image_height"),
        model=model or fields.name("lcm_model_id"),
        loras=tuple(loras),
        params=fields.rest,
    )
