"""Infotext: the text that A1111 invented and many write: prompt, negative prompt, one line of settings.

Source: the writers' own behaviour; the settings are `Key: value` joined by ", ", a value with a comma,
colon or line break being quoted as JSON. Scanned once from left to right: hostile text costs no more.
What the settings mean is in `a1111.py`.
"""

import json
import re

from mysticanvas.domain.generation import LoraUse, Recipe
from mysticanvas.formats.json_text import begins_with

NEGATIVE = "Negative prompt:"
MAX_SETTINGS = 100_000
_MAX_LORAS = 200
_JSON_BEGINS = ('"', "{", "[")
# What looks like JSON and is none costs as much as all that is before it.
_MAX_JSON_TRIES = 100

# Steps alone on a line are a label of another kind of text.
_SETTINGS_LINE = re.compile(r"^[ \t]*Steps: *\d+ *,", re.MULTILINE | re.ASCII)
# A line of settings may lack its steps; then it has to hold three others of these.
_OTHER_SETTINGS = re.compile(
    r"(?:^|, *)(?:Sampler|CFG scale|Seed|Size|Model hash|Model|Version|Schedule type|Clip skip|Denoising strength"
    r"|VAE|Pipeline|Operations|Parser): ?"
)
_NEXT_KEY = re.compile(r", *(?=[A-Za-z][^,:\n\"{}\[\]]{0,60}:(?: |,|$))")
_KEY = re.compile(r"\s*+([^:,\n]{1,80}): ?")
_LORA = re.compile(r"<(?:lora|lyco|locon|lora-block):([^:<>]{1,300})((?::[^:<>]{0,60}){0,6})>", re.IGNORECASE)
_NUMBER_ALONE = re.compile(r"-?\d[\d.]{0,40}(?=,)", re.ASCII)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?|-?\.\d+", re.ASCII)


def is_infotext(text: str) -> bool:
    return bool(_SETTINGS_LINE.search(text)) or _unusual_line(text) is not None


def split(text: str) -> tuple[str, str, str, str]:
    """(prompt, negative prompt, settings line, what follows it). The last line of settings counts.

    The writers leave the negative prompt out when it is empty.
    """
    begin = None
    for match in _SETTINGS_LINE.finditer(text):
        begin = match.start()
    if begin is None:
        begin = _unusual_line(text)
    if begin is None:
        begin = len(text)
    line, _, tail = text[begin:].partition("\n")
    head = text[:begin]
    if head.lstrip().startswith(NEGATIVE):
        return "", head.lstrip()[len(NEGATIVE) :].strip(), line, tail.strip()
    prompt, _, negative = head.partition("\n" + NEGATIVE)
    return prompt.strip(), negative.strip(), line, tail.strip()


def _unusual_line(text: str) -> int | None:
    """Where the last line begins, if it is one of settings without steps."""
    text = text.rstrip()
    begin = text.rfind("\n") + 1
    line = text[begin : begin + 4_000]
    first = _OTHER_SETTINGS.match(line)
    return begin if first and len(set(_OTHER_SETTINGS.findall(line))) >= 3 else None


def read_settings(line: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """(first value of each key, every value of each key)."""
    settings: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    at, tries = 0, _MAX_JSON_TRIES
    for _ in range(MAX_SETTINGS):
        key, value, at, was_json = _next_setting(line, at, may_be_json=tries > 0)
        if key is None:
            break
        tries -= was_json is False
        if key in settings:
            repeated[key].append(value)
        else:
            settings[key], repeated[key] = value, [value]
    return settings, repeated


def _next_setting(line: str, at: int, *, may_be_json: bool) -> tuple[str | None, str, int, bool | None]:
    """(key, value, where the next one begins, whether the value that looked like JSON was)."""
    match = _KEY.match(line, at)
    if match is None:
        # A bare flag, or nothing: go on behind the next comma.
        comma = line.find(",", at)
        word = line[at : comma if comma >= 0 else len(line)].strip()
        if comma < 0:
            return (word or None), word, len(line), None
        return word, word, comma + 1, None
    at, was_json = match.end(), None
    if may_be_json and line[at : at + 1] in _JSON_BEGINS:
        said = begins_with(line, at)
        was_json = said is not None and line[said[1] : said[1] + 1] in ("", ",", " ")
        if said is not None and was_json:
            decoded, end = said
            value = decoded if isinstance(decoded, str) else line[at:end]
    if not was_json:
        # A text may hold commas; a number ends at the first, and a flag without value may follow.
        further = _NUMBER_ALONE.match(line, at) or _NEXT_KEY.search(line, at)
        end = len(line) if further is None else further.end() if further.re is _NUMBER_ALONE else further.start()
        value = line[at:end].strip().rstrip(",")
    comma = line.find(",", end)
    return match[1].strip(), value, (comma + 1 if comma >= 0 else len(line)), was_json


def read_pairs(text: str) -> dict[str, str]:
    """The `name: value` pairs of a quoted setting; a name may hold colons, a value not."""
    pairs = {}
    for part in text.split(","):
        name, colon, value = part.rpartition(":")
        if colon and name.strip():
            pairs[name.strip()] = value.strip()
    return pairs


def loras_of(prompt: str, hashes: dict[str, str], weights: dict[str, float | None]) -> tuple[LoraUse, ...]:
    """Those named in the prompt with their weight, then those known by a hash or a weight alone."""
    found: dict[str, LoraUse] = {}
    for match in _LORA.finditer(prompt) if "<l" in prompt or "<L" in prompt else ():
        name = match[1].strip()
        if name and len(found) < _MAX_LORAS:
            found.setdefault(name, LoraUse(name, _weight(match[2]), hashes.get(name)))
    for name in (*hashes, *weights):
        if len(found) < _MAX_LORAS:
            found.setdefault(name, LoraUse(name, weights.get(name), hashes.get(name)))
    return tuple(found.values())


def _weight(arguments: str) -> float | None:
    """Of ":0.8", ":0.8:0.5" or ":te=0.5:unet=0.8"; without any it is 1."""
    words = arguments.split(":")[1:]
    named = next((word.partition("=")[2] for word in words if word.startswith("unet=")), None)
    word = named or (words[0] if words and "=" not in words[0] else "1")
    match = _NUMBER.match(word.strip() or "1")
    return float(match[0]) if match else None


def write_infotext(recipe: Recipe) -> str:
    """The recipe in A1111's form, for pasting into a generator that reads it."""
    size = f"{recipe.width}x{recipe.height}" if recipe.width and recipe.height else None
    version = recipe.tool_version or ("ComfyUI" if recipe.tool == "ComfyUI" else None)
    settings = {
        "Steps": recipe.steps,
        "Sampler": recipe.sampler,
        "Schedule type": recipe.scheduler,
        "CFG scale": recipe.cfg_scale,
        "Distilled CFG Scale": recipe.guidance,
        "Seed": recipe.seed,
        "Size": size,
        "Model hash": recipe.model_hash,
        "Model": recipe.model,
        "VAE": recipe.vae,
        "Denoising strength": recipe.denoise,
        "Clip skip": recipe.clip_skip,
    }
    extra = {key: value for key, value in recipe.params.items() if _is_setting(key, value) and key not in settings}
    app = {"App": recipe.tool} if recipe.tool == "SD.Next" else {}
    every = settings | extra | app | {"Version": version}
    line = ", ".join(f"{key}: {_written(value)}" for key, value in every.items() if value is not None)
    negative = f"{NEGATIVE} {recipe.negative_prompt}" if recipe.negative_prompt else ""
    return "\n".join(part for part in (recipe.prompt or "", negative, line) if part)


def _is_setting(key: str, value: object) -> bool:
    """What infotext can carry: a short text under a key that begins like one."""
    return isinstance(value, str) and len(value) < 4_000 and re.fullmatch(r"[A-Z][\w +-]{0,59}", key) is not None


def _written(value: object) -> str:
    text = repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
    is_plain = not re.search(r"[,:\n\r]", text) and text == text.strip() and text[:1] not in ('"', "{", "[")
    return text if is_plain and text else json.dumps(text, ensure_ascii=False)
