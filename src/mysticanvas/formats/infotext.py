"""Infotext: the text that A1111 invented and many write: prompt, negative prompt, one line of settings.

Source: the writers' own behaviour; the settings are `Key: value` joined by ", ", a value with a comma,
colon or line break being quoted as JSON. Scanned once from left to right: hostile text costs no more.
"""

import json
import re
from typing import Any

from mysticanvas.domain.generation import LoraUse, ParentRelation, Recipe
from mysticanvas.formats.json_text import integer, number, small_integer

NEGATIVE = "Negative prompt:"
MAX_SETTINGS = 100_000
# Longer quoted values are scanned no further for their end.
MAX_QUOTED = 1_000_000

_SETTINGS_LINE = re.compile(r"^[ \t]*Steps: *\d+", re.MULTILINE | re.ASCII)
_NEXT_KEY = re.compile(r", *(?=[A-Za-z][^,:\n\"{}\[\]]{0,60}: ?)")
_KEY = re.compile(r"\s*([^:,\n]{1,80}): ?")
_LORA = re.compile(r"<(?:lora|lyco|locon):([^:<>]{1,300})(?::([^<>]{0,60}))?>", re.IGNORECASE)
_SCHEDULES = ("Karras", "Exponential", "SGM Uniform", "Polyexponential")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)


def is_infotext(text: str) -> bool:
    return bool(_SETTINGS_LINE.search(text))


def parse(text: str) -> Recipe:
    """Every setting that has no field of its own goes to `params`, as text."""
    text = text.replace("\r\n", "\n")
    prompt, negative, line, tail = split(text)
    settings, repeated = read_settings(line)
    recipe = _recipe(prompt, negative, dict(settings), tail)
    recipe.params.update({key: values for key, values in repeated.items() if len(values) > 1})
    return recipe


def split(text: str) -> tuple[str, str | None, str, str]:
    """(prompt, negative prompt, settings line, what follows it). The last line of settings counts."""
    begin = None
    for match in _SETTINGS_LINE.finditer(text):
        begin = match.start()
    if begin is None:
        begin = len(text)
    line, _, tail = text[begin:].partition("\n")
    head = text[:begin]
    if head.startswith(NEGATIVE):
        return "", head[len(NEGATIVE) :].strip(), line, tail.strip()
    prompt, found, negative = head.partition("\n" + NEGATIVE)
    return prompt.strip(), negative.strip() if found else None, line, tail.strip()


def read_settings(line: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """(first value of each key, every value of each key)."""
    settings: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    at = 0
    for _ in range(MAX_SETTINGS):
        key, value, at = _next_setting(line, at)
        if key is None:
            break
        settings.setdefault(key, value)
        repeated.setdefault(key, []).append(value)
    return settings, repeated


def _next_setting(line: str, at: int) -> tuple[str | None, str, int]:
    match = _KEY.match(line, at)
    if match is None:
        # A bare flag, or nothing: go on behind the next comma.
        comma = line.find(",", at)
        word = line[at : comma if comma >= 0 else len(line)].strip()
        if comma < 0:
            return (word, word, len(line)) if word else (None, "", at)
        return word, word, comma + 1
    key, at = match[1].strip(), match.end()
    value, end = _value(line, at)
    comma = line.find(",", end)
    return key, value, comma + 1 if comma >= 0 else len(line)


def _value(line: str, at: int) -> tuple[str, int]:
    if line[at : at + 1] in ('"', "{", "["):
        try:
            decoded, end = json.JSONDecoder().raw_decode(line[at : at + MAX_QUOTED])
        except (ValueError, RecursionError):
            pass
        else:
            quoted = decoded if isinstance(decoded, str) else line[at : at + end]
            return quoted, at + end
    match = _NEXT_KEY.search(line, at)
    end = match.start() if match else len(line)
    return line[at:end].strip().rstrip(","), end


def _recipe(prompt: str, negative: str | None, settings: dict[str, str], tail: str) -> Recipe:
    take = settings.pop
    version, app = take("Version", None), take("App", None)
    width, height = _size(take("Size", ""))
    sampler, scheduler = _sampler(take("Sampler", None), take("Schedule type", None) or take("Scheduler", None))
    model, model_hash = take("Model", None), take("Model hash", None)
    hashes = _hashes(settings.get("Lora hashes"), settings.get("Hashes"))
    is_hires = any(key.startswith("Hires") for key in settings)
    denoise = number(take("Denoising strength", None))
    params: dict[str, Any] = dict(settings)
    if tail:
        params["After settings"] = tail
    from_image = denoise is not None and not is_hires and ("Mask blur" in settings or "Init image hash" in settings)
    return Recipe(
        tool=_tool(version, app, settings),
        tool_version=version,
        prompt=prompt,
        negative_prompt=negative,
        seed=integer(take("Seed", None)),
        steps=small_integer(take("Steps", None)),
        cfg_scale=number(take("CFG scale", None)),
        guidance=number(settings.get("Distilled CFG Scale", settings.get("Guidance"))),
        sampler=sampler,
        scheduler=scheduler,
        denoise=denoise,
        clip_skip=small_integer(take("Clip skip", None)),
        width=width,
        height=height,
        model=model,
        model_hash=model_hash,
        vae=settings.get("VAE"),
        loras=loras_of(prompt, hashes),
        parent=settings.get("Init image hash"),
        parent_relation=ParentRelation.INPAINT
        if from_image and "Mask blur" in settings
        else ParentRelation.IMG2IMG
        if from_image
        else None,
        generation_time_ms=_seconds(settings.get("Time")),
        params={k: v for k, v in params.items() if k not in _FIELDS},
    )


_FIELDS = frozenset(("Steps", "CFG scale", "Seed", "Clip skip", "Size", "Sampler", "Model", "Model hash", "Version"))


def _seconds(text: str | None) -> int | None:
    match = re.fullmatch(r"(\d{1,7}(?:\.\d+)?)s", text or "", re.ASCII)
    return round(float(match[1]) * 1000) if match else None


def _size(text: str) -> tuple[int | None, int | None]:
    match = re.fullmatch(r"(\d{1,6})x(\d{1,6})", text.strip(), re.ASCII)
    return (int(match[1]), int(match[2])) if match else (None, None)


def _sampler(sampler: str | None, scheduler: str | None) -> tuple[str | None, str | None]:
    """Older versions wrote the schedule behind the sampler's name."""
    if sampler and not scheduler:
        for schedule in _SCHEDULES:
            if sampler.endswith(" " + schedule):
                return sampler.removesuffix(" " + schedule), schedule
    return sampler, scheduler


def _hashes(lora_hashes: str | None, hashes: str | None) -> dict[str, str]:
    found = {}
    for pair in (lora_hashes or "").split(","):
        name, colon, value = pair.rpartition(":")
        if colon and name.strip():
            found[name.strip()] = value.strip()
    if hashes and hashes.startswith("{"):
        try:
            values = json.loads(hashes)
        except (ValueError, RecursionError):
            values = {}
        for name, value in values.items() if isinstance(values, dict) else ():
            kind, colon, lora = name.partition(":")
            if colon and kind.lower() == "lora" and isinstance(value, str):
                found.setdefault(lora, value)
    return found


def loras_of(prompt: str, hashes: dict[str, str]) -> tuple[LoraUse, ...]:
    """Those named in the prompt with their weight, then those known by a hash alone."""
    found: dict[str, LoraUse] = {}
    for match in _LORA.finditer(prompt):
        name = match[1].strip()
        weight = _NUMBER.match(match[2] or "1")
        found.setdefault(name, LoraUse(name, float(weight[0]) if weight else None, hashes.get(name)))
    for name, value in hashes.items():
        found.setdefault(name, LoraUse(name, None, value))
    return tuple(found.values())


def _tool(version: str | None, app: str | None, settings: dict[str, str]) -> str:
    if app:
        return app
    version = version or ""
    if "Civitai resources" in settings:
        return "Civitai"
    if version.startswith("Fooocus"):
        return "Fooocus"
    if version.startswith("ComfyUI"):
        return "ComfyUI"
    if version == "stable-diffusion.cpp":
        return version
    if re.match(r"f\d+\.\d+\.\d+v\d+-v1", version):
        return "reForge"
    if re.match(r"f\d|classic|neo", version):
        return "Forge"
    return "A1111"


def write_infotext(recipe: Recipe) -> str:
    """The settings in A1111's form, for pasting into a generator that reads it."""
    size = f"{recipe.width}x{recipe.height}" if recipe.width and recipe.height else None
    settings = {
        "Steps": recipe.steps,
        "Sampler": recipe.sampler,
        "Schedule type": recipe.scheduler,
        "CFG scale": recipe.cfg_scale,
        "Seed": recipe.seed,
        "Size": size,
        "Model hash": recipe.model_hash,
        "Model": recipe.model,
        "VAE": recipe.vae,
        "Denoising strength": recipe.denoise,
        "Clip skip": recipe.clip_skip,
        "Version": recipe.tool_version,
    }
    line = ", ".join(f"{key}: {_written(value)}" for key, value in settings.items() if value is not None)
    negative = f"{NEGATIVE} {recipe.negative_prompt}" if recipe.negative_prompt else ""
    return "\n".join(part for part in (recipe.prompt or "", negative, line) if part)


def _written(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r"[,:\n]", text) else text
