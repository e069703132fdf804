"""Fooocus and its forks: the `fooocus` scheme, MRE's comment, and the labels that FooocusPlus,
SimpleSDXL and Fooocus' own log use.

Source: Fooocus' meta_parser and private_logger; Fooocus-MRE's worker.
"""

import re
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.json_text import Said, name_of, number, size_of

_LORA_KEY = re.compile(r"(?:lora_combined_|LoRA )\d{1,3}|LoRA \[(.{1,300})\] weight")


def parse(object_: dict[str, Any]) -> Recipe | None:
    if "base_model" in object_ and "cfg" in object_ and ("software" in object_ or "l1" in object_):
        return _mre(object_)
    if "base_model" in object_ and {"performance", "styles", "guidance_scale", "metadata_scheme"} & set(object_):
        return _keyed(object_)
    if "Base Model" in object_ and {"Prompt", "Resolution", "Performance", "Seed"} & set(object_):
        return _keyed(object_)
    return None


def _keyed(object_: dict[str, Any]) -> Recipe:
    """The scheme's keys, or the labels of the same settings."""
    said = Said(object_)
    width, height = size_of(object_.get("resolution", object_.get("Resolution")))
    said.take("resolution", "Resolution", "loras", "LoRAs")
    version = said.name("version", "Version")
    refiner = object_.get("refiner_model", object_.get("Refiner Model"))
    return Recipe(
        tool=_tool(version),
        tool_version=version,
        prompt=said.text("prompt", "Prompt"),
        negative_prompt=said.text("negative_prompt", "Negative Prompt"),
        seed=said.integer("seed", "Seed"),
        steps=said.small("steps", "Steps"),
        cfg_scale=said.number("guidance_scale", "Guidance Scale"),
        sampler=said.name("sampler", "Sampler"),
        scheduler=said.name("scheduler", "Scheduler"),
        denoise=said.number("overwrite_strength"),
        clip_skip=said.small("clip_skip", "CLIP Skip", "Clip Skip"),
        width=width,
        height=height,
        model=said.name("base_model", "Base Model"),
        model_hash=said.name("base_model_hash", "Base Model Hash"),
        vae=said.name("vae", "VAE"),
        loras=_listed_loras(object_.get("loras", object_.get("LoRAs"))) or _loras_by_key(object_),
        models=_refiner(refiner, object_.get("refiner_model_hash", object_.get("Refiner Model Hash"))),
        params=said.rest,
    )


def _mre(object_: dict[str, Any]) -> Recipe:
    said = Said(object_)
    loras = []
    for index in range(1, 11):
        name = name_of(object_.get(f"l{index}"))
        said.take(f"l{index}", f"w{index}")
        if name:
            loras.append(LoraUse(name, number(object_.get(f"w{index}"))))
    source = name_of(object_.get("input_image") or object_.get("input_image_filename"))
    skip = said.small("base_clip_skip")
    version = said.name("software")
    return Recipe(
        tool="Fooocus",
        tool_version=version,
        prompt=said.text("prompt"),
        negative_prompt=said.text("negative_prompt"),
        seed=said.integer("seed"),
        steps=said.small("steps"),
        cfg_scale=said.number("cfg"),
        sampler=said.name("sampler"),
        scheduler=said.name("scheduler"),
        denoise=said.number("denoise"),
        clip_skip=-skip if skip is not None and skip < 0 else skip,
        width=said.small("width"),
        height=said.small("height"),
        model=said.name("base_model"),
        loras=tuple(loras),
        models=_refiner(object_.get("refiner_model"), None),
        parent=source,
        parent_relation=ParentRelation.IMG2IMG if object_.get("img2img") is True else None,
        inputs=(InputImage(InputRole.SOURCE, source),) if source else (),
        params=said.rest,
    )


def _tool(version: str | None) -> str:
    """ "Fooocus v2.5.5", "FooocusPlus 1.0.0", "SimpleSDXL2 …": the word that the version begins with."""
    word = re.match(r"[A-Za-z]+", version or "")
    return word[0] if word and word[0].lower() not in ("v", "version") else "Fooocus"


def _listed_loras(value: Any) -> tuple[LoraUse, ...]:
    """[[name, weight, hash]]."""
    found = []
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, list) and entry and name_of(entry[0]):
            weight = number(entry[1]) if len(entry) > 1 else None
            found.append(LoraUse(entry[0], weight, name_of(entry[2]) if len(entry) > 2 else None))
    return tuple(found)


def _loras_by_key(object_: dict[str, Any]) -> tuple[LoraUse, ...]:
    """ "name : weight" under numbered keys; early versions had the name in the key, and the weight alone."""
    found = []
    for key, value in object_.items():
        match = _LORA_KEY.fullmatch(key)
        if match is None:
            continue
        named, colon, weight = (match[1], ":", str(value)) if match[1] else str(value).rpartition(":")
        name = named.strip() if colon else weight.strip()
        if name_of(name):
            found.append(LoraUse(name, number(weight.strip()) if colon else None))
    return tuple(found)


def _refiner(name: Any, value_hash: Any) -> tuple[ModelUse, ...]:
    return (ModelUse(ModelKind.REFINER, name, name_of(value_hash)),) if name_of(name) else ()
