"""Fallback parser: settings of unknown programs under common names.

Accepts one text per setting ("SD:seed"), one JSON object, or lines of `name: value`. Requires a prompt and two
sampling settings; other keys go to `params`.
"""

import re
from typing import Any

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.generators.infotext import extract_loras
from mysticanvas.formats.json_text import FieldReader, parse_size

# Names in lower case, without spaces, `_` and `-`.
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
_MAX_CHARACTERS = 200_000
# No settings object has more.
_MAX_KEYS = 10_000


def parse_object(object_: dict[str, Any]) -> Recipe | None:
    if len(object_) > _MAX_KEYS:
        return None
    prefixes = {key.partition(":")[0] for key in object_ if ":" in key}
    by_field: dict[str, Any] = {}
    taken = set()
    for key, value in object_.items():
        field = _BY_NAME.get(_normalize_key(key))
        if field is not None and field not in by_field and isinstance(value, str | int | float):
            by_field[field] = value
            taken.add(key)
    if not isinstance(by_field.get("prompt"), str) or len(_SAMPLING & set(by_field)) < 2:
        return None
    rest = {key: value for key, value in object_.items() if key not in taken}
    return _build_recipe(by_field, rest, prefixes.pop() if len(prefixes) == 1 else None)


def parse_text(text: str) -> Recipe | None:
    """Parse one setting per line. Text before the first setting is the prompt when no setting names it."""
    if len(text) > _MAX_CHARACTERS:
        return None
    marks = [
        mark
        for mark in _LINE.finditer(text)
        if _normalize_key(mark[1]) in _BY_NAME or _normalize_key(mark[1]) in _SIZE_NAMES
    ]
    if len(marks) < 3:
        return None
    found: dict[str, Any] = {mark[1]: mark[2].strip() for mark in reversed(marks)}
    before = text[: marks[0].start()].strip()
    if before and not any(_BY_NAME.get(_normalize_key(key)) == "prompt" for key in found):
        found["prompt"] = before
    return parse_object(found)


def _normalize_key(key: str) -> str:
    return re.sub(r"[\s_-]", "", key.rpartition(":")[2]).lower()


def _build_recipe(by_field: dict[str, Any], rest: dict[str, Any], tool: str | None) -> Recipe:
    fields = FieldReader(by_field)
    size_key = next((key for key in rest if _normalize_key(key) in _SIZE_NAMES), None)
    width, height = parse_size(rest.get(size_key)) if size_key else (None, None)
    prompt = fields.text("prompt")
    recipe = Recipe(
        tool=tool,
        prompt=prompt,
        negative_prompt=fields.text("negative_prompt"),
        seed=fields.integer("seed"),
        steps=fields.int32("steps"),
        cfg_scale=fields.number("cfg_scale"),
        sampler=fields.name("sampler"),
        scheduler=fields.name("scheduler"),
        denoise=fields.number("denoise"),
        clip_skip=fields.int32("clip_skip"),
        width=fields.int32("width") or width,
        height=fields.int32("height") or height,
        model=fields.name("model"),
        model_hash=fields.name("model_hash"),
        vae=fields.name("vae"),
        loras=extract_loras(prompt or "", {}, {}),
        params=rest,
    )
    recipe.params.update(fields.rest)
    return recipe
