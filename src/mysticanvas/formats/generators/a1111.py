"""What the settings of an infotext mean, in the dialects of those who write it.

Source: the writers: A1111, Forge, reForge, Forge Classic and Neo, SD.Next, Fooocus, Civitai,
stable-diffusion.cpp, and nodes of ComfyUI that save such text.
"""

import re
from datetime import datetime
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.generators.infotext import loras_of, read_pairs, read_settings, split
from mysticanvas.formats.json_text import begins_with, integer, load_object, name_of, number, small_integer

_NAME_AND_HASH = re.compile(r"(.*?) *[\[(]([0-9A-Fa-f]{6,64})[\])]")
_CONTROLNET = re.compile(r"ControlNet(?:[ -]\d+)?(?: Model)?")
_LEGACY_CONTROLNET = re.compile(r"(ControlNet(?:[ -]\d+)?) Model")
# Forge names its further modules without saying what they are.
_MODULE = re.compile(r"(?:Hires )?Module \d+")
_VAE_NAME = re.compile(r"(?:^|[-_ .])(?:vae|ae)(?:[-_ .]|\d|$)", re.IGNORECASE)
_ENCODER_NAME = re.compile(r"clip|t5|gemma|llama|qwen|encoder|mistral|byt5", re.IGNORECASE)
_SIZE = re.compile(r"(\d{1,6}) ?[x×] ?(\d{1,6})", re.ASCII)
_SECONDS = re.compile(r"(\d{1,7}(?:\.\d+)?) ?s(?:ec\.?|econds)?", re.ASCII)
_NO_UPSCALER = ("latent", "none", "lanczos", "nearest")
_RE_FORGE = re.compile(r"f\d[\d.]*(?:v\d+)?-v\d")
_FORGE = re.compile(r"f\d|classic|neo\b")


_MAX_EXTRAS = 20_000
# Most images have no others.
_PLAIN = frozenset(
    (
        *("Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model hash", "Model", "Clip skip"),
        *("Version", "Denoising strength", "Distilled CFG Scale", "RNG", "ENSD", "Eta", "NGMS", "VAE"),
        *("Hires upscale", "Hires steps", "Hires resize", "Face restoration", "Variation seed", "Template"),
        *("Variation seed strength", "Emphasis", "Pad conds", "Token merging ratio", "Hires CFG Scale"),
    )
)


def parse(text: str) -> Recipe:
    """Every setting that has no field of its own goes to `params`, as text."""
    prompt, negative, line, tail = split(text.replace("\r\n", "\n").rstrip("\0\ufffd"))
    return _recipe(prompt, negative, _Settings(*read_settings(line)), tail)


def parse_extras(text: str) -> Recipe:
    """The line about what was done to a finished image: upscaling, restored faces."""
    said = _Settings(*read_settings(text.replace("\n", ", ")[:_MAX_EXTRAS]))
    models = _models(said, None)
    is_upscale = any(use.role is ModelKind.UPSCALER for use in models)
    relation = ParentRelation.UPSCALE if is_upscale else None
    return Recipe(tool="A1111", models=models, parent_relation=relation, params=said.rest())


class _Settings:
    """The settings of one line; `rest` is what nothing was taken from."""

    def __init__(self, settings: dict[str, str], repeated: dict[str, list[str]]) -> None:
        self._first = settings
        self._every = repeated
        self._taken: set[str] = set()
        self._is_plain = settings.keys() <= _PLAIN

    def peek(self, *keys: str) -> str | None:
        for key in keys:
            if key in self._first:
                return self._first[key]
        return None

    def take(self, *keys: str) -> str | None:
        """The value of the first of the keys that there is."""
        for key in keys:
            if key in self._first:
                self._taken.add(key)
                return self._first[key]
        return None

    def every(self, key: str) -> list[str]:
        return self._every.get(key, [])

    def __contains__(self, key: str) -> bool:
        return key in self._first

    def are_plain(self) -> bool:
        """Whether none of the settings names a model or an image that went in."""
        return self._is_plain

    def __iter__(self) -> Any:
        return iter(self._first.items())

    def rest(self) -> dict[str, Any]:
        """A key that stands there more than once has a list of all its values."""
        every, taken = self._every, self._taken
        return {
            key: value if len(every[key]) == 1 else every[key]
            for key, value in self._first.items()
            if key not in taken or len(every[key]) > 1
        }


def _recipe(prompt: str, negative: str, said: _Settings, tail: str) -> Recipe:
    version, tool = _writer(said)
    sampler, scheduler = _sampler(said, tool)
    model, model_hash = _model(said)
    width, height = _size(said.take("Size") or "")
    seed, steps = integer(said.take("Seed")), small_integer(said.take("Steps"))
    denoise = number(said.take("Denoising strength", "Denoising Strength", "Denoise"))
    is_plain = said.are_plain()
    relation, inputs = (None, ()) if is_plain else _inputs(said, denoise)
    fields: dict[str, Any] = {
        "tool": tool,
        "tool_version": version,
        "prompt": prompt,
        "negative_prompt": negative,
        "seed": seed,
        "steps": steps,
        "cfg_scale": number(said.take("CFG scale", "CFG Scale", "CFG", "Guidance scale")),
        "guidance": number(said.take("Distilled CFG Scale", "Distilled CFG scale", "Guidance")),
        "sampler": sampler,
        "scheduler": scheduler,
        "denoise": denoise,
        "clip_skip": small_integer(said.take("Clip skip", "Clip Skip", "CLIP skip")),
        "width": width,
        "height": height,
        "model": model,
        "model_hash": model_hash,
        "vae": _vae(said),
        "loras": loras_of(prompt, {}, {}) if is_plain else _loras(prompt, said),
        "parent": next((one.name or one.hash for one in inputs if one.role is InputRole.SOURCE), None),
        "parent_relation": relation,
        "inputs": inputs,
        "generation_time_ms": _seconds(said.peek("Time")),
        "created_ms": _moment(said.peek("Created Date", "Created date", "Date")),
    }
    fields["models"] = () if is_plain else _models(said, fields["vae"])
    fields["params"] = said.rest() | ({"After settings": tail} if tail else {})
    if tool == "stable-diffusion.cpp":
        fields |= _from_record(said.peek("SDCPP"), fields)
    return Recipe(**fields)


def _writer(said: _Settings) -> tuple[str | None, str]:
    """(version, tool), by what the line itself says."""
    app, version = said.take("App"), said.take("Version")
    if app:
        return version, app
    if "Civitai resources" in said or "Civitai metadata" in said:
        return version, "Civitai"
    text = version or ""
    if text[:1] == "v":
        return version, "A1111"
    for begin, tool in (
        ("FooocusPlus", "FooocusPlus"),
        ("SimpleSDXL", "SimpleSDXL"),
        ("Fooocus", "Fooocus"),
        ("ComfyUI", "ComfyUI"),
        ("stable-diffusion.cpp", "stable-diffusion.cpp"),
        ("KoboldCpp", "KoboldCpp"),
        ("SD.Next", "SD.Next"),
        ("StabilityMatrix", "StabilityMatrix"),
    ):
        if text.startswith(begin):
            return version, tool
    if _RE_FORGE.match(text):
        return version, "reForge"
    return version, "Forge" if _FORGE.match(text) else "A1111"


def _sampler(said: _Settings, tool: str) -> tuple[str | None, str | None]:
    """As written; only stable-diffusion.cpp writes method and schedule as two words of one value."""
    scheduler = said.take("Schedule type", "Scheduler")
    sampler = said.peek("Sampler")
    method, space, schedule = (sampler or "").partition(" ")
    if tool == "stable-diffusion.cpp" and space and scheduler is None:
        return method, schedule
    return said.take("Sampler") or None, scheduler or None


def _size(text: str) -> tuple[int | None, int | None]:
    match = _SIZE.fullmatch(text.strip())
    return (int(match[1]), int(match[2])) if match else (None, None)


def _seconds(text: str | None) -> int | None:
    match = _SECONDS.fullmatch(text or "")
    return round(float(match[1]) * 1000) if match else None


def _moment(text: str | None) -> int | None:
    """ISO 8601 with its zone, in milliseconds; more digits than Python reads are cut off."""
    if not text or len(text) > 40:
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    return round(moment.timestamp() * 1000) if moment.tzinfo else None


# -- models ---------------------------------------------------------------------------------------


def _hashes(said: _Settings) -> dict[str, str]:
    """ "kind:name" or "kind", in small letters before the colon, to the hash."""
    found = {}
    for key, value in (load_object(said.peek("Hashes") or "") or {}).items():
        if isinstance(value, str):
            kind, colon, name = key.partition(":")
            found[kind.lower() + colon + name] = value
    return found


def _model(said: _Settings) -> tuple[str | None, str | None]:
    if said.are_plain():
        return said.take("Model") or None, said.take("Model hash") or None
    hashes = _hashes(said)
    model = said.take("Model") or said.take("Unet", "Diffusion model", "UNet") or None
    model_hash = said.take("Model hash") or hashes.get("model")
    if model is None:
        model = next((key.partition(":")[2] for key in hashes if key.startswith("model:")), None)
    if model is None:
        model = next((name for kind, name, _ in _resources(said) if kind == "checkpoint"), None)
    return model, model_hash or None


def _resources(said: _Settings) -> list[tuple[str, str, float | None]]:
    """(kind, name, weight) of what Civitai says it used."""
    value = said.peek("Civitai resources") or ""
    listed = begins_with(value, 0) if value.startswith("[") else None
    entries = [one for one in listed[0] if isinstance(one, dict)] if listed else []
    return [
        (str(one.get("type")).lower(), one["modelName"], number(one.get("weight")))
        for one in entries
        if isinstance(one.get("modelName"), str)
    ]


def _vae(said: _Settings) -> str | None:
    vae = said.take("VAE")
    if vae or said.are_plain():
        return vae or None
    return next((value for key, value in said if _MODULE.fullmatch(key) and _VAE_NAME.search(value)), None)


def _loras(prompt: str, said: _Settings) -> tuple[LoraUse, ...]:
    hashes = read_pairs(said.peek("Lora hashes") or "")
    hashes |= {
        key.partition(":")[2]: value for key, value in _hashes(said).items() if key.startswith(("lora:", "lyco:"))
    }
    weights = {name: number(weight) for name, weight in read_pairs(said.peek("Lora weights") or "").items()}
    for kind, name, weight in _resources(said):
        if kind in ("lora", "locon", "lycoris", "dora"):
            weights.setdefault(name, weight)
    found = {use.name: use for use in loras_of(prompt, hashes, weights)}
    for key, value in said:
        if key.startswith("AddNet Model "):
            name, value_hash = _name_and_hash(value)
            number_of = key.removeprefix("AddNet Model ")
            strength = said.peek(f"AddNet Weight A {number_of}", f"AddNet Weight {number_of}")
            if name_of(name):
                found.setdefault(name, LoraUse(name, number(strength), value_hash))
    return tuple(found.values())


def _name_and_hash(text: str) -> tuple[str, str | None]:
    """ "name [hash]" and "name(hash)"."""
    match = _NAME_AND_HASH.fullmatch(text.strip()[:500])
    return (match[1], match[2]) if match else (text.strip(), None)


def _models(said: _Settings, vae: str | None) -> tuple[ModelUse, ...]:
    found: list[ModelUse] = []
    hashes = _hashes(said)
    vae_hash = said.peek("VAE hash") or hashes.get("vae")
    if vae_hash:
        found.append(ModelUse(ModelKind.VAE, vae, vae_hash))
    if name_of(said.peek("Refiner")):
        found.append(ModelUse(ModelKind.REFINER, *_name_and_hash(said.peek("Refiner") or "")))
    if name_of(said.peek("Hires checkpoint")) and said.peek("Hires checkpoint") != "Use same checkpoint":
        found.append(ModelUse(ModelKind.REFINER, *_name_and_hash(said.peek("Hires checkpoint") or "")))
    for key in ("Hires upscaler", "Postprocess upscaler", "Postprocess upscaler 2", "SD upscale upscaler", "Upscaler"):
        upscaler = name_of(said.peek(key))
        if upscaler and not upscaler.lower().startswith(_NO_UPSCALER):
            found.append(ModelUse(ModelKind.UPSCALER, upscaler))
    found += _embeddings(said, hashes)
    found += _encoders(said)
    found += _controlnets(said)
    return tuple(dict.fromkeys(found))


def _embeddings(said: _Settings, hashes: dict[str, str]) -> list[ModelUse]:
    named = read_pairs(said.peek("TI hashes") or "")
    named |= {key.partition(":")[2]: value for key, value in hashes.items() if key.startswith(("embed:", "ti:"))}
    for name in (said.peek("TI") or "").split(","):
        if name_of(name.strip()):
            named.setdefault(name.strip(), "")
    found = [ModelUse(ModelKind.EMBEDDING, name, value or None) for name, value in named.items()]
    names = {name.lower() for name in named}
    for kind, name, weight in _resources(said):
        if kind in ("embed", "embedding", "textualinversion") and name.lower() not in names:
            found.append(ModelUse(ModelKind.EMBEDDING, name, None, weight))
        elif kind == "upscaler":
            found.append(ModelUse(ModelKind.UPSCALER, name))
    return found


def _encoders(said: _Settings) -> list[ModelUse]:
    found = [ModelUse(ModelKind.TEXT_ENCODER, name) for name in said.every("TE") if name_of(name)]
    for key, value in said:
        if _MODULE.fullmatch(key) and name_of(value) and not _VAE_NAME.search(value):
            kind = ModelKind.TEXT_ENCODER if _ENCODER_NAME.search(value) else ModelKind.OTHER
            found.append(ModelUse(kind, value))
    return found


def _controlnets(said: _Settings) -> list[ModelUse]:
    found = []
    for key, value in said:
        legacy = _LEGACY_CONTROLNET.fullmatch(key)
        if legacy:
            name, weight = value, said.peek(f"{legacy[1]} Weight")
        elif _CONTROLNET.fullmatch(key):
            inner, _ = read_settings(value)
            name, weight = inner.get("Model", inner.get("model", "")), inner.get("Weight", inner.get("weight"))
        elif key == "Control model":
            # SD.Next: several are joined by semicolons.
            name, weight = value, said.peek("Control conditioning")
        else:
            continue
        names = [one for one in name.split(";") if name_of(one.strip())]
        found += [ModelUse(ModelKind.CONTROLNET, *_name_and_hash(one), number(weight)) for one in names]
    return found


# -- where it began -------------------------------------------------------------------------------


def _inputs(said: _Settings, denoise: float | None) -> tuple[ParentRelation | None, tuple[InputImage, ...]]:
    """A denoising strength alone is also what a second pass has."""
    found = []
    value = said.peek("Init image hash")
    if value:
        # A1111 writes the MD5 of the pixels; SD.Next the first 8 digits of their SHA-256.
        found.append(InputImage(InputRole.SOURCE, None, value, "pixels_md5" if len(value) == 32 else "pixels_sha256"))
    images = (load_object(said.peek("Civitai metadata") or "") or {}).get("images")
    urls = [one.get("url") for one in images if isinstance(one, dict)] if isinstance(images, list) else []
    found += [InputImage(InputRole.SOURCE, name.partition("?")[0]) for url in urls if (name := name_of(url))]
    is_inpaint = "Mask blur" in said or "Mask mode" in said or "Inpaint area" in said
    if not found and not (is_inpaint and denoise is not None):
        return None, ()
    return ParentRelation.INPAINT if is_inpaint else ParentRelation.IMG2IMG, tuple(found)


# -- stable-diffusion.cpp's own record --------------------------------------------------------------


def _from_record(record: str | None, fields: dict[str, Any]) -> dict[str, Any]:
    """What newer versions say once more, as JSON, and more exactly."""
    said = load_object(record or "")
    if said is None:
        return {}
    inner = {key: value if isinstance(value, dict) else {} for key, value in said.items()}
    sampling, generator = inner.get("sampling", {}), inner.get("generator", {})
    found: dict[str, Any] = {
        "tool_version": generator.get("version"),
        "sampler": name_of(sampling.get("method")),
        "scheduler": name_of(sampling.get("scheduler")),
        "loras": _record_loras(said.get("loras")) or None,
    }
    return {key: value for key, value in found.items() if isinstance(value, str | tuple)}


def _record_loras(listed: Any) -> tuple[LoraUse, ...]:
    found = []
    for one in listed if isinstance(listed, list) else ():
        name = one.get("name") or one.get("path") if isinstance(one, dict) else None
        if isinstance(name, str):
            found.append(LoraUse(name, number(one.get("multiplier"))))
    return tuple(found)
