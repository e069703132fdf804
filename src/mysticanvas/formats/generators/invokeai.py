"""InvokeAI: `invokeai_metadata` (version 3 and later), `sd-metadata` and `Dream` (earlier versions).

Source: the metadata that each version writes into PNG files. `Dream` is the command line of the first version, in
which `[…]` in the prompt marks the negative prompt.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.json_text import FieldReader, load_object, to_int32, to_integer, to_name, to_number, to_string

_FLAG = re.compile(r"(?:^|\s)-([sSWHCAfIGUVnNMtvg])\s*(\"[^\"]*\"|[^\s-]\S*|-\d\S*)?")
_FLAGS_BEGIN = re.compile(r"\s-[sSWHCAfIGUM]\s*[\w.\"/]")
_NEGATIVE = re.compile(r"\[([^\[\]]{1,2000})\]")
_MAX_DREAM = 4_000
# Fields that contain a model.
_MODELS = (
    ("refiner_model", ModelKind.REFINER),
    ("upscale_model", ModelKind.UPSCALER),
    ("t5_encoder", ModelKind.TEXT_ENCODER),
    ("clip_embed_model", ModelKind.TEXT_ENCODER),
    ("clip_l_embed_model", ModelKind.TEXT_ENCODER),
    ("clip_g_embed_model", ModelKind.TEXT_ENCODER),
    ("qwen3_encoder", ModelKind.TEXT_ENCODER),
)
# Lists of adapters: (key, field of the model, kind, field of the weight).
_ADAPTERS = (
    ("controlnets", "control_model", ModelKind.CONTROLNET, "control_weight"),
    ("t2iAdapters", "t2i_adapter_model", ModelKind.CONTROLNET, "weight"),
    ("ipAdapters", "ip_adapter_model", ModelKind.OTHER, "weight"),
)


def parse(texts: Mapping[str, str]) -> Recipe | None:
    """The recipe from all texts of an image; None when InvokeAI did not generate it."""
    for key in ("invokeai_metadata", "invokeai"):
        recipe = parse_metadata(texts[key]) if key in texts else None
        if recipe is not None:
            return recipe
    if "sd-metadata" in texts:
        return parse_sd_metadata(texts["sd-metadata"], texts.get("Dream"))
    return parse_dream(texts["Dream"]) if "Dream" in texts else None


def parse_metadata(text: str) -> Recipe | None:
    """Parse `invokeai_metadata` of version 3 and later; None when it is not a JSON object."""
    object_ = load_object(text)
    if object_ is None:
        return None
    fields = FieldReader(object_)
    model, vae = fields.object("model"), fields.object("vae")
    inputs = tuple(dict.fromkeys(_read_inputs(object_)))
    source = next((one.name for one in inputs if one.role is InputRole.SOURCE), None)
    mode = str(object_.get("generation_mode"))
    relation = ParentRelation.INPAINT if "inpaint" in mode or "outpaint" in mode else ParentRelation.IMG2IMG
    is_from_image = source is not None or "img2img" in mode or relation is ParentRelation.INPAINT
    fields.take("model", "vae", "loras", "init_image")
    return Recipe(
        tool="InvokeAI",
        tool_version=fields.name("app_version"),
        prompt=fields.text("positive_prompt", "positive_conditioning"),
        negative_prompt=fields.text("negative_prompt", "negative_conditioning"),
        seed=fields.integer("seed"),
        steps=fields.int32("steps"),
        cfg_scale=fields.number("cfg_scale"),
        guidance=fields.number("guidance"),
        scheduler=fields.name("scheduler"),
        denoise=fields.number("strength", "denoising_strength") if is_from_image else None,
        clip_skip=fields.int32("clip_skip"),
        width=fields.int32("width"),
        height=fields.int32("height"),
        model=_read_model_name(model) or to_name(object_.get("model")),
        model_hash=to_string(model.get("hash")),
        vae=_read_model_name(vae),
        loras=_read_loras(object_.get("loras")),
        models=_read_models(fields, vae),
        parent=source,
        parent_relation=relation if is_from_image else None,
        inputs=inputs,
        params=fields.rest,
    )


def _read_model_name(model: Any) -> str | None:
    return to_name(model.get("name") or model.get("model_name")) if isinstance(model, dict) else to_name(model)


def _read_loras(listed: Any) -> tuple[LoraUse, ...]:
    found = []
    for entry in listed if isinstance(listed, list) else []:
        model = (entry.get("model") or entry.get("lora")) if isinstance(entry, dict) else None
        name = _read_model_name(model)
        if name:
            value_hash = to_string(model.get("hash")) if isinstance(model, dict) else None
            found.append(LoraUse(name, to_number(entry.get("weight")), value_hash))
    return tuple(found)


def _read_models(fields: FieldReader, vae: Mapping[str, Any]) -> tuple[ModelUse, ...]:
    found = []
    if _read_model_name(vae) and to_string(vae.get("hash")):
        found.append(ModelUse(ModelKind.VAE, _read_model_name(vae), vae["hash"]))
    for key, kind in _MODELS:
        model = fields.all.get(key)
        name = _read_model_name(model)
        if name:
            found.append(ModelUse(kind, name, to_string(model.get("hash")) if isinstance(model, dict) else None))
    for key, inner, kind, weight in _ADAPTERS:
        for entry in fields.list(key):
            model = entry.get(inner) if isinstance(entry, dict) else None
            name = _read_model_name(model)
            if name:
                value_hash = to_string(model.get("hash")) if isinstance(model, dict) else None
                found.append(ModelUse(kind, name, value_hash, to_number(entry.get(weight))))
    return tuple(found)


def _read_inputs(object_: Mapping[str, Any]) -> Iterator[InputImage]:
    for key, role in (("init_image", InputRole.SOURCE), ("mask_image", InputRole.MASK), ("mask", InputRole.MASK)):
        name = _read_image_name(object_.get(key))
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
            name = _read_image_name(holder.get("image")) if isinstance(holder, dict) else None
            if name:
                yield InputImage(role, name)


def _read_image_name(value: Any) -> str | None:
    """The image name: a string, or nested in one or more objects; None without one."""
    for _ in range(4):
        if not isinstance(value, dict):
            break
        value = value.get("image_name") or value.get("image") or value.get("original")
    return to_name(value)


# -- 1.15 to 2.x ----------------------------------------------------------------------------------------


def parse_sd_metadata(text: str, dream: str | None) -> Recipe | None:
    """Parse `sd-metadata`, with missing fields taken from `Dream`; None when both are unusable."""
    metadata = load_object(text)
    if metadata is None:
        return parse_dream(dream) if dream else None
    held = metadata.get("image")
    image: Mapping[str, Any] = held if isinstance(held, dict) else {}
    command = parse_dream(dream) if dream else Recipe()
    prompt = _join_prompts(image.get("prompt"))
    prompt = prompt if prompt is not None else command.prompt
    strength = to_number(image.get("strength"))
    return Recipe(
        tool="InvokeAI",
        tool_version=to_string(metadata.get("app_version")),
        prompt=prompt,
        negative_prompt=_extract_negative(prompt),
        seed=_pick_first(to_integer(image.get("seed")), command.seed),
        steps=_pick_first(to_int32(image.get("steps")), command.steps),
        cfg_scale=_pick_first(to_number(image.get("cfg_scale")), command.cfg_scale),
        sampler=to_string(image.get("sampler")) or command.sampler,
        denoise=_pick_first(command.denoise, strength) if command.parent_relation else None,
        width=_pick_first(to_int32(image.get("width")), command.width),
        height=_pick_first(to_int32(image.get("height")), command.height),
        model=to_string(metadata.get("model_weights")) or to_string(metadata.get("model_id")),
        model_hash=to_string(metadata.get("model_hash")),
        parent=command.parent,
        parent_relation=command.parent_relation,
        inputs=command.inputs,
        params={"sd-metadata": metadata} | ({"Dream": dream[:_MAX_DREAM]} if dream else {}),
    )


def parse_dream(text: str) -> Recipe:
    """Parse the command line. A line without a prompt ("!mask …") is only stored in `params`."""
    if text.startswith(("!", "<")):
        return Recipe(tool="InvokeAI", params={"Dream": text[:_MAX_DREAM]})
    begin = _FLAGS_BEGIN.search(text)
    prompt = (text[: begin.start()] if begin else text).strip().strip('"')
    flags = {match[1]: (match[2] or "").strip('"') for match in _FLAG.finditer(text[begin.start() :])} if begin else {}
    source = flags.get("I") or None
    # An image uploaded in the browser is a data URL.
    name = None if source is None or source.startswith("data:") else source
    relation = ParentRelation.INPAINT if source and flags.get("M") else ParentRelation.IMG2IMG if source else None
    inputs = [InputImage(InputRole.SOURCE, name)] if name else []
    inputs += [InputImage(InputRole.MASK, flags["M"])] if flags.get("M") else []
    return Recipe(
        tool="InvokeAI",
        prompt=prompt,
        negative_prompt=_extract_negative(prompt),
        seed=to_integer(flags.get("S")),
        steps=to_int32(flags.get("s")),
        cfg_scale=to_number(flags.get("C")),
        sampler=flags.get("A") or None,
        denoise=to_number(flags.get("f")) if source else None,
        width=to_int32(flags.get("W")),
        height=to_int32(flags.get("H")),
        parent=name,
        parent_relation=relation,
        inputs=tuple(inputs),
        params={"Dream": text[:_MAX_DREAM]},
    )


def _pick_first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _extract_negative(prompt: str | None) -> str | None:
    """The negative prompt, which is part of the prompt in square brackets; "" without one."""
    return None if prompt is None else " ".join(_NEGATIVE.findall(prompt))


def _join_prompts(prompt: Any) -> str | None:
    """One prompt, or several weighted prompts joined by line breaks; None for anything else."""
    if isinstance(prompt, str):
        return prompt
    if not isinstance(prompt, list):
        return None
    parts = [part["prompt"] for part in prompt if isinstance(part, dict) and isinstance(part.get("prompt"), str)]
    return "\n".join(parts) if parts else None
