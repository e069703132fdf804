"""Maps the settings line of an infotext to a recipe, for every program that writes infotext.

Source: the source code and output of A1111, Forge, reForge, Forge Classic and Neo, SD.Next, Fooocus, Civitai,
stable-diffusion.cpp, and ComfyUI nodes that save infotext.
"""

import re
from datetime import datetime
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.generators.infotext import extract_loras, read_pairs, read_settings, split_infotext
from mysticanvas.formats.json_text import decode_at, load_object, to_int32, to_integer, to_name, to_number

_NAME_AND_HASH = re.compile(r"(.*?) *[\[(]([0-9A-Fa-f]{6,64})[\])]")
_CONTROLNET = re.compile(r"ControlNet(?:[ -]\d+)?(?: Model)?")
_LEGACY_CONTROLNET = re.compile(r"(ControlNet(?:[ -]\d+)?) Model")
# Forge lists additional modules by file name only, without their type.
_MODULE = re.compile(r"(?:Hires )?Module \d+")
_VAE_NAME = re.compile(r"(?:^|[-_ .])(?:vae|ae)(?:[-_ .]|\d|$)", re.IGNORECASE)
_ENCODER_NAME = re.compile(r"clip|t5|gemma|llama|qwen|encoder|mistral|byt5", re.IGNORECASE)
_SIZE = re.compile(r"(\d{1,6}) ?[x×] ?(\d{1,6})", re.ASCII)
_SECONDS = re.compile(r"(\d{1,7}(?:\.\d+)?) ?s(?:ec\.?|econds)?", re.ASCII)
_NO_UPSCALER = ("latent", "none", "lanczos", "nearest")
_RE_FORGE = re.compile(r"f\d[\d.]*(?:v\d+)?-v\d")
_FORGE = re.compile(r"f\d|classic|neo\b")


_MAX_EXTRAS = 20_000
# Settings that name no model and no input image. Most images have only these.
_COMMON_KEYS = frozenset(
    (
        *("Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model hash", "Model", "Clip skip"),
        *("Version", "Denoising strength", "Distilled CFG Scale", "RNG", "ENSD", "Eta", "NGMS", "VAE"),
        *("Hires upscale", "Hires steps", "Hires resize", "Face restoration", "Variation seed", "Template"),
        *("Variation seed strength", "Emphasis", "Pad conds", "Token merging ratio", "Hires CFG Scale"),
    )
)


def parse(text: str) -> Recipe:
    """Parse a whole infotext. Settings without a field in `Recipe` go to `params`, as text."""
    prompt, negative, line, tail = split_infotext(text.replace("\r\n", "\n").rstrip("\0\ufffd"))
    return _build_recipe(prompt, negative, _Settings(*read_settings(line)), tail)


def parse_extras(text: str) -> Recipe:
    """Parse the line that A1111's Extras tab writes: upscaling and face restoration of a finished image."""
    settings = _Settings(*read_settings(text.replace("\n", ", ")[:_MAX_EXTRAS]))
    models = _read_models(settings, None)
    is_upscale = any(use.role is ModelKind.UPSCALER for use in models)
    relation = ParentRelation.UPSCALE if is_upscale else None
    return Recipe(tool="A1111", models=models, parent_relation=relation, params=settings.unused())


class _Settings:
    """The settings of one line. `unused` returns those that `take` has not used."""

    def __init__(self, settings: dict[str, str], repeated: dict[str, list[str]]) -> None:
        self._first = settings
        self._every = repeated
        self._taken: set[str] = set()
        self._has_only_common_keys = settings.keys() <= _COMMON_KEYS

    def peek(self, *keys: str) -> str | None:
        for key in keys:
            if key in self._first:
                return self._first[key]
        return None

    def take(self, *keys: str) -> str | None:
        """The value of the first key that exists, which is then marked as used; None when none exists."""
        for key in keys:
            if key in self._first:
                self._taken.add(key)
                return self._first[key]
        return None

    def all_values(self, key: str) -> list[str]:
        return self._every.get(key, [])

    def __contains__(self, key: str) -> bool:
        return key in self._first

    def has_only_common_keys(self) -> bool:
        """Whether no setting names an additional model or an input image."""
        return self._has_only_common_keys

    def __iter__(self) -> Any:
        return iter(self._first.items())

    def unused(self) -> dict[str, Any]:
        """Unused settings, and every setting that occurs more than once, with a list of its values."""
        every, taken = self._every, self._taken
        return {
            key: value if len(every[key]) == 1 else every[key]
            for key, value in self._first.items()
            if key not in taken or len(every[key]) > 1
        }


def _build_recipe(prompt: str, negative: str, settings: _Settings, tail: str) -> Recipe:
    version, tool = _identify_tool(settings)
    sampler, scheduler = _read_sampler(settings, tool)
    model, model_hash = _read_model(settings)
    width, height = _parse_size(settings.take("Size") or "")
    seed, steps = to_integer(settings.take("Seed")), to_int32(settings.take("Steps"))
    denoise = to_number(settings.take("Denoising strength", "Denoising Strength", "Denoise"))
    is_simple = settings.has_only_common_keys()
    relation, inputs = (None, ()) if is_simple else _read_inputs(settings, denoise)
    fields: dict[str, Any] = {
        "tool": tool,
        "tool_version": version,
        "prompt": prompt,
        "negative_prompt": negative,
        "seed": seed,
        "steps": steps,
        "cfg_scale": to_number(settings.take("CFG scale", "CFG Scale", "CFG", "Guidance scale")),
        "guidance": to_number(settings.take("Distilled CFG Scale", "Distilled CFG scale", "Guidance")),
        "sampler": sampler,
        "scheduler": scheduler,
        "denoise": denoise,
        "clip_skip": to_int32(settings.take("Clip skip", "Clip Skip", "CLIP skip")),
        "width": width,
        "height": height,
        "model": model,
        "model_hash": model_hash,
        "vae": _read_vae(settings),
        "loras": extract_loras(prompt, {}, {}) if is_simple else _read_loras(prompt, settings),
        "parent": next((one.name or one.hash for one in inputs if one.role is InputRole.SOURCE), None),
        "parent_relation": relation,
        "inputs": inputs,
        "generation_time_ms": _parse_duration_ms(settings.peek("Time")),
        "created_ms": _parse_iso_time_ms(settings.peek("Created Date", "Created date", "Date")),
    }
    fields["models"] = () if is_simple else _read_models(settings, fields["vae"])
    fields["params"] = settings.unused() | ({"After settings": tail} if tail else {})
    if tool == "stable-diffusion.cpp":
        fields |= _read_sdcpp_record(settings.peek("SDCPP"), fields)
    return Recipe(**fields)


def _identify_tool(settings: _Settings) -> tuple[str | None, str]:
    """(version, tool), according to the settings line."""
    app, version = settings.take("App"), settings.take("Version")
    if app:
        return version, app
    if "Civitai resources" in settings or "Civitai metadata" in settings:
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


def _read_sampler(settings: _Settings, tool: str) -> tuple[str | None, str | None]:
    """(sampler, scheduler) as written. stable-diffusion.cpp alone writes both as two words of one value."""
    scheduler = settings.take("Schedule type", "Scheduler")
    sampler = settings.peek("Sampler")
    method, space, schedule = (sampler or "").partition(" ")
    if tool == "stable-diffusion.cpp" and space and scheduler is None:
        return method, schedule
    return settings.take("Sampler") or None, scheduler or None


def _parse_size(text: str) -> tuple[int | None, int | None]:
    match = _SIZE.fullmatch(text.strip())
    return (int(match[1]), int(match[2])) if match else (None, None)


def _parse_duration_ms(text: str | None) -> int | None:
    match = _SECONDS.fullmatch(text or "")
    return round(float(match[1]) * 1000) if match else None


def _parse_iso_time_ms(text: str | None) -> int | None:
    """Unix milliseconds of an ISO 8601 time; None without a time zone. Digits after microseconds are dropped."""
    if not text or len(text) > 40:
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    return round(moment.timestamp() * 1000) if moment.tzinfo else None


# -- models ---------------------------------------------------------------------------------------


def _read_hashes(settings: _Settings) -> dict[str, str]:
    """Map "kind:name" or "kind" to the hash; the kind is in lower case."""
    found = {}
    for key, value in (load_object(settings.peek("Hashes") or "") or {}).items():
        if isinstance(value, str):
            kind, colon, name = key.partition(":")
            found[kind.lower() + colon + name] = value
    return found


def _read_model(settings: _Settings) -> tuple[str | None, str | None]:
    if settings.has_only_common_keys():
        return settings.take("Model") or None, settings.take("Model hash") or None
    hashes = _read_hashes(settings)
    model = settings.take("Model") or settings.take("Unet", "Diffusion model", "UNet") or None
    model_hash = settings.take("Model hash") or hashes.get("model")
    if model is None:
        model = next((key.partition(":")[2] for key in hashes if key.startswith("model:")), None)
    if model is None:
        model = next((name for kind, name, _ in _read_resources(settings) if kind == "checkpoint"), None)
    return model, model_hash or None


def _read_resources(settings: _Settings) -> list[tuple[str, str, float | None]]:
    """(type in lower case, name, weight) of each entry of `Civitai resources`."""
    value = settings.peek("Civitai resources") or ""
    listed = decode_at(value, 0) if value.startswith("[") else None
    entries = [one for one in listed[0] if isinstance(one, dict)] if listed else []
    return [
        (str(one.get("type")).lower(), one["modelName"], to_number(one.get("weight")))
        for one in entries
        if isinstance(one.get("modelName"), str)
    ]


def _read_vae(settings: _Settings) -> str | None:
    vae = settings.take("VAE")
    if vae or settings.has_only_common_keys():
        return vae or None
    return next((value for key, value in settings if _MODULE.fullmatch(key) and _VAE_NAME.search(value)), None)


def _read_loras(prompt: str, settings: _Settings) -> tuple[LoraUse, ...]:
    hashes = read_pairs(settings.peek("Lora hashes") or "")
    hashes |= {
        key.partition(":")[2]: value
        for key, value in _read_hashes(settings).items()
        if key.startswith(("lora:", "lyco:"))
    }
    weights = {name: to_number(weight) for name, weight in read_pairs(settings.peek("Lora weights") or "").items()}
    for kind, name, weight in _read_resources(settings):
        if kind in ("lora", "locon", "lycoris", "dora"):
            weights.setdefault(name, weight)
    found = {use.name: use for use in extract_loras(prompt, hashes, weights)}
    for key, value in settings:
        if key.startswith("AddNet Model "):
            name, value_hash = _split_hash(value)
            number_of = key.removeprefix("AddNet Model ")
            strength = settings.peek(f"AddNet Weight A {number_of}", f"AddNet Weight {number_of}")
            if to_name(name):
                found.setdefault(name, LoraUse(name, to_number(strength), value_hash))
    return tuple(found.values())


def _split_hash(text: str) -> tuple[str, str | None]:
    """Split "name [hash]" and "name(hash)"; the hash is None when there is none."""
    match = _NAME_AND_HASH.fullmatch(text.strip()[:500])
    return (match[1], match[2]) if match else (text.strip(), None)


def _read_models(settings: _Settings, vae: str | None) -> tuple[ModelUse, ...]:
    found: list[ModelUse] = []
    hashes = _read_hashes(settings)
    vae_hash = settings.peek("VAE hash") or hashes.get("vae")
    if vae_hash:
        found.append(ModelUse(ModelKind.VAE, vae, vae_hash))
    if to_name(settings.peek("Refiner")):
        found.append(ModelUse(ModelKind.REFINER, *_split_hash(settings.peek("Refiner") or "")))
    if to_name(settings.peek("Hires checkpoint")) and settings.peek("Hires checkpoint") != "Use same checkpoint":
        found.append(ModelUse(ModelKind.REFINER, *_split_hash(settings.peek("Hires checkpoint") or "")))
    for key in ("Hires upscaler", "Postprocess upscaler", "Postprocess upscaler 2", "SD upscale upscaler", "Upscaler"):
        upscaler = to_name(settings.peek(key))
        if upscaler and not upscaler.lower().startswith(_NO_UPSCALER):
            found.append(ModelUse(ModelKind.UPSCALER, upscaler))
    found += _read_embeddings(settings, hashes)
    found += _read_text_encoders(settings)
    found += _read_controlnets(settings)
    return tuple(dict.fromkeys(found))


def _read_embeddings(settings: _Settings, hashes: dict[str, str]) -> list[ModelUse]:
    named = read_pairs(settings.peek("TI hashes") or "")
    named |= {key.partition(":")[2]: value for key, value in hashes.items() if key.startswith(("embed:", "ti:"))}
    for name in (settings.peek("TI") or "").split(","):
        if to_name(name.strip()):
            named.setdefault(name.strip(), "")
    found = [ModelUse(ModelKind.EMBEDDING, name, value or None) for name, value in named.items()]
    names = {name.lower() for name in named}
    for kind, name, weight in _read_resources(settings):
        if kind in ("embed", "embedding", "textualinversion") and name.lower() not in names:
            found.append(ModelUse(ModelKind.EMBEDDING, name, None, weight))
        elif kind == "upscaler":
            found.append(ModelUse(ModelKind.UPSCALER, name))
    return found


def _read_text_encoders(settings: _Settings) -> list[ModelUse]:
    found = [ModelUse(ModelKind.TEXT_ENCODER, name) for name in settings.all_values("TE") if to_name(name)]
    for key, value in settings:
        if _MODULE.fullmatch(key) and to_name(value) and not _VAE_NAME.search(value):
            kind = ModelKind.TEXT_ENCODER if _ENCODER_NAME.search(value) else ModelKind.OTHER
            found.append(ModelUse(kind, value))
    return found


def _read_controlnets(settings: _Settings) -> list[ModelUse]:
    found = []
    for key, value in settings:
        legacy = _LEGACY_CONTROLNET.fullmatch(key)
        if legacy:
            name, weight = value, settings.peek(f"{legacy[1]} Weight")
        elif _CONTROLNET.fullmatch(key):
            inner, _ = read_settings(value)
            name, weight = inner.get("Model", inner.get("model", "")), inner.get("Weight", inner.get("weight"))
        elif key == "Control model":
            # SD.Next joins several models with semicolons.
            name, weight = value, settings.peek("Control conditioning")
        else:
            continue
        names = [one for one in name.split(";") if to_name(one.strip())]
        found += [ModelUse(ModelKind.CONTROLNET, *_split_hash(one), to_number(weight)) for one in names]
    return found


# -- input images ---------------------------------------------------------------------------------


def _read_inputs(settings: _Settings, denoise: float | None) -> tuple[ParentRelation | None, tuple[InputImage, ...]]:
    """The relation to the source image, and the input images.

    A denoising strength alone proves nothing: a hires pass has one, too.
    """
    found = []
    value = settings.peek("Init image hash")
    if value:
        # A1111 writes the MD5 of the pixels, SD.Next the first 8 digits of their SHA-256.
        found.append(InputImage(InputRole.SOURCE, None, value, "pixels_md5" if len(value) == 32 else "pixels_sha256"))
    images = (load_object(settings.peek("Civitai metadata") or "") or {}).get("images")
    urls = [one.get("url") for one in images if isinstance(one, dict)] if isinstance(images, list) else []
    found += [InputImage(InputRole.SOURCE, name.partition("?")[0]) for url in urls if (name := to_name(url))]
    is_inpaint = "Mask blur" in settings or "Mask mode" in settings or "Inpaint area" in settings
    if not found and not (is_inpaint and denoise is not None):
        return None, ()
    return ParentRelation.INPAINT if is_inpaint else ParentRelation.IMG2IMG, tuple(found)


# -- stable-diffusion.cpp's own record --------------------------------------------------------------


def _read_sdcpp_record(record: str | None, fields: dict[str, Any]) -> dict[str, Any]:
    """Fields from the JSON that newer versions add, which is more exact than the settings line."""
    settings = load_object(record or "")
    if settings is None:
        return {}
    inner = {key: value if isinstance(value, dict) else {} for key, value in settings.items()}
    sampling, generator = inner.get("sampling", {}), inner.get("generator", {})
    found: dict[str, Any] = {
        "tool_version": generator.get("version"),
        "sampler": to_name(sampling.get("method")),
        "scheduler": to_name(sampling.get("scheduler")),
        "loras": _read_record_loras(settings.get("loras")) or None,
    }
    return {key: value for key, value in found.items() if isinstance(value, str | tuple)}


def _read_record_loras(listed: Any) -> tuple[LoraUse, ...]:
    found = []
    for one in listed if isinstance(listed, list) else ():
        name = one.get("name") or one.get("path") if isinstance(one, dict) else None
        if isinstance(name, str):
            found.append(LoraUse(name, to_number(one.get("multiplier"))))
    return tuple(found)
