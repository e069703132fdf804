"""Easy Diffusion: one text per setting, one JSON object, or a text file of labeled lines.

Source: the code that saves settings in Easy Diffusion and sdkit. Text files contain lists as Python literals.
"""

import re
from typing import Any

from mysticanvas.domain.generation import LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.json_text import FieldReader, to_name, to_number
from mysticanvas.formats.labels import parse_labels

_MAX_LIST = 10_000
# A single- or double-quoted string, or a number.
_PYTHON_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(-?\d[\d.e+-]*)")
_ESCAPED = re.compile(r"\\(.)")
_KEYS = frozenset(("use_stable_diffusion_model", "num_inference_steps", "guidance_scale"))
# Labels in the text files, and the JSON keys of the same settings.
_LABELS = {
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
    "^(" + "|".join(map(re.escape, sorted(_LABELS, key=len, reverse=True))) + "):[ \t]?", re.MULTILINE
)


def parse_text_file(text: str) -> dict[str, Any] | None:
    """The settings in an Easy Diffusion text file, by JSON key; None for any other text."""
    if not text.startswith("Prompt:") or "\nStable Diffusion model:" not in text:
        return None
    found = parse_labels(text, _LABEL_LINE.finditer(text))
    return {_LABELS[label]: value.strip("\r\n") for label, value in found.items()}


def parse(object_: dict[str, Any]) -> Recipe | None:
    if "use_stable_diffusion_model" not in object_ or not _KEYS & set(object_):
        return None
    fields = FieldReader(object_)
    names = [name for value in _to_list(object_.get("use_lora_model")) if (name := to_name(value))]
    weights = [to_number(value) for value in _to_list(object_.get("lora_alpha"))]
    prompt = fields.text("prompt")
    source = object_.get("init_image") or object_.get("init_image_path")
    fields.take("use_lora_model", "lora_alpha")
    strength = to_number(object_.get("prompt_strength"))
    return Recipe(
        tool="Easy Diffusion",
        prompt=prompt,
        negative_prompt=fields.text("negative_prompt"),
        seed=fields.integer("seed"),
        steps=fields.int32("num_inference_steps"),
        cfg_scale=fields.number("guidance_scale"),
        guidance=fields.number("distilled_guidance_scale"),
        sampler=fields.name("sampler_name"),
        scheduler=fields.name("scheduler_name"),
        # Easy Diffusion also writes it for txt2img, where it has no effect.
        denoise=strength if source else None,
        width=fields.int32("width"),
        height=fields.int32("height"),
        model=fields.name("use_stable_diffusion_model"),
        vae=fields.name("use_vae_model"),
        loras=tuple(LoraUse(name, weights[i] if i < len(weights) else None) for i, name in enumerate(names)),
        models=_read_models(object_),
        parent_relation=ParentRelation.IMG2IMG if source else None,
        params=fields.rest,
    )


def _read_models(object_: dict[str, Any]) -> tuple[ModelUse, ...]:
    found = []
    for key, kind in (
        ("use_controlnet_model", ModelKind.CONTROLNET),
        ("use_embeddings_model", ModelKind.EMBEDDING),
        ("use_hypernetwork_model", ModelKind.OTHER),
        ("use_text_encoder_model", ModelKind.TEXT_ENCODER),
        ("use_upscale", ModelKind.UPSCALER),
        ("use_face_correction", ModelKind.OTHER),
    ):
        found += [ModelUse(kind, name) for value in _to_list(object_.get(key)) if (name := to_name(value))]
    return tuple(found)


def _to_list(value: Any) -> list[Any]:
    """A list as it is, the items of a Python list literal, or any other value as a list of one; [] for None."""
    if isinstance(value, str) and value.startswith("["):
        return [_ESCAPED.sub(r"\1", one[0] or one[1]) or one[2] for one in _PYTHON_LITERAL.findall(value[:_MAX_LIST])]
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
