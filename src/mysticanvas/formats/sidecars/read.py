"""Sidecars beside an image: what an image's own texts could say, and what only sidecars say.

Which it is, is decided by its keys, never by its name. A `.txt` without settings is a caption.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mysticanvas.domain.file import TextEntry
from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.generators import easydiffusion, fooocus, fooocus_log, infotext, key_values
from mysticanvas.formats.json_text import Said, load_object, number

# What MystiCanvas's own engine always writes, and what else only others do.
_OWN = frozenset(("prompt", "seed", "steps", "cfg_scale", "width", "height"))
_OTHERS = frozenset(
    ("num_inference_steps", "inference_steps", "base_model", "use_stable_diffusion_model", "class_type")
)
# What DiffusionDesk's database said of an image, kept when it came over.
TAKEN_OVER = "diffusion-desk.json"
_MAX_CAPTION = 20_000
_YAML_LINE = re.compile(r"([A-Za-z][\w -]{0,60}):(?:[ \t]+(.*))?$")

Read = Callable[[dict[str, str]], Recipe | None]


def rank(entry: TextEntry) -> tuple[int, str]:
    """What a tool wrote for itself comes before what it wrote for everyone."""
    name = entry.key.lower()
    order = (".swarm.json", ".json", ".yaml", ".yml", ".txt", ".xmp")
    return next((index for index, ending in enumerate(order) if name.endswith(ending)), len(order)), name


def parse(entry: TextEntry, read: Read) -> Recipe | None:
    """None for a sidecar that does not say how the image was made. `read` reads texts of an image."""
    text, name = entry.text, entry.key.lower()
    if name.endswith(".xmp"):
        return read({"XMP": text})
    if name == fooocus_log.NAME:
        return fooocus.parse(fooocus_log.settings(text))
    object_ = load_object(text)
    if object_ is not None and name == TAKEN_OVER:
        return _own(object_)
    if object_ is not None:
        return _of_object(object_, text, read)
    easy = easydiffusion.object_of(text.replace("\r\n", "\n"))
    if easy is not None:
        return easydiffusion.parse(easy)
    if name.endswith((".yaml", ".yml")):
        settings = read_yaml(text)
        return _own(settings) if _is_own(settings) else key_values.parse_object(settings)
    recipe = read({"parameters": text})
    if recipe is None and name.endswith(".txt") and text.strip() and len(text) < _MAX_CAPTION:
        return Recipe(params={"caption": text.strip()})
    return recipe


def _of_object(object_: dict[str, Any], text: str, read: Read) -> Recipe | None:
    infotexts = object_.get("infotexts")
    if isinstance(infotexts, list) and infotexts and isinstance(infotexts[0], str):
        # What A1111's own interface answers with.
        return read({"parameters": infotexts[0]})
    if isinstance(object_.get("parameters"), str):
        return read({"parameters": object_["parameters"]})
    if "positive_prompt" in object_ or "generation_mode" in object_:
        return read({"invokeai_metadata": text})
    if isinstance(object_.get("meta"), dict):
        # Downloaders of Civitai keep what its site says under this name.
        return _site(object_["meta"])
    if _is_own(object_):
        return _own(object_)
    # What stands under `prompt` in an image is a graph; so it may here.
    return read({"parameters": text, "prompt": text})


def _site(meta: dict[str, Any]) -> Recipe | None:
    recipe = key_values.parse_object(meta)
    return replace(recipe, tool=None) if recipe is not None else None


def _is_own(object_: dict[str, Any]) -> bool:
    return object_.keys() >= _OWN and not _OTHERS & object_.keys()


def _own(object_: dict[str, Any]) -> Recipe:
    said = Said(object_)
    seconds = number(object_.get("generation_time"))
    prompt = said.text("prompt")
    said.take("generation_time")
    return Recipe(
        tool="DiffusionDesk",
        prompt=prompt,
        negative_prompt=said.text("negative_prompt"),
        seed=said.integer("seed"),
        steps=said.small("steps"),
        cfg_scale=said.number("cfg_scale"),
        sampler=said.name("sampler", "sampling_method", "sample_method"),
        scheduler=said.name("scheduler"),
        denoise=said.number("denoise"),
        clip_skip=said.small("clip_skip"),
        width=said.small("width"),
        height=said.small("height"),
        model=said.name("model"),
        model_hash=said.name("model_hash"),
        vae=said.name("vae"),
        loras=infotext.loras_of(prompt or "", {}, {}),
        generation_time_ms=round(seconds * 1000) if seconds is not None and 0 <= seconds < 1e7 else None,
        params=said.rest,
    )


def read_yaml(text: str) -> dict[str, Any]:
    """The scalars of a flat YAML mapping; a longer value goes on in indented lines.

    Source: YAML 1.2.2, chapters 7 and 8, as far as tools write it: no anchors, tags or nesting.
    """
    found: dict[str, Any] = {}
    key, lines = None, list[str]()
    for line in [*text.splitlines(), "end:"]:
        match = _YAML_LINE.match(line)
        if match is None:
            if key is not None and (line[:1] in (" ", "\t") or not line.strip()):
                lines.append(line.strip())
            continue
        if key is not None:
            found.setdefault(key, _yaml_value(lines))
        key, lines = match[1], [(match[2] or "").strip()]
    return found


def _yaml_value(lines: list[str]) -> str:
    first, *more = lines
    if first in ("|", "|-", "|+"):
        return "\n".join(more).strip("\n")
    if first in (">", ">-", ">+", ""):
        return " ".join(line for line in more if line)
    value = " ".join([first, *(line for line in more if line)])
    if value[:1] == value[-1:] == "'" and len(value) > 1:
        return value[1:-1].replace("''", "'")
    if value[:1] == value[-1:] == '"' and len(value) > 1:
        return value[1:-1].replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
    return value
