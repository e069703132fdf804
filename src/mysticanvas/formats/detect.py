"""Entry point to the parsers: detects the generator by the content of the metadata, never by `Software` alone.

To add a parser, append it to `_PARSERS` in order of precedence; a parser of one JSON object goes to `_OBJECTS`.
Every parser returns None for texts in another format.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from mysticanvas.domain.file import ImageFormat, ImageHead, TextEntry
from mysticanvas.domain.generation import InputImage, LoraUse, Recipe
from mysticanvas.domain.model import ModelUse
from mysticanvas.domain.text import clean_text
from mysticanvas.formats.comfyui import parse as comfyui_parse
from mysticanvas.formats.containers import c2pa, xmp
from mysticanvas.formats.generators import (
    a1111,
    civitai,
    diffusionbee,
    drawthings,
    easydiffusion,
    fastsdcpu,
    fooocus,
    hf_space,
    infotext,
    invokeai,
    key_values,
    koboldcpp,
    kohya,
    midjourney,
    mochi,
    novelai,
    ruinedfooocus,
    swarmui,
    tensorart,
)
from mysticanvas.formats.json_text import load_object
from mysticanvas.formats.sidecars import read as sidecar_read

log = logging.getLogger(__name__)

PARSER_VERSION = 3

Texts = dict[str, str]


def read_recipe(head: ImageHead, *, file_name: str, sidecars: Sequence[TextEntry] = ()) -> Recipe:
    """The recipe of an image; an empty one when there is no generation data. Embedded metadata wins over sidecars.

    Never raises; `problems` describes what could not be read.
    """
    try:
        embedded = _parse_embedded(map_texts(head.texts), file_name) if head.texts else None
        beside = _parse_sidecars(sidecars, file_name) if sidecars else None
        if embedded is not None and any(map(_may_need_cleaning, head.texts)):
            embedded = _clean_recipe(embedded)
        if beside is not None:
            beside = _clean_recipe(beside)
    except Exception:
        # A parser bug must not lose the image. Its texts are stored and can be parsed again later.
        log.exception("failed to parse metadata", extra={"file": file_name})
        return Recipe(problems=("The metadata could not be read. It is stored unchanged.",))
    if embedded is None or (_is_uninformative(embedded) and beside is not None and not _is_uninformative(beside)):
        return beside or Recipe()
    if beside is not None and beside.seed is not None and embedded.seed not in (None, beside.seed):
        conflict = "A sidecar file contradicts the metadata in the image. The metadata in the image is used."
        return replace(embedded, problems=(*embedded.problems, conflict))
    return embedded


def read_entries(entries: Sequence[TextEntry], *, file_name: str) -> Recipe:
    """As `read_recipe`, from the stored texts of an image, which include its sidecars."""
    head = ImageHead(ImageFormat.PNG, 1, 1, 1, True, tuple(one for one in entries if one.carrier != "sidecar"))
    return read_recipe(head, file_name=file_name, sidecars=[one for one in entries if one.carrier == "sidecar"])


def has_generation_data(head: ImageHead) -> bool:
    """Whether the texts of an image contain generation data. If not, it may be hidden in the pixels."""
    return not _is_uninformative(read_recipe(head, file_name=""))


def _may_need_cleaning(entry: TextEntry) -> bool:
    """Whether a text may contain characters to remove: JSON escapes can produce them, and stealth text is uncleaned."""
    return "\\" in entry.text or "\0" in entry.text or entry.carrier == "stealth"


def _is_uninformative(recipe: Recipe) -> bool:
    return recipe.prompt is None and recipe.seed is None and recipe.steps is None


def map_texts(entries: Sequence[TextEntry]) -> Texts:
    """Map each key to its first text. Texts from XMP and from hidden pixel data have the lowest precedence."""
    texts = {entry.key: entry.text for entry in reversed(entries)}
    for key in ("XMP", "XML:com.adobe.xmp", "XMP extension"):
        if key in texts:
            texts = xmp.read_properties(texts[key]) | texts
    hidden = texts.get("stealth")
    if hidden is not None:
        object_ = load_object(hidden) or {}
        named = {key: value for key, value in object_.items() if isinstance(value, str) and key in _HIDDEN_KEYS}
        texts = (named or {"parameters": hidden}) | texts
    return texts


_HIDDEN_KEYS = frozenset(("Title", "Description", "Software", "Source", "Comment", "parameters", "prompt", "workflow"))


def _clean_recipe(recipe: Recipe) -> Recipe:
    """The recipe with forbidden characters removed, which JSON escapes can produce."""
    values = {name: value for name in _RECIPE_FIELDS if (value := getattr(recipe, name)) is not None}
    return Recipe(**{name: _clean_value(value) for name, value in values.items()})


_RECIPE_FIELDS = tuple(item.name for item in fields(Recipe))


def _clean_value(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() and "\0" not in value else type(value)(clean_text(value))
    if isinstance(value, dict):
        return {_clean_value(key): _clean_value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_clean_value(inner) for inner in value]
    if isinstance(value, tuple):
        return tuple(_clean_value(inner) for inner in value)
    if isinstance(value, LoraUse | ModelUse | InputImage):
        return type(value)(*(_clean_value(getattr(value, item.name)) for item in fields(value)))
    return value


def _parse_embedded(texts: Texts, file_name: str) -> Recipe | None:
    for parse in _PARSERS:
        recipe = parse(texts)
        if recipe is not None:
            return recipe
    graph = comfyui_parse.read_texts(texts, file_name)
    if graph is not None:
        recipe, object_ = graph
        return civitai.add_requested_settings(recipe, object_) if civitai.is_job(object_) else recipe
    for parse in _LAST_PARSERS:
        recipe = parse(texts)
        if recipe is not None:
            return recipe
    return None


def _parse_sidecars(entries: Sequence[TextEntry], file_name: str) -> Recipe | None:
    """The recipe of the most complete sidecar; the first by `sidecars.rank` among equals. None without any."""
    found = []
    for entry in sorted(entries, key=sidecar_read.rank):
        recipe = sidecar_read.parse(entry, lambda texts: _parse_embedded(expand_texts(texts), file_name))
        if recipe is not None:
            found.append(recipe)
    return max(found, key=lambda recipe: (recipe.prompt is not None, not _is_uninformative(recipe)), default=None)


def expand_texts(texts: Texts) -> Texts:
    return map_texts([TextEntry("sidecar", key, text) for key, text in texts.items()])


# -- one JSON object ------------------------------------------------------------------------------------

_OBJECTS: tuple[Callable[[dict[str, Any]], Recipe | None], ...] = (
    swarmui.parse,
    fooocus.parse,
    ruinedfooocus.parse,
    easydiffusion.parse,
    tensorart.parse,
    hf_space.parse,
    drawthings.parse,
    fastsdcpu.parse,
    diffusionbee.parse,
)
# First characters of a JSON object: a brace, white space, a byte order mark, or the a of `all_metadata[…] =`.
_OBJECT_BEGINS = frozenset("{ \t\r\n\ufeffa")
_OBJECT_KEYS = ("parameters", "UserComment", "Comment", "generation_data", "Model", "ImageDescription", "Description")


def _parse_object(texts: Texts) -> Recipe | None:
    for key in _OBJECT_KEYS:
        text = texts.get(key)
        if not text or text[:1] not in _OBJECT_BEGINS:
            continue
        object_ = load_object(swarmui.strip_assignment(text))
        if object_ is None:
            continue
        if isinstance(object_.get("Comment"), str):
            # NovelAI's WebP stores the texts of its PNG as one object.
            recipe = novelai.parse(object_)
            if recipe is not None:
                return recipe
        for parse in _OBJECTS:
            recipe = parse(object_)
            if recipe is not None:
                return _add_graph_seed(recipe, texts)
    return None


def _add_graph_seed(recipe: Recipe, texts: Texts) -> Recipe:
    """Take the seed from the ComfyUI graph when TensorArt wrote -1."""
    if recipe.tool != "TensorArt" or recipe.seed is not None:
        return recipe
    graph = comfyui_parse.read_texts(texts, "")
    return replace(recipe, seed=graph[0].seed) if graph else recipe


# -- texts ------------------------------------------------------------------------------------------------

_INFOTEXT_KEYS = (
    "parameters",
    "UserComment",
    "Comment",
    "Caption-Abstract",
    "dc:description",
    "ImageDescription",
    "XPComment",
    "Description",
)


def _parse_infotext(texts: Texts) -> Recipe | None:
    for key in _INFOTEXT_KEYS:
        text = texts.get(key)
        if not text or not infotext.is_infotext(text):
            continue
        recipe = a1111.parse(text)
        if "smproj" in texts or "parameters-json" in texts:
            recipe = replace(recipe, tool="StabilityMatrix")
        graph = comfyui_parse.read_texts(texts, "") if "prompt" in texts else None
        if graph is None:
            return recipe
        if recipe.tool == "A1111" and not recipe.tool_version:
            recipe = replace(recipe, tool="ComfyUI")
        return replace(
            recipe,
            models=tuple(dict.fromkeys((*recipe.models, *graph[0].models))),
            inputs=recipe.inputs or graph[0].inputs,
            parent=recipe.parent or graph[0].parent,
            parent_relation=recipe.parent_relation or graph[0].parent_relation,
        )
    return None


def _parse_postprocessing(texts: Texts) -> Recipe | None:
    """A1111's Extras tab: upscaling of an image without other metadata."""
    for key in ("postprocessing", "extras"):
        text = texts.get(key)
        if text and ": " in text[:200]:
            return a1111.parse_extras(text)
    return None


def _parse_labels(texts: Texts) -> Recipe | None:
    for key in _INFOTEXT_KEYS:
        text = texts.get(key)
        recipe = mochi.parse(text) or koboldcpp.parse(text) if text else None
        if recipe is not None:
            return recipe
    return midjourney.parse(texts)


def _parse_separate_texts(texts: Texts) -> Recipe | None:
    if "prompt" not in texts and not any(key.endswith(":prompt") for key in texts):
        return None
    return easydiffusion.parse(dict(texts)) or kohya.parse(dict(texts)) or key_values.parse_object(dict(texts))


def _parse_pairs(texts: Texts) -> Recipe | None:
    for key in _INFOTEXT_KEYS:
        text = texts.get(key)
        object_ = load_object(text) if text else None
        recipe = key_values.parse_object(object_) if object_ else key_values.parse_text(text) if text else None
        if recipe is not None:
            return recipe
    return None


def _parse_plain_prompt(texts: Texts) -> Recipe | None:
    text = texts.get("prompt", "").strip()
    if not text or text.startswith(("{", "[")):
        return None
    return Recipe(prompt=text, negative_prompt=texts.get("negative-prompt", texts.get("negative_prompt")))


def _parse_provenance(texts: Texts) -> Recipe | None:
    recipe = c2pa.parse(texts["C2PA"]) if "C2PA" in texts else None
    return recipe or c2pa.parse_xmp(texts)


_PARSERS: tuple[Callable[[Texts], Recipe | None], ...] = (
    invokeai.parse,
    novelai.parse,
    _parse_object,
    _parse_infotext,
    _parse_labels,
)
# These run after ComfyUI, whose texts have the same keys.
_LAST_PARSERS: tuple[Callable[[Texts], Recipe | None], ...] = (
    _parse_separate_texts,
    _parse_pairs,
    _parse_plain_prompt,
    _parse_postprocessing,
    _parse_provenance,
)
