"""C2PA manifests: who made an image, and whether it says that a model did. Nothing is verified.

Source: C2PA technical specification 2.2, sections 11 (manifests as JUMBF) and 18 (assertions): claims
and actions are CBOR, whose texts stand in the bytes as they are, behind their length. A manifest never
holds a prompt or a seed.
"""

import json
import re

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.json_text import load_object, string

MAX_MANIFEST_BYTES = 4 * 1024 * 1024
_MAX_FOUND = 50
_SOURCE_TYPE = re.compile(rb"digitalsourcetype/([A-Za-z]{3,60})")
# A CBOR map key and the text that follows it: "name", "softwareAgent" and so on.
_TEXT_AFTER = re.compile(
    rb"(?:\x64name|\x6dsoftwareAgent|\x6fclaim_generator|\x6bdescription)"
    rb"([\x60-\x77]|\x78[\x00-\xff]|\x79[\x00-\xff]{2})",
    re.DOTALL,
)
_AI_TYPES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")
# Whom the texts of a manifest, or a credit line, name.
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


def summary(manifest: bytes) -> str:
    """What the manifest says, as JSON: `digital_source_types` in order, and `names`, those first that
    stand nearest to a source type of a model; each once."""
    manifest = manifest[:MAX_MANIFEST_BYTES]
    kinds: dict[str, None] = {}
    places = []
    for match in _bounded(_SOURCE_TYPE, manifest):
        # The letters of the next CBOR key can follow without a gap.
        word = match[1].decode()
        kind = next((one for one in _ALL_TYPES if word.startswith(one)), word)
        kinds[kind] = None
        places += [match.start()] if kind in _AI_TYPES else []
    named = [
        (match.start(), text) for match in _bounded(_TEXT_AFTER, manifest) if (text := _cbor_text(manifest, match))
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


def _bounded(pattern: re.Pattern[bytes], content: bytes) -> list[re.Match[bytes]]:
    found = []
    for match in pattern.finditer(content):
        found.append(match)
        if len(found) == _MAX_FOUND:
            break
    return found


def _cbor_text(manifest: bytes, match: re.Match[bytes]) -> str | None:
    head = match[1]
    length = head[0] - 0x60 if len(head) == 1 else int.from_bytes(head[1:], "big")
    content = manifest[match.end() : match.end() + min(length, 300)]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and text else None


def parse(summarised: str) -> Recipe | None:
    """None for a manifest of a camera or an editor: it names no model as the maker."""
    said = load_object(summarised) or {}
    types = [kind for kind in said.get("digital_source_types") or [] if isinstance(kind, str)]
    names = [name for name in said.get("names") or [] if isinstance(name, str)]
    if not any(kind in _AI_TYPES for kind in types):
        return None
    params = {"digital_source_types": types, "c2pa_names": names}
    return Recipe(tool=_maker(names), params=params)


def parse_xmp(said: dict[str, str]) -> Recipe | None:
    """The same said in XMP: IPTC's digital source type, and a credit line that names the maker."""
    kind = (string(said.get("DigitalSourceType")) or "").rpartition("/")[2]
    if kind not in _AI_TYPES:
        return None
    credit = [text for key in ("Credit", "CreatorTool") if (text := said.get(key))]
    # Midjourney gives every image a number of its own, and no credit.
    tool = _maker(credit) or ("Midjourney" if "DigImageGUID" in said and not credit else None)
    return Recipe(tool=tool, params={"digital_source_types": [kind], "credit": credit})


def _maker(names: list[str]) -> str | None:
    """The maker of models that the first of the names speaks of; None when none does."""
    for name in names:
        lowered = name.lower()
        maker = next((maker for word, maker in _MAKERS if word in lowered), None)
        if maker is not None:
            return maker
    return None
