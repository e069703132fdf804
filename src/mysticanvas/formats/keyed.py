"""Generators that write one JSON object, or one text a setting: who they are is told by the keys.

Each `parse_…` takes the object and gives None when it is not that tool's. Sources are named with each.
"""

import re
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.infotext import loras_of
from mysticanvas.formats.json_text import Said, name_of, number

_SIZE = re.compile(r"\D{0,3}(\d{1,6})\D{1,4}(\d{1,6})\D{0,3}", re.ASCII)
_MAX_LITERAL = 10_000


def size_of(text: Any) -> tuple[int | None, int | None]:
    """Of "(1024, 768)", "1024 x 768", "1024×768"."""
    match = _SIZE.fullmatch(text) if isinstance(text, str) and len(text) < 60 else None
    return (int(match[1]), int(match[2])) if match else (None, None)


def listed(value: Any) -> list[Any]:
    """A list, also of one value or of Python's own spelling of a list; [] for None."""
    if isinstance(value, str) and value.startswith("[") and len(value) < _MAX_LITERAL:
        # Only images of one generator need Python's own parser.
        from ast import literal_eval

        try:
            value = literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return []
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


# -- RuinedFooocus: its worker ----------------------------------------------------------------------


def parse_ruined_fooocus(object_: dict[str, Any]) -> Recipe | None:
    if object_.get("software") != "RuinedFooocus" and not {"base_model_name", "sampler_name", "Prompt"} <= set(object_):
        return None
    said = Said(object_)
    prompt = said.text("Prompt")
    said.take("software", "loras")
    return Recipe(
        tool="RuinedFooocus",
        prompt=prompt,
        negative_prompt=said.text("Negative"),
        seed=said.integer("seed"),
        steps=said.small("steps"),
        cfg_scale=said.number("cfg"),
        sampler=said.name("sampler_name"),
        scheduler=said.name("scheduler"),
        denoise=said.number("denoise"),
        clip_skip=said.small("clip_skip"),
        width=said.small("width"),
        height=said.small("height"),
        model=said.name("base_model_name"),
        model_hash=said.name("base_model_hash"),
        loras=_ruined_loras(object_.get("loras")),
        params=said.rest,
    )


def _ruined_loras(value: Any) -> tuple[LoraUse, ...]:
    """[[hash, "weight - path"]], or earlier one text "<name:weight>,…"."""
    found = []
    if isinstance(value, str):
        pairs = re.findall(r"<([^<>:]{1,300}):([^<>:]{1,20})>", value)
        return tuple(LoraUse(name, number(weight)) for name, weight in pairs if name_of(name))
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[1], str):
            weight, dash, name = entry[1].partition(" - ")
            value_hash = entry[0] if isinstance(entry[0], str) and entry[0] else None
            found.append(LoraUse(name if dash else entry[1], number(weight) if dash else None, value_hash))
    return tuple(found)


# -- Easy Diffusion: its saving of settings beside or into images -----------------------------------

_EASY_DIFFUSION_KEYS = frozenset(("use_stable_diffusion_model", "num_inference_steps", "guidance_scale"))
# Its text files speak to people.
EASY_DIFFUSION_LABELS = {
    "Prompt": "prompt",
    "Negative Prompt": "negative_prompt",
    "Seed": "seed",
    "Stable Diffusion model": "use_stable_diffusion_model",
    "Clip Skip": "clip_skip",
    "ControlNet model": "use_controlnet_model",
    "ControlNet Filter": "control_filter_to_apply",
    "ControlNet Strength": "control_alpha",
    "VAE model": "use_vae_model",
    "Text Encoder model": "use_text_encoder_model",
    "Sampler": "sampler_name",
    "Scheduler": "scheduler_name",
    "Width": "width",
    "Height": "height",
    "Steps": "num_inference_steps",
    "Guidance Scale": "guidance_scale",
    "Distilled Guidance": "distilled_guidance_scale",
    "Distilled Guidance Scale": "distilled_guidance_scale",
    "Prompt Strength": "prompt_strength",
    "LoRA model": "use_lora_model",
    "LoRA Strength": "lora_alpha",
    "Hypernetwork model": "use_hypernetwork_model",
    "Hypernetwork Strength": "hypernetwork_strength",
    "Embedding models": "use_embeddings_model",
    "Seamless Tiling": "tiling",
    "Use Face Correction": "use_face_correction",
    "Use Upscaling": "use_upscale",
    "Upscale By": "upscale_amount",
    "Latent Upscaler Steps": "latent_upscaler_steps",
}
_LABEL_LINE = re.compile(
    "^(" + "|".join(map(re.escape, sorted(EASY_DIFFUSION_LABELS, key=len, reverse=True))) + "):[ \t]?", re.MULTILINE
)


def easy_diffusion_text(text: str) -> dict[str, Any] | None:
    """The object that a text file of Easy Diffusion stands for; None for any other text."""
    if not text.startswith("Prompt:") or "\nStable Diffusion model:" not in text:
        return None
    marks = list(_LABEL_LINE.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    found: dict[str, Any] = {}
    for mark, end in zip(marks, ends, strict=True):
        found.setdefault(EASY_DIFFUSION_LABELS[mark[1]], text[mark.end() : end].strip("\r\n"))
    return found


def parse_easy_diffusion(object_: dict[str, Any]) -> Recipe | None:
    if "use_stable_diffusion_model" not in object_ or not _EASY_DIFFUSION_KEYS & set(object_):
        return None
    said = Said(object_)
    names = [name for value in listed(object_.get("use_lora_model")) if (name := name_of(value))]
    weights = [number(value) for value in listed(object_.get("lora_alpha"))]
    prompt = said.text("prompt")
    source = object_.get("init_image") or object_.get("init_image_path")
    said.take("use_lora_model", "lora_alpha")
    strength = number(object_.get("prompt_strength"))
    return Recipe(
        tool="Easy Diffusion",
        prompt=prompt,
        negative_prompt=said.text("negative_prompt"),
        seed=said.integer("seed"),
        steps=said.small("num_inference_steps"),
        cfg_scale=said.number("guidance_scale"),
        guidance=said.number("distilled_guidance_scale"),
        sampler=said.name("sampler_name"),
        scheduler=said.name("scheduler_name"),
        # Also written where nothing was denoised from.
        denoise=strength if source else None,
        width=said.small("width"),
        height=said.small("height"),
        model=said.name("use_stable_diffusion_model"),
        vae=said.name("use_vae_model"),
        loras=tuple(LoraUse(name, weights[i] if i < len(weights) else None) for i, name in enumerate(names)),
        models=_easy_models(object_),
        parent_relation=ParentRelation.IMG2IMG if source else None,
        params=said.rest,
    )


def _easy_models(object_: dict[str, Any]) -> tuple[ModelUse, ...]:
    found = []
    for key, kind in (
        ("use_controlnet_model", ModelKind.CONTROLNET),
        ("use_embeddings_model", ModelKind.EMBEDDING),
        ("use_hypernetwork_model", ModelKind.OTHER),
        ("use_text_encoder_model", ModelKind.TEXT_ENCODER),
        ("use_upscale", ModelKind.UPSCALER),
        ("use_face_correction", ModelKind.OTHER),
    ):
        found += [ModelUse(kind, name) for value in listed(object_.get(key)) if (name := name_of(value))]
    return tuple(found)


# -- Draw Things: the JSON that it puts into XMP ------------------------------------------------------


def parse_draw_things(object_: dict[str, Any]) -> Recipe | None:
    if not isinstance(object_.get("c"), str) or not {"uc", "seed_mode", "sampler", "v2"} & set(object_):
        return None
    said = Said(object_)
    width, height = size_of(object_.get("size"))
    loras = [one for one in said.list("lora") if isinstance(one, dict) and isinstance(one.get("model"), str)]
    said.take("size", "lora")
    profile = said.object("profile")
    duration_s = number(profile.get("duration"))
    return Recipe(
        tool="Draw Things",
        prompt=said.text("c"),
        negative_prompt=said.text("uc"),
        seed=said.integer("seed"),
        steps=said.small("steps"),
        cfg_scale=said.number("scale"),
        sampler=said.name("sampler"),
        denoise=said.number("strength"),
        clip_skip=said.small("clip_skip"),
        width=width,
        height=height,
        model=said.name("model"),
        loras=tuple(LoraUse(one["model"], number(one.get("weight"))) for one in loras),
        models=_draw_things_models(said),
        generation_time_ms=round(duration_s * 1000) if duration_s is not None and 0 <= duration_s < 1e7 else None,
        params=said.rest,
    )


def _draw_things_models(said: Said) -> tuple[ModelUse, ...]:
    found = []
    if refiner := name_of(said.all.get("refiner")):
        found.append(ModelUse(ModelKind.REFINER, refiner))
    if upscaler := name_of(said.all.get("upscaler")):
        found.append(ModelUse(ModelKind.UPSCALER, upscaler))
    for control in said.list("control"):
        name = name_of(control.get("file") or control.get("model")) if isinstance(control, dict) else None
        if name:
            found.append(ModelUse(ModelKind.CONTROLNET, name, None, number(control.get("weight"))))
    return tuple(found)


# -- TensorArt: `generation_data` ---------------------------------------------------------------------


def parse_tensorart(object_: dict[str, Any]) -> Recipe | None:
    """Its seed is -1 where the graph beside it holds the true one."""
    if "baseModel" not in object_ or "cfgScale" not in object_:
        return None
    said = Said(object_)
    base = said.object("baseModel")
    seed = said.integer("seed")
    loras, others = [], []
    for one in said.list("models"):
        name = name_of(one.get("modelFileName") or one.get("label")) if isinstance(one, dict) else None
        kind = str(one.get("type")).upper() if isinstance(one, dict) else ""
        value_hash = name_of(one.get("hash")) if isinstance(one, dict) else None
        if name and kind in ("LORA", "LOCON", "LYCORIS", "DORA"):
            loras.append(LoraUse(name, number(one.get("weight")), value_hash))
        elif name:
            others.append(ModelUse(ModelKind.EMBEDDING if kind == "EMBEDDING" else ModelKind.OTHER, name, value_hash))
    return Recipe(
        tool="TensorArt",
        prompt=said.text("prompt"),
        negative_prompt=said.text("negativePrompt"),
        seed=None if seed == -1 else seed,
        steps=said.small("steps"),
        cfg_scale=said.number("cfgScale"),
        guidance=None,
        sampler=said.name("ksamplerName", "samplerName", "sampler"),
        scheduler=said.name("schedule", "scheduler"),
        clip_skip=said.small("clipSkip"),
        width=said.small("width"),
        height=said.small("height"),
        model=name_of(base.get("modelFileName") or base.get("label")),
        model_hash=name_of(base.get("hash")),
        vae=None if said.all.get("sdVae") == "Automatic" else said.name("sdVae"),
        loras=tuple(loras),
        models=tuple(others),
        params=said.rest,
    )


# -- Spaces of Hugging Face that run diffusers --------------------------------------------------------


def parse_hf_space(object_: dict[str, Any]) -> Recipe | None:
    if "num_inference_steps" not in object_ or not {"Model", "resolution", "use_upscaler"} & set(object_):
        return None
    said = Said(object_)
    width, height = size_of(object_.get("resolution"))
    prompt = said.text("prompt")
    if width is not None:
        said.take("resolution")
    return Recipe(
        tool="HuggingFace Space",
        prompt=prompt,
        negative_prompt=said.text("negative_prompt"),
        seed=said.integer("seed"),
        steps=said.small("num_inference_steps"),
        cfg_scale=said.number("guidance_scale"),
        sampler=said.name("sampler"),
        width=width or said.small("width"),
        height=height or said.small("height"),
        model=said.name("Model", "model"),
        model_hash=said.name("Model hash"),
        loras=loras_of(prompt or "", {}, {}),
        params=said.rest,
    )


# -- fastsdcpu: the JSON that it writes beside an image -----------------------------------------------


def parse_fastsdcpu(object_: dict[str, Any]) -> Recipe | None:
    if not {"inference_steps", "image_width", "image_height"} <= set(object_):
        return None
    said = Said(object_)
    model = said.name("openvino_lcm_model_id", "lcm_model_id") if object_.get("use_openvino") else None
    lora = said.object("lora")
    loras = []
    if lora.get("enabled") and name_of(lora.get("path")):
        loras.append(LoraUse(lora["path"], number(lora.get("weight"))))
    return Recipe(
        tool="fastsdcpu",
        prompt=said.text("prompt"),
        negative_prompt=said.text("negative_prompt"),
        seed=said.integer("seed"),
        steps=said.small("inference_steps"),
        cfg_scale=said.number("guidance_scale"),
        clip_skip=said.small("clip_skip"),
        width=said.small("image_width"),
        height=said.small("image_height"),
        model=model or said.name("lcm_model_id"),
        loras=tuple(loras),
        params=said.rest,
    )


# -- kohya's sd-scripts: one text a setting -------------------------------------------------------------


def parse_kohya(texts: dict[str, Any]) -> Recipe | None:
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

# -- DiffusionBee: an entry of its history --------------------------------------------------------------


def parse_diffusionbee(object_: dict[str, Any]) -> Recipe | None:
    """The app keeps its history for itself; an entry of it may have been exported beside an image."""
    if "dif_steps" not in object_ and not {"num_steps", "model_tdict_path"} & set(object_):
        return None
    said = Said(object_)
    source = name_of(object_.get("inp_img") or object_.get("input_img") or object_.get("input_image"))
    return Recipe(
        tool="DiffusionBee",
        prompt=said.text("prompt"),
        negative_prompt=said.text("negative_prompt", "neg_prompt"),
        seed=said.integer("seed"),
        steps=said.small("dif_steps", "ddim_steps", "num_steps"),
        cfg_scale=said.number("guidence_scale", "guidance_scale", "scale"),
        sampler=said.name("sampler"),
        width=said.small("img_w", "img_width", "W"),
        height=said.small("img_h", "img_height", "H"),
        model=said.name("model_id", "selected_model", "model_version"),
        parent=source,
        parent_relation=ParentRelation.IMG2IMG if source else None,
        inputs=(InputImage(InputRole.SOURCE, source),) if source else (),
        params=said.rest,
    )
