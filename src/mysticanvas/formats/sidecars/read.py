"""Parses sidecars: the formats that images embed, too, and those that only sidecars use.

The keys of a JSON file determine its format, never its name. A `.txt` file without settings is a caption.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mysticanvas.domain.file import TextEntry
from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.generators import easydiffusion, fooocus, fooocus_log, infotext, key_values
from mysticanvas.formats.json_text import FieldReader, load_object, to_number

# Keys that our own engine always writes, and keys that it never writes.
_OWN_KEYS = frozenset(("prompt", "seed", "steps", "cfg_scale", "width", "height"))
_FOREIGN_KEYS = frozenset(
    ("num_inference_steps", "inference_steps", "base_model", "use_stable_diffusion_model", "class_type")
)
# Name of the text with the generation data migrated from DiffusionDesk's database.
MIGRATED_NAME = "diffusion-desk.json"
_MAX_CAPTION = 20_000
_YAML_LINE = re.compile(r"([A-Za-z][\w -]{0,60}):(?:[ \t]+(.*))?$")

Read = Callable[[dict[str, str]], Recipe | None]


def rank(entry: TextEntry) -> tuple[int, str]:
    """Sort key: a program's own formats come before generic ones."""
    name = entry.key.lower()
    order = (".swarm.json", ".json", ".yaml", ".yml", ".txt", ".xmp")
    return next((index for index, ending in enumerate(order) if name.endswith(ending)), len(order)), name


def parse(entry: TextEntry, read: Read) -> Recipe | None:
    """The recipe in a sidecar; None when it contains no generation data. `read` parses texts as if embedded."""
    text, name = entry.text, entry.key.lower()
    if name.endswith(".xmp"):
        return read({"XMP": text})
    if name == fooocus_log.NAME:
        return fooocus.parse(fooocus_log.read_settings(text))
    object_ = load_object(text)
    if object_ is not None and name == MIGRATED_NAME:
        return _parse_own(object_)
    if object_ is not None:
        return _parse_object(object_, text, read)
    easy = easydiffusion.parse_text_file(text.replace("\r\n", "\n"))
    if easy is not None:
        return easydiffusion.parse(easy)
    if name.endswith((".yaml", ".yml")):
        settings = read_yaml(text)
        return _parse_own(settings) if _is_own(settings) else key_values.parse_object(settings)
    recipe = read({"parameters": text})
    if recipe is None and name.endswith(".txt") and text.strip() and len(text) < _MAX_CAPTION:
        return Recipe(params={"caption": text.strip()})
    return recipe


def _parse_object(object_: dict[str, Any], text: str, read: Read) -> Recipe | None:
    infotexts = object_.get("infotexts")
    if isinstance(infotexts, list) and infotexts and isinstance(infotexts[0], str):
        # A response of the A1111 API.
        return read({"parameters": infotexts[0]})
    if isinstance(object_.get("parameters"), str):
        return read({"parameters": object_["parameters"]})
    if "positive_prompt" in object_ or "generation_mode" in object_:
        return read({"invokeai_metadata": text})
    if isinstance(object_.get("meta"), dict):
        # Civitai download tools store the site's metadata under this key.
        return _parse_site_metadata(object_["meta"])
    if _is_own(object_):
        return _parse_own(object_)
    # The object may be a ComfyUI graph, which images have under `prompt`.
    return read({"parameters": text, "prompt": text})


def _parse_site_metadata(meta: dict[str, Any]) -> Recipe | None:
    recipe = key_values.parse_object(meta)
    return replace(recipe, tool=None) if recipe is not None else None


def _is_own(object_: dict[str, Any]) -> bool:
    return object_.keys() >= _OWN_KEYS and not _FOREIGN_KEYS & object_.keys()


def _parse_own(object_: dict[str, Any]) -> Recipe:
    fields = FieldReader(object_)
    seconds = to_number(object_.get("generation_time"))
    prompt = fields.text("prompt")
    fields.take("generation_time")
    return Recipe(
        tool="DiffusionDesk",
        prompt=prompt,
        negative_prompt=fields.text("negative_prompt"),
        seed=fields.integer("seed"),
        steps=fields.int32("steps"),
        cfg_scale=fields.number("cfg_scale"),
        sampler=fields.name("sampler", "sampling_method", "sample_method"),
        scheduler=fields.name("scheduler"),
        denoise=fields.number("denoise"),
        clip_skip=fields.int32("clip_skip"),
        width=fields.int32("width"),
        height=fields.int32("height"),
        model=fields.name("model"),
        model_hash=fields.name("model_hash"),
        vae=fields.name("vae"),
        loras=infotext.extract_loras(prompt or "", {}, {}),
        generation_time_ms=round(seconds * 1000) if seconds is not None and 0 <= seconds < 1e7 else None,
        params=fields.rest,
    )


def read_yaml(text: str) -> dict[str, Any]:
    """The scalars of a flat YAML mapping, as strings; a long value continues in indented lines.

    Source: YAML 1.2.2, chapters 7 and 8, limited to what programs write: no anchors, tags or nesting.
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
            found.setdefault(key, _parse_yaml_value(lines))
        key, lines = match[1], [(match[2] or "").strip()]
    return found


def _parse_yaml_value(lines: list[str]) -> str:
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
