"""What no other parser knows: settings under names that speak for themselves.

One text a setting ("SD:seed"), one JSON object, or lines and commas of `name: value`. Believed only when
a prompt and two settings of a sampler are among them; everything else stays where it is.
"""

import re
from typing import Any

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.generators.infotext import loras_of
from mysticanvas.formats.json_text import Said, size_of

# Names without case, blanks, `_` and `-`.
_FIELDS = {
    "prompt": ("prompt", "positiveprompt", "positive", "prompttext", "caption"),
    "negative_prompt": ("negativeprompt", "negative", "uc", "negprompt"),
    "seed": ("seed", "noiseseed", "randomseed"),
    "steps": ("steps", "numinferencesteps", "ddimsteps", "samplingsteps", "inferencesteps", "samplesteps"),
    "cfg_scale": ("cfgscale", "cfg", "guidancescale", "scale", "promptstrength", "guidance"),
    "sampler": ("sampler", "samplername", "samplertype", "samplingmethod", "samplemethod"),
    "scheduler": ("scheduler", "schedulername", "schedule"),
    "model": ("model", "modelname", "checkpoint", "modelid", "basemodel", "ckpt", "modelweights"),
    "model_hash": ("modelhash",),
    "vae": ("vae", "vaemodel"),
    "width": ("width", "imagewidth", "w"),
    "height": ("height", "imageheight", "h"),
    "clip_skip": ("clipskip",),
    "denoise": ("denoise", "denoisingstrength", "strength"),
}
_BY_NAME = {name: field for field, names in _FIELDS.items() for name in names}
_SAMPLING = frozenset(("seed", "steps", "cfg_scale", "sampler", "scheduler", "model"))
_SIZE_NAMES = ("size", "resolution")
_LINE = re.compile(r"^[ \t]*([A-Za-z][\w .-]{0,40}?)[ \t]*[:=][ \t]*(.*)$", re.MULTILINE)
_LONGEST = 200_000
# No record of settings has more.
_MOST_KEYS = 10_000


def parse_object(object_: dict[str, Any]) -> Recipe | None:
    if len(object_) > _MOST_KEYS:
        return None
    prefixes = {key.partition(":")[0] for key in object_ if ":" in key}
    by_field: dict[str, Any] = {}
    taken = set()
    for key, value in object_.items():
        field = _BY_NAME.get(_plain(key))
        if field is not None and field not in by_field and isinstance(value, str | int | float):
            by_field[field] = value
            taken.add(key)
    if not isinstance(by_field.get("prompt"), str) or len(_SAMPLING & set(by_field)) < 2:
        return None
    rest = {key: value for key, value in object_.items() if key not in taken}
    return _recipe(by_field, rest, prefixes.pop() if len(prefixes) == 1 else None)


def parse_text(text: str) -> Recipe | None:
    """A line a setting; the prompt may be what stands before the first of them."""
    if len(text) > _LONGEST:
        return None
    marks = [mark for mark in _LINE.finditer(text) if _plain(mark[1]) in _BY_NAME or _plain(mark[1]) in _SIZE_NAMES]
    if len(marks) < 3:
        return None
    found: dict[str, Any] = {mark[1]: mark[2].strip() for mark in reversed(marks)}
    before = text[: marks[0].start()].strip()
    if before and not any(_BY_NAME.get(_plain(key)) == "prompt" for key in found):
        found["prompt"] = before
    return parse_object(found)


def _plain(key: str) -> str:
    return re.sub(r"[\s_-]", "", key.rpartition(":")[2]).lower()


def _recipe(by_field: dict[str, Any], rest: dict[str, Any], tool: str | None) -> Recipe:
    said = Said(by_field)
    size_key = next((key for key in rest if _plain(key) in _SIZE_NAMES), None)
    width, height = size_of(rest.get(size_key)) if size_key else (None, None)
    prompt = said.text("prompt")
    recipe = Recipe(
        tool=tool,
        prompt=prompt,
        negative_prompt=said.text("negative_prompt"),
        seed=said.integer("seed"),
        steps=said.small("steps"),
        cfg_scale=said.number("cfg_scale"),
        sampler=said.name("sampler"),
        scheduler=said.name("scheduler"),
        denoise=said.number("denoise"),
        clip_skip=said.small("clip_skip"),
        width=said.small("width") or width,
        height=said.small("height") or height,
        model=said.name("model"),
        model_hash=said.name("model_hash"),
        vae=said.name("vae"),
        loras=loras_of(prompt or "", {}, {}),
        params=rest,
    )
    recipe.params.update(said.rest)
    return recipe
