"""C2PA manifests: who made an image, and whether an AI model generated it. Signatures are not verified.

Source: C2PA technical specification 2.2, sections 11 (manifests as JUMBF) and 18 (assertions). Claims and
actions are CBOR, which stores each text as its length followed by plain UTF-8, so a regular expression finds
them. A manifest never contains a prompt or a seed.
"""

import json
import re

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.json_text import load_object, to_string

MAX_MANIFEST_BYTES = 4 * 1024 * 1024
_MAX_FOUND = 50
_SOURCE_TYPE = re.compile(rb"digitalsourcetype/([A-Za-z]{3,60})")
# A CBOR map key ("name", "softwareAgent" …) and the length of the text that follows it.
_TEXT_AFTER = re.compile(
    rb"(?:\x64name|\x6dsoftwareAgent|\x6fclaim_generator|\x6bdescription)"
    rb"([\x60-\x77]|\x78[\x00-\xff]|\x79[\x00-\xff]{2})",
    re.DOTALL,
)
_AI_TYPES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")
# Word in a manifest or credit line, and the maker it identifies.
_MAKERS = (
    ("firefly", "Adobe Firefly"),
    ("adobe", "Adobe Firefly"),
    ("openai", "OpenAI"),
    ("chatgpt", "OpenAI"),
    ("gpt-", "OpenAI"),
    ("dall", "OpenAI"),
    ("sora", "OpenAI"),
    ("google", "Google"),
    ("imagen", "Google"),
    ("gemini", "Google"),
    ("bing", "Microsoft"),
    ("microsoft", "Microsoft"),
    ("midjourney", "Midjourney"),
    ("stability", "Stability AI"),
    ("black forest", "Black Forest Labs"),
    ("bfl", "Black Forest Labs"),
    ("leonardo", "Leonardo.Ai"),
    ("bytedance", "ByteDance"),
    ("seedream", "ByteDance"),
    ("xai", "xAI"),
    ("grok", "xAI"),
    ("comfyui", "ComfyUI"),
    ("ideogram", "Ideogram"),
    ("canva", "Canva"),
    ("meta ai", "Meta AI"),
)


def summarize(manifest: bytes) -> str:
    """A JSON summary of the manifest: `digital_source_types` in order, and `names` without duplicates.

    The names nearest to a source type that means "AI model" come first.
    """
    manifest = manifest[:MAX_MANIFEST_BYTES]
    kinds: dict[str, None] = {}
    places = []
    for match in _find_matches(_SOURCE_TYPE, manifest):
        # The next CBOR key can follow directly, and its letters match, too.
        word = match[1].decode()
        kind = next((one for one in _ALL_TYPES if word.startswith(one)), word)
        kinds[kind] = None
        places += [match.start()] if kind in _AI_TYPES else []
    named = [
        (match.start(), text)
        for match in _find_matches(_TEXT_AFTER, manifest)
        if (text := _read_cbor_text(manifest, match))
    ]
    named.sort(key=lambda one: min((abs(one[0] - place) for place in places), default=0))
    return json.dumps({"digital_source_types": list(kinds), "names": list(dict.fromkeys(text for _, text in named))})


_ALL_TYPES = (
    *_AI_TYPES,
    "algorithmicallyEnhanced",
    "compositeSynthetic",
    "algorithmicMedia",
    "digitalCapture",
    "computationalCapture",
    "digitalArt",
    "digitalCreation",
    "humanEdits",
    "minorHumanEdits",
    "composite",
    "virtualRecording",
    "dataDrivenMedia",
    "screenCapture",
    "negativeFilm",
    "positiveFilm",
    "print",
)


def _find_matches(pattern: re.Pattern[bytes], content: bytes) -> list[re.Match[bytes]]:
    found = []
    for match in pattern.finditer(content):
        found.append(match)
        if len(found) == _MAX_FOUND:
            break
    return found


def _read_cbor_text(manifest: bytes, match: re.Match[bytes]) -> str | None:
    head = match[1]
    length = head[0] - 0x60 if len(head) == 1 else int.from_bytes(head[1:], "big")
    content = manifest[match.end() : match.end() + min(length, 300)]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and text else None


def parse(summary_text: str) -> Recipe | None:
    """The recipe for a summary; None when the manifest, such as one of a camera, does not name an AI model."""
    data = load_object(summary_text) or {}
    types = [kind for kind in data.get("digital_source_types") or [] if isinstance(kind, str)]
    names = [name for name in data.get("names") or [] if isinstance(name, str)]
    if not any(kind in _AI_TYPES for kind in types):
        return None
    params = {"digital_source_types": types, "c2pa_names": names}
    return Recipe(tool=_identify_maker(names), params=params)


def parse_xmp(properties: dict[str, str]) -> Recipe | None:
    """The same from XMP: IPTC's digital source type, and a credit line that names the maker."""
    kind = (to_string(properties.get("DigitalSourceType")) or "").rpartition("/")[2]
    if kind not in _AI_TYPES:
        return None
    credit = [text for key in ("Credit", "CreatorTool") if (text := properties.get(key))]
    # Midjourney writes a GUID and no credit line.
    tool = _identify_maker(credit) or ("Midjourney" if "DigImageGUID" in properties and not credit else None)
    return Recipe(tool=tool, params={"digital_source_types": [kind], "credit": credit})


def _identify_maker(names: list[str]) -> str | None:
    """The maker identified by the first name that identifies one; None when none does."""
    for name in names:
        lowered = name.lower()
        maker = next((maker for word, maker in _MAKERS if word in lowered), None)
        if maker is not None:
            return maker
    return None
