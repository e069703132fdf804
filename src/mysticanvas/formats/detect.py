"""One door to the parsers: who wrote this, judged by what is written, never by `Software` alone.

A parser of another format joins `_PARSERS`, in order of precedence; one for a JSON object joins
`_OBJECTS`. Each gives None for what is not its own.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from mysticanvas.domain.file import ImageFormat, ImageHead, TextEntry
from mysticanvas.domain.generation import InputImage, LoraUse, Recipe
from mysticanvas.domain.model import ModelUse
from mysticanvas.domain.text import clean
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
    """How the image was made; an empty recipe when nothing says. Never raises: what could not be
    understood is in `problems`. What the image itself says wins over its sidecars."""
    try:
        embedded = _embedded(texts_of(head.texts), file_name) if head.texts else None
        beside = _beside(sidecars, file_name) if sidecars else None
        if embedded is not None and any(map(_may_need_cleaning, head.texts)):
            embedded = _cleaned(embedded)
        if beside is not None:
            beside = _cleaned(beside)
    except Exception:
        # A fault of a parser must not cost the image; its texts are kept to be read again.
        log.exception("metadata could not be read", extra={"file": file_name})
        return Recipe(problems=("Its metadata could not be read; it is kept.",))
    if embedded is None or (_is_silent(embedded) and beside is not None and not _is_silent(beside)):
        return beside or Recipe()
    if beside is not None and beside.seed is not None and embedded.seed not in (None, beside.seed):
        conflict = "A file beside the image says otherwise; the image itself was believed."
        return replace(embedded, problems=(*embedded.problems, conflict))
    return embedded


def read_entries(entries: Sequence[TextEntry], *, file_name: str) -> Recipe:
    """The same from all texts of an image as they are kept, its sidecars' among them."""
    head = ImageHead(ImageFormat.PNG, 1, 1, 1, True, tuple(one for one in entries if one.carrier != "sidecar"))
    return read_recipe(head, file_name=file_name, sidecars=[one for one in entries if one.carrier == "sidecar"])


def says_how(head: ImageHead) -> bool:
    """Whether the texts of an image hold a recipe, so that nobody needs to look into its pixels."""
    return not _is_silent(read_recipe(head, file_name=""))


def _may_need_cleaning(entry: TextEntry) -> bool:
    """Escapes can spell what no text may hold, and what comes from pixels was never cleaned."""
    return "\\" in entry.text or "\0" in entry.text or entry.carrier == "stealth"


def _is_silent(recipe: Recipe) -> bool:
    return recipe.prompt is None and recipe.seed is None and recipe.steps is None


def texts_of(entries: Sequence[TextEntry]) -> Texts:
    """Key to text, the first of each; what stands in XMP or hidden in the pixels counts last."""
    texts = {entry.key: entry.text for entry in reversed(entries)}
    for key in ("XMP", "XML:com.adobe.xmp", "XMP extension"):
        if key in texts:
            texts = xmp.properties(texts[key]) | texts
    hidden = texts.get("stealth")
    if hidden is not None:
        object_ = load_object(hidden) or {}
        named = {key: value for key, value in object_.items() if isinstance(value, str) and key in _HIDDEN_KEYS}
        texts = (named or {"parameters": hidden}) | texts
    return texts


_HIDDEN_KEYS = frozenset(("Title", "Description", "Software", "Source", "Comment", "parameters", "prompt", "workflow"))


def _cleaned(recipe: Recipe) -> Recipe:
    """Escapes can spell what no text may hold (M6); texts without any were cleaned when they were read."""
    values = {name: value for name in _NAMES if (value := getattr(recipe, name)) is not None}
    return Recipe(**{name: _clean_all(value) for name, value in values.items()})


_NAMES = tuple(item.name for item in fields(Recipe))


def _clean_all(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() and "\0" not in value else type(value)(clean(value))
    if isinstance(value, dict):
        return {_clean_all(key): _clean_all(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_clean_all(inner) for inner in value]
    if isinstance(value, tuple):
        return tuple(_clean_all(inner) for inner in value)
    if isinstance(value, LoraUse | ModelUse | InputImage):
        return type(value)(*(_clean_all(getattr(value, item.name)) for item in fields(value)))
    return value


def _embedded(texts: Texts, file_name: str) -> Recipe | None:
    for parse in _PARSERS:
        recipe = parse(texts)
        if recipe is not None:
            return recipe
    graph = comfyui_parse.read(texts, file_name)
    if graph is not None:
        recipe, object_ = graph
        return civitai.completed(recipe, object_) if civitai.is_job(object_) else recipe
    for parse in _LAST_PARSERS:
        recipe = parse(texts)
        if recipe is not None:
            return recipe
    return None


def _beside(entries: Sequence[TextEntry], file_name: str) -> Recipe | None:
    """Of several sidecars the one that says most; among equals the first by `sidecars.rank`."""
    found = []
    for entry in sorted(entries, key=sidecar_read.rank):
        recipe = sidecar_read.parse(entry, lambda texts: _embedded(texts_of_map(texts), file_name))
        if recipe is not None:
            found.append(recipe)
    return max(found, key=lambda recipe: (recipe.prompt is not None, not _is_silent(recipe)), default=None)


def texts_of_map(texts: Texts) -> Texts:
    return texts_of([TextEntry("sidecar", key, text) for key, text in texts.items()])


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
# A brace, blanks before it, a byte order mark, or `all_metadata[…] =`.
_OBJECT_BEGINS = frozenset("{ \t\r\n\ufeffa")
_OBJECT_KEYS = ("parameters", "UserComment", "Comment", "generation_data", "Model", "ImageDescription", "Description")


def _object(texts: Texts) -> Recipe | None:
    for key in _OBJECT_KEYS:
        text = texts.get(key)
        if not text or text[:1] not in _OBJECT_BEGINS:
            continue
        object_ = load_object(swarmui.without_assignment(text))
        if object_ is None:
            continue
        if isinstance(object_.get("Comment"), str):
            # NovelAI's WebP: the texts of its PNG as one object.
            recipe = novelai.parse(object_)
            if recipe is not None:
                return recipe
        for parse in _OBJECTS:
            recipe = parse(object_)
            if recipe is not None:
                return _with_seed_of_graph(recipe, texts)
    return None


def _with_seed_of_graph(recipe: Recipe, texts: Texts) -> Recipe:
    """TensorArt writes -1; the graph beside it was what ran."""
    if recipe.tool != "TensorArt" or recipe.seed is not None:
        return recipe
    graph = comfyui_parse.read(texts, "")
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


def _infotext(texts: Texts) -> Recipe | None:
    for key in _INFOTEXT_KEYS:
        text = texts.get(key)
        if not text or not infotext.is_infotext(text):
            continue
        recipe = a1111.parse(text)
        if "smproj" in texts or "parameters-json" in texts:
            recipe = replace(recipe, tool="StabilityMatrix")
        graph = comfyui_parse.read(texts, "") if "prompt" in texts else None
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


def _upscaled(texts: Texts) -> Recipe | None:
    """A1111's extras: what was done to an image that says nothing else."""
    for key in ("postprocessing", "extras"):
        text = texts.get(key)
        if text and ": " in text[:200]:
            return a1111.parse_extras(text)
    return None


def _labelled(texts: Texts) -> Recipe | None:
    for key in _INFOTEXT_KEYS:
        text = texts.get(key)
        recipe = mochi.parse(text) or koboldcpp.parse(text) if text else None
        if recipe is not None:
            return recipe
    return midjourney.parse(texts)


def _one_text_a_setting(texts: Texts) -> Recipe | None:
    if "prompt" not in texts and not any(key.endswith(":prompt") for key in texts):
        return None
    return easydiffusion.parse(dict(texts)) or kohya.parse(dict(texts)) or key_values.parse_object(dict(texts))


def _pairs(texts: Texts) -> Recipe | None:
    for key in _INFOTEXT_KEYS:
        text = texts.get(key)
        object_ = load_object(text) if text else None
        recipe = key_values.parse_object(object_) if object_ else key_values.parse_text(text) if text else None
        if recipe is not None:
            return recipe
    return None


def _plain_prompt(texts: Texts) -> Recipe | None:
    text = texts.get("prompt", "").strip()
    if not text or text.startswith(("{", "[")):
        return None
    return Recipe(prompt=text, negative_prompt=texts.get("negative-prompt", texts.get("negative_prompt")))


def _provenance(texts: Texts) -> Recipe | None:
    recipe = c2pa.parse(texts["C2PA"]) if "C2PA" in texts else None
    return recipe or c2pa.parse_xmp(texts)


_PARSERS: tuple[Callable[[Texts], Recipe | None], ...] = (
    invokeai.parse,
    novelai.parse,
    _object,
    _infotext,
    _labelled,
)
# After the graphs of ComfyUI, whose texts have the same keys.
_LAST_PARSERS: tuple[Callable[[Texts], Recipe | None], ...] = (
    _one_text_a_setting,
    _pairs,
    _plain_prompt,
    _upscaled,
    _provenance,
)
