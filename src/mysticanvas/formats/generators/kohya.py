"""kohya's sd-scripts: one text a setting; `prompt` is no graph here.

Source: gen_img.
"""

from typing import Any

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.generators.infotext import loras_of
from mysticanvas.formats.json_text import Said


def parse(texts: dict[str, Any]) -> Recipe | None:
    if not {"prompt", "scale", "sampler", "steps"} <= set(texts):
        return None
    said = Said({key: texts[key] for key in _KOHYA_KEYS if key in texts})
    prompt = said.text("prompt")
    return Recipe(
        tool="kohya sd-scripts",
        prompt=prompt,
        negative_prompt=said.text("negative-prompt"),
        seed=said.integer("seed"),
        steps=said.small("steps"),
        cfg_scale=said.number("scale"),
        sampler=said.name("sampler"),
        loras=loras_of(prompt or "", {}, {}),
        params=said.rest,
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
