"""SwarmUI and StableSwarmUI: `sui_image_params`, in texts, in EXIF or in a `.swarm.json` file.

Source: SwarmUI's "Image Metadata Format". Any key may be missing, numbers may be strings, lists may be
comma-separated strings. Hashes cover the tensors ("0x…").
"""

import re
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.generators.infotext import extract_loras
from mysticanvas.formats.json_text import FieldReader, to_name, to_number, to_string

_SECONDS = re.compile(r"(\d{1,9}(?:\.\d+)?) ?(?:\(gen\) |total )?(?:sec|s\b)")
_GRID = re.compile(r"\s*all_metadata\[\"[^\"\n]{0,300}\"\]\s*=\s*")
# Parameters that name models, and their kinds.
_MODELS = (
    ("refinermodel", ModelKind.REFINER),
    ("segmentmodel", ModelKind.OTHER),
    ("videomodel", ModelKind.OTHER),
    ("clipmodel", ModelKind.TEXT_ENCODER),
    ("cliplmodel", ModelKind.TEXT_ENCODER),
    ("clipgmodel", ModelKind.TEXT_ENCODER),
    ("t5xxlmodel", ModelKind.TEXT_ENCODER),
    ("qwenmodel", ModelKind.TEXT_ENCODER),
    ("controlnetmodel", ModelKind.CONTROLNET),
    ("controlnettwomodel", ModelKind.CONTROLNET),
    ("controlnetthreemodel", ModelKind.CONTROLNET),
)


def strip_assignment(text: str) -> str:
    """The JSON of a grid's `.metadata.js`, which assigns the object to a variable; other texts unchanged."""
    match = _GRID.match(text)
    return text[match.end() :].rstrip().rstrip(";") if match else text


def parse(object_: dict[str, Any]) -> Recipe | None:
    inner = object_.get("sui_image_params")
    if not isinstance(inner, dict):
        return None
    fields = FieldReader(inner)
    extra = object_.get("sui_extra_data")
    extra = extra if isinstance(extra, dict) else {}
    hashes = _read_hashes(object_.get("sui_models"))
    prompt = fields.text("prompt")
    model = fields.name("model")
    # Only meaningful for img2img and refinement.
    denoise = fields.number("initimagecreativity")
    source = to_name(inner.get("initimage"))
    skip = fields.int32("clipstopatlayer")
    vae = fields.name("vae")
    fields.take("loras", "loraweights")
    return Recipe(
        tool="SwarmUI",
        tool_version=fields.name("swarm_version") or to_string(extra.get("swarm_version")),
        prompt=prompt,
        negative_prompt=fields.text("negativeprompt"),
        seed=fields.integer("seed"),
        steps=fields.int32("steps"),
        cfg_scale=fields.number("cfgscale"),
        guidance=fields.number("fluxguidancescale"),
        sampler=fields.name("sampler"),
        scheduler=fields.name("scheduler"),
        denoise=denoise,
        clip_skip=-skip if skip is not None and skip < 0 else skip,
        width=fields.int32("width"),
        height=fields.int32("height"),
        model=model,
        model_hash=hashes.get(("model", _strip_extension(model)))
        or next((h for (p, _), h in hashes.items() if p == "model"), None),
        vae=None if vae == "Automatic" else vae,
        loras=_read_loras(inner, prompt or "", hashes),
        models=_read_models(inner, hashes, vae),
        parent=source if source and len(source) < 500 else None,
        parent_relation=ParentRelation.IMG2IMG if source else None,
        inputs=_read_inputs(inner),
        generation_time_ms=_parse_time_ms(extra.get("generation_time") or inner.get("generation_time")),
        params=fields.rest | extra,
    )


def _strip_extension(name: str | None) -> str:
    return re.sub(r"\.(?:safetensors|sft|gguf|ckpt|pt)$", "", name or "").lower()


def _read_hashes(listed: Any) -> dict[tuple[str, str], str]:
    """Map (parameter, name without file extension) to the hash."""
    found = {}
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("hash"), str):
            found[str(one.get("param")), _strip_extension(one["name"])] = one["hash"]
    return found


def _split_list(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [str(one) for one in value if isinstance(one, str | int | float)] if isinstance(value, list) else []


def _read_loras(inner: dict[str, Any], prompt: str, hashes: dict[tuple[str, str], str]) -> tuple[LoraUse, ...]:
    names, weights = _split_list(inner.get("loras")), _split_list(inner.get("loraweights"))
    found: dict[str, LoraUse] = {}
    for index, name in enumerate(names):
        weight = to_number(weights[index]) if index < len(weights) else 1.0
        found.setdefault(_strip_extension(name), LoraUse(name, weight, hashes.get(("loras", _strip_extension(name)))))
    for use in extract_loras(prompt, {}, {}):
        found.setdefault(_strip_extension(use.name), use)
    return tuple(found.values())


def _read_models(inner: dict[str, Any], hashes: dict[tuple[str, str], str], vae: str | None) -> tuple[ModelUse, ...]:
    found = []
    vae_hash = hashes.get(("vae", _strip_extension(vae)))
    if vae and vae_hash:
        found.append(ModelUse(ModelKind.VAE, vae, vae_hash))
    for key, kind in _MODELS:
        name = to_name(inner.get(key))
        if name and not name.startswith("("):
            found.append(ModelUse(kind, name, hashes.get((key, _strip_extension(name)))))
    method = to_name(inner.get("refinerupscalemethod")) or ""
    if method.startswith("model-") and inner.get("refinerupscale") not in (None, 1, 1.0, "1"):
        found.append(ModelUse(ModelKind.UPSCALER, method.removeprefix("model-")))
    return tuple(found)


def _read_inputs(inner: dict[str, Any]) -> tuple[InputImage, ...]:
    """Input images by name. SwarmUI writes them only when configured to; image data is skipped."""
    found = []
    for key, role in (
        ("initimage", InputRole.SOURCE),
        ("maskimage", InputRole.MASK),
        ("controlnetimageinput", InputRole.CONTROL),
        ("promptimages", InputRole.REFERENCE),
    ):
        names = (name for name in _split_list(inner.get(key)) if len(name) < 500 and to_name(name))
        found += [InputImage(role, name) for name in names]
    return tuple(found)


def _parse_time_ms(text: Any) -> int | None:
    if not isinstance(text, str):
        return None
    last = None
    for last in _SECONDS.finditer(text[:200]):
        if "total" in last[0]:
            break
    return round(float(last[1]) * 1000) if last else None
