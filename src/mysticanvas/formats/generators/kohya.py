"""kohya's sd-scripts: one text per setting. `prompt` is plain text, not a ComfyUI graph.

Source: gen_img.py in its source code.
"""

from typing import Any

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.generators.infotext import extract_loras
from mysticanvas.formats.json_text import FieldReader


def parse(texts: dict[str, Any]) -> Recipe | None:
    if not {"prompt", "scale", "sampler", "steps"} <= set(texts):
        return None
    fields = FieldReader({key: texts[key] for key in _KOHYA_KEYS if key in texts})
    prompt = fields.text("prompt")
    return Recipe(
        tool="kohya sd-scripts",
        prompt=prompt,
        negative_prompt=fields.text("negative-prompt"),
        seed=fields.integer("seed"),
        steps=fields.int32("steps"),
        cfg_scale=fields.number("scale"),
        sampler=fields.name("sampler"),
        loras=extract_loras(prompt or "", {}, {}),
        params=fields.rest,
    )


_KOHYA_KEYS = (
    "prompt",
    "seed",
    "sampler",
    "steps",
    "scale",
    "negative-prompt",
    "negative-scale",
    "clip-prompt",
    "raw-prompt",
    "crop-top",
    "crop-left",
    "original-height",
    "original-width",
    "original-height-negative",
    "original-width-negative",
)
