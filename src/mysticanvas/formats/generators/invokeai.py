"""InvokeAI in its generations: `invokeai_metadata` (3 and later), `sd-metadata` and `Dream` (before).

Source: the JSON that each generation writes into its PNGs; `Dream` is the command line of the first,
in which `[…]` inside of the prompt is what should not be in the picture.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.json_text import Said, integer, load_object, name_of, number, small_integer, string

_FLAG = re.compile(r"(?:^|\s)-([sSWHCAfIGUVnNMtvg])\s*(\"[^\"]*\"|[^\s-]\S*|-\d\S*)?")
_FLAGS_BEGIN = re.compile(r"\s-[sSWHCAfIGUM]\s*[\w.\"/]")
_UNWANTED = re.compile(r"\[([^\[\]]{1,2000})\]")
_MAX_DREAM = 4_000
# Fields that hold a model of their own.
_MODELS = (
    ("refiner_model", ModelKind.REFINER),
    ("upscale_model", ModelKind.UPSCALER),
    ("t5_encoder", ModelKind.TEXT_ENCODER),
    ("clip_embed_model", ModelKind.TEXT_ENCODER),
    ("clip_l_embed_model", ModelKind.TEXT_ENCODER),
    ("clip_g_embed_model", ModelKind.TEXT_ENCODER),
    ("qwen3_encoder", ModelKind.TEXT_ENCODER),
)
# Lists of adapters: the field of the model in each, and what the adapter is.
_ADAPTERS = (
    ("controlnets", "control_model", ModelKind.CONTROLNET, "control_weight"),
    ("t2iAdapters", "t2i_adapter_model", ModelKind.CONTROLNET, "weight"),
    ("ipAdapters", "ip_adapter_model", ModelKind.OTHER, "weight"),
)


def parse(texts: Mapping[str, str]) -> Recipe | None:
    """From all texts of an image; None when InvokeAI did not make it."""
    for key in ("invokeai_metadata", "invokeai"):
        recipe = parse_metadata(texts[key]) if key in texts else None
        if recipe is not None:
            return recipe
    if "sd-metadata" in texts:
        return parse_sd_metadata(texts["sd-metadata"], texts.get("Dream"))
    return parse_dream(texts["Dream"]) if "Dream" in texts else None


def parse_metadata(text: str) -> Recipe | None:
    """`invokeai_metadata`, version 3 and later."""
    object_ = load_object(text)
    if object_ is None:
        return None
    said = Said(object_)
    model, vae = said.object("model"), said.object("vae")
    inputs = tuple(dict.fromkeys(_inputs(object_)))
    source = next((one.name for one in inputs if one.role is InputRole.SOURCE), None)
    mode = str(object_.get("generation_mode"))
    relation = ParentRelation.INPAINT if "inpaint" in mode or "outpaint" in mode else ParentRelation.IMG2IMG
    is_from_image = source is not None or "img2img" in mode or relation is ParentRelation.INPAINT
    said.take("model", "vae", "loras", "init_image")
    return Recipe(
        tool="InvokeAI",
        tool_version=said.name("app_version"),
        prompt=said.text("positive_prompt", "positive_conditioning"),
        negative_prompt=said.text("negative_prompt", "negative_conditioning"),
        seed=said.integer("seed"),
        steps=said.small("steps"),
        cfg_scale=said.number("cfg_scale"),
        guidance=said.number("guidance"),
        scheduler=said.name("scheduler"),
        denoise=said.number("strength", "denoising_strength") if is_from_image else None,
        clip_skip=said.small("clip_skip"),
        width=said.small("width"),
        height=said.small("height"),
        model=_name(model) or name_of(object_.get("model")),
        model_hash=string(model.get("hash")),
        vae=_name(vae),
        loras=_loras(object_.get("loras")),
        models=_models(said, vae),
        parent=source,
        parent_relation=relation if is_from_image else None,
        inputs=inputs,
        params=said.rest,
    )


def _name(model: Any) -> str | None:
    return name_of(model.get("name") or model.get("model_name")) if isinstance(model, dict) else name_of(model)


def _loras(listed: Any) -> tuple[LoraUse, ...]:
    found = []
    for entry in listed if isinstance(listed, list) else []:
        model = (entry.get("model") or entry.get("lora")) if isinstance(entry, dict) else None
        name = _name(model)
        if name:
            value_hash = string(model.get("hash")) if isinstance(model, dict) else None
            found.append(LoraUse(name, number(entry.get("weight")), value_hash))
    return tuple(found)


def _models(said: Said, vae: Mapping[str, Any]) -> tuple[ModelUse, ...]:
    found = []
    if _name(vae) and string(vae.get("hash")):
        found.append(ModelUse(ModelKind.VAE, _name(vae), vae["hash"]))
    for key, kind in _MODELS:
        model = said.all.get(key)
        name = _name(model)
        if name:
            found.append(ModelUse(kind, name, string(model.get("hash")) if isinstance(model, dict) else None))
    for key, inner, kind, weight in _ADAPTERS:
        for entry in said.list(key):
            model = entry.get(inner) if isinstance(entry, dict) else None
            name = _name(model)
            if name:
                value_hash = string(model.get("hash")) if isinstance(model, dict) else None
                found.append(ModelUse(kind, name, value_hash, number(entry.get(weight))))
    return tuple(found)


def _inputs(object_: Mapping[str, Any]) -> Iterator[InputImage]:
    for key, role in (("init_image", InputRole.SOURCE), ("mask_image", InputRole.MASK), ("mask", InputRole.MASK)):
        name = _image_name(object_.get(key))
        if name:
            yield InputImage(role, name)
    for key, role in (
        ("controlnets", InputRole.CONTROL),
        ("t2iAdapters", InputRole.CONTROL),
        ("ipAdapters", InputRole.REFERENCE),
        ("ref_images", InputRole.REFERENCE),
    ):
        listed = object_.get(key)
        for entry in listed if isinstance(listed, list) else ():
            config = entry.get("config") if isinstance(entry, dict) else None
            holder = config if isinstance(config, dict) else entry
            name = _image_name(holder.get("image")) if isinstance(holder, dict) else None
            if name:
                yield InputImage(role, name)


def _image_name(value: Any) -> str | None:
    """A name, or an object that holds it, perhaps inside of another."""
    for _ in range(4):
        if not isinstance(value, dict):
            break
        value = value.get("image_name") or value.get("image") or value.get("original")
    return name_of(value)


# -- 1.15 to 2.x ----------------------------------------------------------------------------------------


def parse_sd_metadata(text: str, dream: str | None) -> Recipe | None:
    """`sd-metadata`; what it leaves out may stand in `Dream`."""
    said = load_object(text)
    if said is None:
        return parse_dream(dream) if dream else None
    held = said.get("image")
    image: Mapping[str, Any] = held if isinstance(held, dict) else {}
    command = parse_dream(dream) if dream else Recipe()
    prompt = _weighted(image.get("prompt"))
    prompt = prompt if prompt is not None else command.prompt
    strength = number(image.get("strength"))
    return Recipe(
        tool="InvokeAI",
        tool_version=string(said.get("app_version")),
        prompt=prompt,
        negative_prompt=_unwanted(prompt),
        seed=_first(integer(image.get("seed")), command.seed),
        steps=_first(small_integer(image.get("steps")), command.steps),
        cfg_scale=_first(number(image.get("cfg_scale")), command.cfg_scale),
        sampler=string(image.get("sampler")) or command.sampler,
        denoise=_first(command.denoise, strength) if command.parent_relation else None,
        width=_first(small_integer(image.get("width")), command.width),
        height=_first(small_integer(image.get("height")), command.height),
        model=string(said.get("model_weights")) or string(said.get("model_id")),
        model_hash=string(said.get("model_hash")),
        parent=command.parent,
        parent_relation=command.parent_relation,
        inputs=command.inputs,
        params={"sd-metadata": said} | ({"Dream": dream[:_MAX_DREAM]} if dream else {}),
    )


def parse_dream(text: str) -> Recipe:
    """The command line; a line that is no prompt ("!mask …") is kept in `params` alone."""
    if text.startswith(("!", "<")):
        return Recipe(tool="InvokeAI", params={"Dream": text[:_MAX_DREAM]})
    begin = _FLAGS_BEGIN.search(text)
    prompt = (text[: begin.start()] if begin else text).strip().strip('"')
    flags = {match[1]: (match[2] or "").strip('"') for match in _FLAG.finditer(text[begin.start() :])} if begin else {}
    source = flags.get("I") or None
    # An image from a browser stands there itself, as data.
    name = None if source is None or source.startswith("data:") else source
    relation = ParentRelation.INPAINT if source and flags.get("M") else ParentRelation.IMG2IMG if source else None
    inputs = [InputImage(InputRole.SOURCE, name)] if name else []
    inputs += [InputImage(InputRole.MASK, flags["M"])] if flags.get("M") else []
    return Recipe(
        tool="InvokeAI",
        prompt=prompt,
        negative_prompt=_unwanted(prompt),
        seed=integer(flags.get("S")),
        steps=small_integer(flags.get("s")),
        cfg_scale=number(flags.get("C")),
        sampler=flags.get("A") or None,
        denoise=number(flags.get("f")) if source else None,
        width=small_integer(flags.get("W")),
        height=small_integer(flags.get("H")),
        parent=name,
        parent_relation=relation,
        inputs=tuple(inputs),
        params={"Dream": text[:_MAX_DREAM]},
    )


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _unwanted(prompt: str | None) -> str | None:
    """The negative prompt of a prompt, which has no other place for it; "" when it has none."""
    return None if prompt is None else " ".join(_UNWANTED.findall(prompt))


def _weighted(prompt: Any) -> str | None:
    """One prompt, or several with their weights."""
    if isinstance(prompt, str):
        return prompt
    if not isinstance(prompt, list):
        return None
    parts = [part["prompt"] for part in prompt if isinstance(part, dict) and isinstance(part.get("prompt"), str)]
    return "\n".join(parts) if parts else None
