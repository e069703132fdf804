"""Fooocus and its forks: the `fooocus` scheme, the comment of MRE, and the labels of FooocusPlus, SimpleSDXL and
the Fooocus log.

Source: meta_parser and private_logger of Fooocus; worker of Fooocus-MRE.
"""

import re
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.json_text import FieldReader, parse_size, to_name, to_number

_LORA_KEY = re.compile(r"(?:lora_combined_|LoRA )\d{1,3}|LoRA \[(.{1,300})\] weight")


def parse(object_: dict[str, Any]) -> Recipe | None:
    if "base_model" in object_ and "cfg" in object_ and ("software" in object_ or "l1" in object_):
        return _parse_mre(object_)
    if "base_model" in object_ and {"performance", "styles", "guidance_scale", "metadata_scheme"} & set(object_):
        return _parse_scheme(object_)
    if "Base Model" in object_ and {"Prompt", "Resolution", "Performance", "Seed"} & set(object_):
        return _parse_scheme(object_)
    return None


def _parse_scheme(object_: dict[str, Any]) -> Recipe:
    """Parse settings under the scheme's keys, or under the labels of the same settings."""
    fields = FieldReader(object_)
    width, height = parse_size(object_.get("resolution", object_.get("Resolution")))
    fields.take("resolution", "Resolution", "loras", "LoRAs")
    version = fields.name("version", "Version")
    refiner = object_.get("refiner_model", object_.get("Refiner Model"))
    return Recipe(
        tool=_identify_tool(version),
        tool_version=version,
        prompt=fields.text("prompt", "Prompt"),
        negative_prompt=fields.text("negative_prompt", "Negative Prompt"),
        seed=fields.integer("seed", "Seed"),
        steps=fields.int32("steps", "Steps"),
        cfg_scale=fields.number("guidance_scale", "Guidance Scale"),
        sampler=fields.name("sampler", "Sampler"),
        scheduler=fields.name("scheduler", "Scheduler"),
        denoise=fields.number("overwrite_strength"),
        clip_skip=fields.int32("clip_skip", "CLIP Skip", "Clip Skip"),
        width=width,
        height=height,
        model=fields.name("base_model", "Base Model"),
        model_hash=fields.name("base_model_hash", "Base Model Hash"),
        vae=fields.name("vae", "VAE"),
        loras=_read_lora_list(object_.get("loras", object_.get("LoRAs"))) or _read_numbered_loras(object_),
        models=_read_refiner(refiner, object_.get("refiner_model_hash", object_.get("Refiner Model Hash"))),
        params=fields.rest,
    )


def _parse_mre(object_: dict[str, Any]) -> Recipe:
    fields = FieldReader(object_)
    loras = []
    for index in range(1, 11):
        name = to_name(object_.get(f"l{index}"))
        fields.take(f"l{index}", f"w{index}")
        if name:
            loras.append(LoraUse(name, to_number(object_.get(f"w{index}"))))
    source = to_name(object_.get("input_image") or object_.get("input_image_filename"))
    skip = fields.int32("base_clip_skip")
    version = fields.name("software")
    return Recipe(
        tool="Fooocus",
        tool_version=version,
        prompt=fields.text("prompt"),
        negative_prompt=fields.text("negative_prompt"),
        seed=fields.integer("seed"),
        steps=fields.int32("steps"),
        cfg_scale=fields.number("cfg"),
        sampler=fields.name("sampler"),
        scheduler=fields.name("scheduler"),
        denoise=fields.number("denoise"),
        clip_skip=-skip if skip is not None and skip < 0 else skip,
        width=fields.int32("width"),
        height=fields.int32("height"),
        model=fields.name("base_model"),
        loras=tuple(loras),
        models=_read_refiner(object_.get("refiner_model"), None),
        parent=source,
        parent_relation=ParentRelation.IMG2IMG if object_.get("img2img") is True else None,
        inputs=(InputImage(InputRole.SOURCE, source),) if source else (),
        params=fields.rest,
    )


def _identify_tool(version: str | None) -> str:
    """The first word of a version such as "FooocusPlus 1.0.0" or "SimpleSDXL2 …"; "Fooocus" by default."""
    word = re.match(r"[A-Za-z]+", version or "")
    return word[0] if word and word[0].lower() not in ("v", "version") else "Fooocus"


def _read_lora_list(value: Any) -> tuple[LoraUse, ...]:
    """Read [[name, weight, hash], …]; weight and hash are optional."""
    found = []
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, list) and entry and to_name(entry[0]):
            weight = to_number(entry[1]) if len(entry) > 1 else None
            found.append(LoraUse(entry[0], weight, to_name(entry[2]) if len(entry) > 2 else None))
    return tuple(found)


def _read_numbered_loras(object_: dict[str, Any]) -> tuple[LoraUse, ...]:
    """Read "name : weight" under numbered keys. Early versions have the name in the key."""
    found = []
    for key, value in object_.items():
        match = _LORA_KEY.fullmatch(key)
        if match is None:
            continue
        named, colon, weight = (match[1], ":", str(value)) if match[1] else str(value).rpartition(":")
        name = named.strip() if colon else weight.strip()
        if to_name(name):
            found.append(LoraUse(name, to_number(weight.strip()) if colon else None))
    return tuple(found)


def _read_refiner(name: Any, value_hash: Any) -> tuple[ModelUse, ...]:
    return (ModelUse(ModelKind.REFINER, name, to_name(value_hash)),) if to_name(name) else ()
