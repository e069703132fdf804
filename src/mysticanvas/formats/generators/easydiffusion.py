"""Easy Diffusion: one text a setting, one JSON object, or a text file of labels.

Source: its saving of settings, and sdkit's; lists are written in Python's own spelling in texts.
"""

import re
from typing import Any

from mysticanvas.domain.generation import LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.json_text import Said, name_of, number
from mysticanvas.formats.labels import labelled

_MAX_LIST = 10_000
# A text in quotes of either kind, or a number.
_SPELT = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(-?\d[\d.e+-]*)")
_ESCAPED = re.compile(r"\\(.)")
_KEYS = frozenset(("use_stable_diffusion_model", "num_inference_steps", "guidance_scale"))
# Its text files speak to people.
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


def object_of(text: str) -> dict[str, Any] | None:
    """The object that a text file of Easy Diffusion stands for; None for any other text."""
    if not text.startswith("Prompt:") or "\nStable Diffusion model:" not in text:
        return None
    found = labelled(text, _LABEL_LINE.finditer(text))
    return {_LABELS[label]: value.strip("\r\n") for label, value in found.items()}


def parse(object_: dict[str, Any]) -> Recipe | None:
    if "use_stable_diffusion_model" not in object_ or not _KEYS & set(object_):
        return None
    said = Said(object_)
    names = [name for value in _listed(object_.get("use_lora_model")) if (name := name_of(value))]
    weights = [number(value) for value in _listed(object_.get("lora_alpha"))]
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
        models=_models(object_),
        parent_relation=ParentRelation.IMG2IMG if source else None,
        params=said.rest,
    )


def _models(object_: dict[str, Any]) -> tuple[ModelUse, ...]:
    found = []
    for key, kind in (
        ("use_controlnet_model", ModelKind.CONTROLNET),
        ("use_embeddings_model", ModelKind.EMBEDDING),
        ("use_hypernetwork_model", ModelKind.OTHER),
        ("use_text_encoder_model", ModelKind.TEXT_ENCODER),
        ("use_upscale", ModelKind.UPSCALER),
        ("use_face_correction", ModelKind.OTHER),
    ):
        found += [ModelUse(kind, name) for value in _listed(object_.get(key)) if (name := name_of(value))]
    return tuple(found)


def _listed(value: Any) -> list[Any]:
    """A list, also of one value or of Python's own spelling of a list; [] for None."""
    if isinstance(value, str) and value.startswith("["):
        return [_ESCAPED.sub(r"\1", one[0] or one[1]) or one[2] for one in _SPELT.findall(value[:_MAX_LIST])]
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
