"""SwarmUI and StableSwarmUI: `sui_image_params`, in texts, in EXIF or in a `.swarm.json`.

Source: SwarmUI's "Image Metadata Format"; any key may be missing, numbers may be texts, lists may be
texts joined by commas. Hashes are of the tensors ("0x…").
"""

import re
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.generators.infotext import loras_of
from mysticanvas.formats.json_text import Said, name_of, number, string

_SECONDS = re.compile(r"(\d{1,9}(?:\.\d+)?) ?(?:\(gen\) |total )?(?:sec|s\b)")
_GRID = re.compile(r"\s*all_metadata\[\"[^\"\n]{0,300}\"\]\s*=\s*")
# Parameters that name models, and what those are.
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


def without_assignment(text: str) -> str:
    """A grid's `.metadata.js` holds the same object behind an assignment."""
    match = _GRID.match(text)
    return text[match.end() :].rstrip().rstrip(";") if match else text


def parse(object_: dict[str, Any]) -> Recipe | None:
    inner = object_.get("sui_image_params")
    if not isinstance(inner, dict):
        return None
    said = Said(inner)
    extra = object_.get("sui_extra_data")
    extra = extra if isinstance(extra, dict) else {}
    hashes = _hashes(object_.get("sui_models"))
    prompt = said.text("prompt")
    model = said.name("model")
    # A strength means something only where an image or a second look at one began it.
    denoise = said.number("initimagecreativity")
    source = name_of(inner.get("initimage"))
    skip = said.small("clipstopatlayer")
    vae = said.name("vae")
    said.take("loras", "loraweights")
    return Recipe(
        tool="SwarmUI",
        tool_version=said.name("swarm_version") or string(extra.get("swarm_version")),
        prompt=prompt,
        negative_prompt=said.text("negativeprompt"),
        seed=said.integer("seed"),
        steps=said.small("steps"),
        cfg_scale=said.number("cfgscale"),
        guidance=said.number("fluxguidancescale"),
        sampler=said.name("sampler"),
        scheduler=said.name("scheduler"),
        denoise=denoise,
        clip_skip=-skip if skip is not None and skip < 0 else skip,
        width=said.small("width"),
        height=said.small("height"),
        model=model,
        model_hash=hashes.get(("model", _stem(model)))
        or next((h for (p, _), h in hashes.items() if p == "model"), None),
        vae=None if vae == "Automatic" else vae,
        loras=_loras(inner, prompt or "", hashes),
        models=_models(inner, hashes, vae),
        parent=source if source and len(source) < 500 else None,
        parent_relation=ParentRelation.IMG2IMG if source else None,
        inputs=_inputs(inner),
        generation_time_ms=_time_ms(extra.get("generation_time") or inner.get("generation_time")),
        params=said.rest | extra,
    )


def _stem(name: str | None) -> str:
    return re.sub(r"\.(?:safetensors|sft|gguf|ckpt|pt)$", "", name or "").lower()


def _hashes(listed: Any) -> dict[tuple[str, str], str]:
    """(parameter, name without ending) to hash."""
    found = {}
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("hash"), str):
            found[str(one.get("param")), _stem(one["name"])] = one["hash"]
    return found


def _several(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [str(one) for one in value if isinstance(one, str | int | float)] if isinstance(value, list) else []


def _loras(inner: dict[str, Any], prompt: str, hashes: dict[tuple[str, str], str]) -> tuple[LoraUse, ...]:
    names, weights = _several(inner.get("loras")), _several(inner.get("loraweights"))
    found: dict[str, LoraUse] = {}
    for index, name in enumerate(names):
        weight = number(weights[index]) if index < len(weights) else 1.0
        found.setdefault(_stem(name), LoraUse(name, weight, hashes.get(("loras", _stem(name)))))
    for use in loras_of(prompt, {}, {}):
        found.setdefault(_stem(use.name), use)
    return tuple(found.values())


def _models(inner: dict[str, Any], hashes: dict[tuple[str, str], str], vae: str | None) -> tuple[ModelUse, ...]:
    found = []
    vae_hash = hashes.get(("vae", _stem(vae)))
    if vae and vae_hash:
        found.append(ModelUse(ModelKind.VAE, vae, vae_hash))
    for key, kind in _MODELS:
        name = name_of(inner.get(key))
        if name and not name.startswith("("):
            found.append(ModelUse(kind, name, hashes.get((key, _stem(name)))))
    method = name_of(inner.get("refinerupscalemethod")) or ""
    if method.startswith("model-") and inner.get("refinerupscale") not in (None, 1, 1.0, "1"):
        found.append(ModelUse(ModelKind.UPSCALER, method.removeprefix("model-")))
    return tuple(found)


def _inputs(inner: dict[str, Any]) -> tuple[InputImage, ...]:
    """Images are written only where someone asked for it, as names; data is left out."""
    found = []
    for key, role in (
        ("initimage", InputRole.SOURCE),
        ("maskimage", InputRole.MASK),
        ("controlnetimageinput", InputRole.CONTROL),
        ("promptimages", InputRole.REFERENCE),
    ):
        names = (name for name in _several(inner.get(key)) if len(name) < 500 and name_of(name))
        found += [InputImage(role, name) for name in names]
    return tuple(found)


def _time_ms(text: Any) -> int | None:
    if not isinstance(text, str):
        return None
    last = None
    for last in _SECONDS.finditer(text[:200]):
        if "total" in last[0]:
            break
    return round(float(last[1]) * 1000) if last else None
