"""Determines kind, family and trigger words from its file header and its sidecars.

Tensor names and shapes take precedence, since they define the model. Metadata from training (`modelspec.*`,
`ss_*`) comes second, sidecars written by download tools last.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mysticanvas.domain.model import ModelKind
from mysticanvas.formats.json_text import load_object, to_integer, to_string
from mysticanvas.formats.safetensors import SafetensorsHeader

MAX_TRIGGER_WORDS = 24
MAX_WORD = 200
MAX_TEXT = 4_000

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """None or empty fields are unknown. `hashes` are (kind, value) claimed by metadata, not computed.

    `about` is for display: title, author, description, preferred weight …
    """

    kind: ModelKind | None = None
    family: str | None = None
    trigger_words: tuple[str, ...] = ()
    hashes: tuple[tuple[str, str], ...] = ()
    about: dict[str, Any] = field(default_factory=dict)


def read_header_facts(header: SafetensorsHeader) -> ModelFacts:
    names, texts = header.tensors, header.texts
    kind = _identify_kind_by_tensors(names) or _identify_kind_by_texts(texts)
    return ModelFacts(
        kind=kind,
        family=_identify_family_by_tensors(names, kind) or _identify_family_by_texts(texts),
        trigger_words=_read_trigger_words(texts),
        hashes=tuple(_read_declared_hashes(texts)),
        about=_read_about(texts),
    )


def read_sidecar_facts(text: str) -> ModelFacts:
    """Facts from a file that a download tool or the user wrote beside a model; empty for other content.

    Source: `.civitai.info` files of Civitai Helper, and `.json` files of A1111's model editor.
    """
    data = load_object(text)
    if data is None:
        return ModelFacts()
    inner = data.get("civitai")
    data = {**inner, **data} if isinstance(inner, dict) else data
    words = _split_words(data.get("trainedWords")) or _split_words(data.get("activation text"))
    model = data.get("model")
    about = {
        "title": _shorten(data.get("model_name")) or (_shorten(model.get("name")) if isinstance(model, dict) else None),
        "version": _shorten(data.get("name")),
        "description": _shorten(data.get("description")),
        "notes": _shorten(data.get("notes")),
        "weight": data.get("preferred weight") if isinstance(data.get("preferred weight"), int | float) else None,
        "civitai_model": to_integer(data.get("modelId")),
        "civitai_version": to_integer(data.get("id")),
    }
    family = next(
        (data[key] for key in ("baseModel", "base_model", "sd version") if isinstance(data.get(key), str)), ""
    )
    return ModelFacts(
        kind=_CIVITAI_KINDS.get(str(model.get("type")).lower()) if isinstance(model, dict) else None,
        family=identify_family(family),
        trigger_words=words,
        hashes=tuple(_read_civitai_hashes(data)),
        about={key: value for key, value in about.items() if value is not None},
    )


def merge_facts(facts: Iterable[ModelFacts]) -> ModelFacts:
    """Merge facts field by field; the first known value wins."""
    merged = ModelFacts()
    for one in facts:
        merged = ModelFacts(
            kind=merged.kind or one.kind,
            family=merged.family or one.family,
            trigger_words=merged.trigger_words or one.trigger_words,
            hashes=tuple(dict.fromkeys((*merged.hashes, *one.hashes))),
            about={**one.about, **merged.about},
        )
    return merged


# -- families ---------------------------------------------------------------------------------

# In order of precedence: patterns in the names that users and training tools write.
_FAMILIES: tuple[tuple[str, str], ...] = (
    (r"flux[ ._-]?2", "Flux.2"),
    (r"flux|kontext", "Flux"),
    (r"chroma", "Chroma"),
    (r"sd[ ._-]?xl|xl[ _-]?v?1|pony|illustrious|noobai", "SDXL"),
    (r"(sd|stable-diffusion-v|stable diffusion )[ ._-]?3", "SD3"),
    (r"(sd|stable-diffusion-v|stable diffusion )[ ._-]?v?2", "SD2"),
    (r"(sd|stable-diffusion-v|stable diffusion )[ ._-]?v?1", "SD1"),
    (r"qwen", "Qwen-Image"),
    (r"z[ _-]?image", "Z-Image"),
    (r"lumina", "Lumina"),
    (r"hidream", "HiDream"),
    (r"hunyuan[ _-]?video", "Hunyuan Video"),
    (r"hunyuan", "Hunyuan"),
    (r"pixart", "PixArt"),
    (r"aura[ _-]?flow", "AuraFlow"),
    (r"wan[ _-]?(video|2|1)", "Wan"),
    (r"ltx", "LTX"),
    (r"cascade|wuerstchen", "Cascade"),
    (r"anima\b", "Anima"),
    (r"kolors", "Kolors"),
)  # fmt: skip


def identify_family(text: str) -> str | None:
    """The family that a name such as "SDXL 1.0", "sd_v1" or "flux-1-dev/lora" denotes; None when unknown."""
    lowered = text[:MAX_WORD].lower()
    return next((family for pattern, family in _FAMILIES if re.search(pattern, lowered)), None)


def _identify_family_by_texts(texts: Mapping[str, str]) -> str | None:
    for key in ("ss_base_model_version", "modelspec.architecture", "ot_model_type", "ss_sd_model_name"):
        if family := identify_family(texts.get(key, "")):
            return family
    return None


# Part of a tensor name that only this family has, in order of precedence.
_MARKS: tuple[tuple[str, str], ...] = (
    ("double_stream_modulation_img", "Flux.2"),
    ("distilled_guidance_layer", "Chroma"),
    ("individual_token_refiner", "Hunyuan Video"),
    ("double_stream_blocks.0.block", "HiDream"),
    ("double_blocks", "Flux"),
    ("single_transformer_blocks", "Flux"),
    ("joint_blocks", "SD3"),
    ("double_layers.0", "AuraFlow"),
    ("cap_embedder", "Lumina"),
    ("patchify_proj", "LTX"),
    ("adaln_single", "PixArt"),
    ("head.modulation", "Wan"),
    ("txt_norm.weight", "Qwen-Image"),
)  # fmt: skip
# kohya LoRAs have "_" where the model has ".".
_ANY_MARK = re.compile("|".join(mark.replace(".", "[._]") for mark, _ in _MARKS))
_FAMILY_BY_MARK = {mark.replace(".", "_"): family for mark, family in _MARKS}
_FAMILY_BY_WIDTH = {768: "SD1", 1024: "SD2", 2048: "SDXL"}
_CROSS_ATTENTION = re.compile(r"attn2[._]to_k[._](?:weight|lora_down|lora\.down|lora_A|hada_w1_b|lokr_w2_b)")


def _identify_family_by_tensors(names: Shapes, kind: ModelKind | None) -> str | None:
    if kind is ModelKind.EMBEDDING:
        if "clip_g" in names:
            return "SDXL"
        width = next((shape[-1] for shape in names.values() if shape), 0)
        return {768: "SD1", 1024: "SD2", 1280: "SDXL"}.get(width)
    if kind in (ModelKind.VAE, ModelKind.UPSCALER, ModelKind.TEXT_ENCODER):
        return None
    marked: set[str] = set()
    for name, shape in names.items():
        if _CROSS_ATTENTION.search(name) and shape and (family := _FAMILY_BY_WIDTH.get(shape[-1])):
            return family
        if name.startswith(("lora_te2_", "conditioner.embedders.1", "cond_stage_model.model.text_projection.1")):
            return "SDXL"
        marked.update(_FAMILY_BY_MARK[found.replace(".", "_")] for found in _ANY_MARK.findall(name))
    return next((family for _, family in _MARKS if family in marked), None)


# -- kinds ------------------------------------------------------------------------------------

_LORA = re.compile(r"\.?(lora_down|lora_up|lora\.down|lora\.up|lora_A|lora_B|hada_w\d_[ab]|lokr_w\d|oft_blocks)\b")
_UNET = ("model.diffusion_model.", "diffusion_model.", "input_blocks.", "down_blocks.", "double_blocks.",
         "joint_blocks.", "transformer_blocks.", "single_transformer_blocks.", "double_layers.")  # fmt: skip
_VAE = ("decoder.conv_in", "decoder.up", "encoder.conv_in", "encoder.down", "first_stage_model.", "taesd_")
_CONTROL = ("control_model.", "controlnet_", "input_hint_block.", "lllite_", "adapter.body.", "body.0.block1")
_TEXT = ("text_model.", "text_encoder.", "transformer.text_model.", "encoder.block.0.layer.0.selfattention",
         "encoder.block.", "shared.weight", "cond_stage_model.")  # fmt: skip
_EMBEDDING = ("emb_params", "clip_l", "clip_g", "string_to_param", "t5xxl")
_UPSCALER = ("model.0.weight", "model.1.sub.", "rrdb_trunk", "conv_first", "body.0.rdb1", "params_ema")


def _identify_kind_by_tensors(names: Shapes) -> ModelKind | None:
    if not names:
        return None
    if any(_LORA.search(name) or name.startswith(("lora_unet_", "lora_te")) for name in names):
        return ModelKind.LORA
    if len(names) <= 4 and all(name.lower() in _EMBEDDING for name in names):
        return ModelKind.EMBEDDING
    lowered = [name.lower() for name in names]
    for beginnings, kind in (
        (_CONTROL, ModelKind.CONTROLNET),
        (_UNET, ModelKind.CHECKPOINT),
        (_VAE, ModelKind.VAE),
        (_TEXT, ModelKind.TEXT_ENCODER),
        (_UPSCALER, ModelKind.UPSCALER),
    ):
        if any(name.startswith(beginnings) for name in lowered):
            return kind
    return None


def _identify_kind_by_texts(texts: Mapping[str, str]) -> ModelKind | None:
    architecture = texts.get("modelspec.architecture", "").lower()
    if architecture.endswith("/lora") or "ss_network_module" in texts:
        return ModelKind.LORA
    if architecture.endswith(("/textual-inversion", "/embedding")):
        return ModelKind.EMBEDDING
    if "control" in architecture.rpartition("/")[2]:
        return ModelKind.CONTROLNET
    if architecture.endswith("/vae"):
        return ModelKind.VAE
    return None


_CIVITAI_KINDS = {
    "checkpoint": ModelKind.CHECKPOINT,
    "lora": ModelKind.LORA,
    "locon": ModelKind.LORA,
    "dora": ModelKind.LORA,
    "textualinversion": ModelKind.EMBEDDING,
    "vae": ModelKind.VAE,
    "controlnet": ModelKind.CONTROLNET,
    "upscaler": ModelKind.UPSCALER,
}


# -- trigger words and hashes -----------------------------------------------------------------


def _read_trigger_words(texts: Mapping[str, str]) -> tuple[str, ...]:
    """The author's trigger words; otherwise the most frequent tag of each training folder, most frequent first."""
    phrase = texts.get("modelspec.trigger_phrase") or texts.get("trigger_phrase") or texts.get("trained_words")
    if words := _split_words(phrase):
        return words
    frequency = load_object(texts.get("ss_tag_frequency", ""))
    most: list[tuple[int, str]] = []
    for tags in (frequency or {}).values():
        counted = [(to_integer(n) or 0, tag.strip()) for tag, n in tags.items()] if isinstance(tags, dict) else []
        if counted and max(counted)[1]:
            most.append(max(counted))
    return tuple(dict.fromkeys(tag[:MAX_WORD] for _, tag in sorted(most, reverse=True)))[:MAX_TRIGGER_WORDS]


def _split_words(data: Any) -> tuple[str, ...]:
    parts = re.split(r"[,\n]", data[:MAX_TEXT]) if isinstance(data, str) else data if isinstance(data, list) else []
    words = (part.strip()[:MAX_WORD] for part in parts if isinstance(part, str))
    return tuple(dict.fromkeys(word for word in words if word))[:MAX_TRIGGER_WORDS]


def _read_declared_hashes(texts: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Hashes over the tensors. `sshs_model_hash` is what A1111 writes into images as the hash of a LoRA."""
    for key in ("sshs_model_hash", "modelspec.hash_sha256"):
        value = texts.get(key, "").lower().removeprefix("0x")
        if re.fullmatch(r"[0-9a-f]{64}", value):
            yield "tensor", value
            yield "autov3", value[:12]


_CIVITAI_HASHES = {
    "autov1": ("autov1", 8),
    "autov2": ("autov2", 10),
    "autov3": ("autov3", 12),
    "sha256": ("sha256", 64),
    "blake3": ("blake3", 64),
}


def _read_civitai_hashes(data: dict[str, Any]) -> Iterable[tuple[str, str]]:
    files = data.get("files")
    primary = next((file for file in files if isinstance(file, dict)), {}) if isinstance(files, list) else {}
    claimed = primary.get("hashes")
    for name, value in claimed.items() if isinstance(claimed, dict) else ():
        kind, length = _CIVITAI_HASHES.get(str(name).lower(), ("", 0))
        if kind and isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]+", value) and len(value) >= length:
            yield kind, value.lower()[:length]


def _read_about(texts: Mapping[str, str]) -> dict[str, Any]:
    keys = {
        "title": "modelspec.title",
        "author": "modelspec.author",
        "description": "modelspec.description",
        "license": "modelspec.license",
        "date": "modelspec.date",
        "resolution": "modelspec.resolution",
        "base_model": "ss_sd_model_name",
        "network_dim": "ss_network_dim",
        "network_alpha": "ss_network_alpha",
        "steps": "ss_steps",
    }
    return {name: short for name, key in keys.items() if (short := _shorten(texts.get(key)))}


def _shorten(value: Any) -> str | None:
    data = to_string(value)
    return data[:MAX_TEXT] if data and data != "None" else None
