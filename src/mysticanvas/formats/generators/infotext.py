"""Infotext, the format introduced by A1111: prompt, negative prompt and one line of settings.

Source: the output of the programs that write it. Settings are `Key: value`, joined by ", "; values with a comma,
colon or line break are quoted as JSON. One pass from left to right keeps malicious text linear. `a1111.py`
interprets the settings.
"""

import json
import re

from mysticanvas.domain.generation import LoraUse, Recipe
from mysticanvas.formats.json_text import decode_at

NEGATIVE = "Negative prompt:"
MAX_SETTINGS = 100_000
_MAX_LORAS = 200
_JSON_STARTS = ('"', "{", "[")
# A value that looks like JSON but is not can cost a scan of the whole line.
_MAX_JSON_TRIES = 100

# A line with only `Steps` belongs to another format.
_SETTINGS_LINE = re.compile(r"^[ \t]*Steps: *\d+ *,", re.MULTILINE | re.ASCII)
# A settings line without steps must contain three of these settings.
_OTHER_SETTINGS = re.compile(
    r"(?:^|, *)(?:Sampler|CFG scale|Seed|Size|Model hash|Model|Version|Schedule type|Clip skip|Denoising strength"
    r"|VAE|Pipeline|Operations|Parser): ?"
)
_NEXT_KEY = re.compile(r", *(?=[A-Za-z][^,:\n\"{}\[\]]{0,60}:(?: |,|$))")
_KEY = re.compile(r"\s*+([^:,\n]{1,80}): ?")
_LORA = re.compile(r"<(?:lora|lyco|locon|lora-block):([^:<>]{1,300})((?::[^:<>]{0,60}){0,6})>", re.IGNORECASE)
_BARE_NUMBER = re.compile(r"-?\d[\d.]{0,40}(?=,)", re.ASCII)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?|-?\.\d+", re.ASCII)


def is_infotext(text: str) -> bool:
    return bool(_SETTINGS_LINE.search(text)) or _find_settings_without_steps(text) is not None


def split_infotext(text: str) -> tuple[str, str, str, str]:
    """(prompt, negative prompt, settings line, text after it). With several settings lines, the last one counts.

    An omitted negative prompt is "", since the programs omit it when it is empty.
    """
    begin = None
    for match in _SETTINGS_LINE.finditer(text):
        begin = match.start()
    if begin is None:
        begin = _find_settings_without_steps(text)
    if begin is None:
        begin = len(text)
    line, _, tail = text[begin:].partition("\n")
    head = text[:begin]
    if head.lstrip().startswith(NEGATIVE):
        return "", head.lstrip()[len(NEGATIVE) :].strip(), line, tail.strip()
    prompt, _, negative = head.partition("\n" + NEGATIVE)
    return prompt.strip(), negative.strip(), line, tail.strip()


def _find_settings_without_steps(text: str) -> int | None:
    """The offset of the last line if it contains settings without steps, else None."""
    text = text.rstrip()
    begin = text.rfind("\n") + 1
    line = text[begin : begin + 4_000]
    first = _OTHER_SETTINGS.match(line)
    return begin if first and len(set(_OTHER_SETTINGS.findall(line))) >= 3 else None


def read_settings(line: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """(first value of each key, all values of each key)."""
    settings: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    at, tries = 0, _MAX_JSON_TRIES
    for _ in range(MAX_SETTINGS):
        key, value, at, was_json = _read_setting(line, at, may_be_json=tries > 0)
        if key is None:
            break
        tries -= was_json is False
        if key in settings:
            repeated[key].append(value)
        else:
            settings[key], repeated[key] = value, [value]
    return settings, repeated


def _read_setting(line: str, at: int, *, may_be_json: bool) -> tuple[str | None, str, int, bool | None]:
    """(key, value, offset of the next setting, whether a value that looked like JSON was JSON).

    The key is None at the end; the last item is None when the value did not look like JSON.
    """
    match = _KEY.match(line, at)
    if match is None:
        # A flag without a value, or nothing: continue after the next comma.
        comma = line.find(",", at)
        word = line[at : comma if comma >= 0 else len(line)].strip()
        if comma < 0:
            return (word or None), word, len(line), None
        return word, word, comma + 1, None
    at, was_json = match.end(), None
    if may_be_json and line[at : at + 1] in _JSON_STARTS:
        decoded_value = decode_at(line, at)
        was_json = decoded_value is not None and line[decoded_value[1] : decoded_value[1] + 1] in ("", ",", " ")
        if decoded_value is not None and was_json:
            decoded, end = decoded_value
            value = decoded if isinstance(decoded, str) else line[at:end]
    if not was_json:
        # A text may contain commas. A number ends at the first comma, since a flag without a value may follow.
        further = _BARE_NUMBER.match(line, at) or _NEXT_KEY.search(line, at)
        end = len(line) if further is None else further.end() if further.re is _BARE_NUMBER else further.start()
        value = line[at:end].strip().rstrip(",")
    comma = line.find(",", end)
    return match[1].strip(), value, (comma + 1 if comma >= 0 else len(line)), was_json


def read_pairs(text: str) -> dict[str, str]:
    """The `name: value` pairs of a quoted setting. A name may contain colons, a value may not."""
    pairs = {}
    for part in text.split(","):
        name, colon, value = part.rpartition(":")
        if colon and name.strip():
            pairs[name.strip()] = value.strip()
    return pairs


def extract_loras(prompt: str, hashes: dict[str, str], weights: dict[str, float | None]) -> tuple[LoraUse, ...]:
    """LoRAs in the prompt with their weights, then those that occur only in `hashes` or `weights`."""
    found: dict[str, LoraUse] = {}
    for match in _LORA.finditer(prompt) if "<l" in prompt or "<L" in prompt else ():
        name = match[1].strip()
        if name and len(found) < _MAX_LORAS:
            found.setdefault(name, LoraUse(name, _parse_weight(match[2]), hashes.get(name)))
    for name in (*hashes, *weights):
        if len(found) < _MAX_LORAS:
            found.setdefault(name, LoraUse(name, weights.get(name), hashes.get(name)))
    return tuple(found.values())


def _parse_weight(arguments: str) -> float | None:
    """The weight in ":0.8", ":0.8:0.5" or ":te=0.5:unet=0.8"; 1 when there is none, None when it is not a number."""
    words = arguments.split(":")[1:]
    named = next((word.partition("=")[2] for word in words if word.startswith("unet=")), None)
    word = named or (words[0] if words and "=" not in words[0] else "1")
    match = _NUMBER.match(word.strip() or "1")
    return float(match[0]) if match else None


def write_infotext(recipe: Recipe) -> str:
    """The recipe as infotext, to paste into a generator."""
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
    line = ", ".join(f"{key}: {_format_value(value)}" for key, value in every.items() if value is not None)
    negative = f"{NEGATIVE} {recipe.negative_prompt}" if recipe.negative_prompt else ""
    return "\n".join(part for part in (recipe.prompt or "", negative, line) if part)


def _is_setting(key: str, value: object) -> bool:
    """Whether infotext can contain this: a short text under a key in infotext style."""
    return isinstance(value, str) and len(value) < 4_000 and re.fullmatch(r"[A-Z][\w +-]{0,59}", key) is not None


def _format_value(value: object) -> str:
    text = repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
    is_plain = not re.search(r"[,:\n\r]", text) and text == text.strip() and text[:1] not in ('"', "{", "[")
    return text if is_plain and text else json.dumps(text, ensure_ascii=False)
