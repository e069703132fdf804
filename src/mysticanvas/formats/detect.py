"""One door to the parsers: who wrote this, judged by what is written, never by `Software` alone.

A parser of another format joins `_PARSERS`, in order of precedence.
"""

import html
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from mysticanvas.domain.file import ImageHead, TextEntry
from mysticanvas.domain.generation import InputImage, LoraUse, Recipe
from mysticanvas.domain.model import ModelUse
from mysticanvas.domain.text import clean
from mysticanvas.formats import comfyui, comfyui_graph, infotext, invokeai, sidecars
from mysticanvas.formats.json_text import load_object

log = logging.getLogger(__name__)

PARSER_VERSION = 1

Texts = dict[str, str]


def read_recipe(head: ImageHead, *, file_name: str, sidecars: Sequence[TextEntry] = ()) -> Recipe:
    """How the image was made; an empty recipe when nothing says. Never raises: what could not be
    understood is in `problems`. What the image itself says wins over its sidecars."""
    texts = {entry.key: entry.text for entry in reversed(head.texts)}
    try:
        embedded = _cleaned(_embedded(texts | _in_xmp(texts.get("XMP", ""))))
        beside = _cleaned(_beside(sidecars))
    except Exception:
        # A fault of a parser must not cost the image; its texts are kept to be read again.
        log.exception("metadata could not be read", extra={"file": file_name})
        return Recipe(problems=("Its metadata could not be read; it is kept.",))
    if embedded is None:
        return beside or Recipe()
    if beside is not None and beside.seed is not None and beside.seed != embedded.seed:
        conflict = "A file beside the image says otherwise; the image itself was believed."
        return replace(embedded, problems=(*embedded.problems, conflict))
    return embedded


def _cleaned(recipe: Recipe | None) -> Recipe | None:
    """JSON escapes can spell what no text may hold (M6)."""
    if recipe is None:
        return None
    values = {item.name: _clean_all(getattr(recipe, item.name)) for item in fields(recipe)}
    return Recipe(**values)


def _clean_all(value: Any) -> Any:
    match value:
        case str():
            return value if value.isascii() and "\0" not in value else type(value)(clean(value))
        case LoraUse() | ModelUse() | InputImage():
            return type(value)(*(_clean_all(getattr(value, item.name)) for item in fields(value)))
        case dict():
            return {_clean_all(key): _clean_all(inner) for key, inner in value.items()}
        case list():
            return [_clean_all(inner) for inner in value]
        case tuple():
            return tuple(_clean_all(inner) for inner in value)
    return value


def _in_xmp(xmp: str) -> Texts:
    """Graphs that some savers put into XMP, as attributes or elements `comfy:prompt` and the like.

    XMP is never given to an XML parser: its entities would be expanded.
    """
    found = {}
    for key in ("prompt", "workflow"):
        match = re.search(rf'comfy:{key}(?:="([^"]*)"|>([^<]*)<)', xmp)
        if match is not None:
            found[key] = html.unescape(match[1] or match[2] or "")
    return found


def _embedded(texts: Texts) -> Recipe | None:
    for parse in _PARSERS:
        recipe = parse(texts)
        if recipe is not None:
            return recipe
    return None


def _beside(entries: Sequence[TextEntry]) -> Recipe | None:
    found = [recipe for entry in entries if (recipe := sidecars.parse(entry)) is not None]
    return max(found, key=lambda recipe: recipe.prompt is not None, default=None)


def _invokeai(texts: Texts) -> Recipe | None:
    if "invokeai_metadata" in texts:
        return invokeai.parse_metadata(texts["invokeai_metadata"])
    if "sd-metadata" in texts:
        return invokeai.parse_sd_metadata(texts["sd-metadata"], texts.get("Dream"))
    if "Dream" in texts:
        return invokeai.parse_dream(texts["Dream"])
    return None


def _infotext(texts: Texts) -> Recipe | None:
    for key in ("parameters", "UserComment", "Comment", "postprocessing", "ImageDescription"):
        text = texts.get(key, "")
        if infotext.is_infotext(text):
            recipe = infotext.parse(text)
            graph = "prompt" in texts and recipe.tool == "A1111" and not recipe.tool_version
            return replace(recipe, tool="ComfyUI") if graph else recipe
    return None


def _comfyui(texts: Texts) -> Recipe | None:
    unread = False
    for key in ("prompt", "UserComment", "Model", "Make", "ImageDescription", "workflow", "Copyright"):
        text = _without_label(texts.get(key, ""))
        said = load_object(text)
        if said is None:
            unread |= text.lstrip().startswith("{") and key in ("prompt", "workflow")
            continue
        graph = comfyui_graph.of_api(said) or comfyui_graph.of_workflow(said)
        inner = said.get("prompt")
        if graph is None and isinstance(inner, dict):
            graph = comfyui_graph.of_api(inner)
        if graph is not None:
            return comfyui.parse(graph)
    return Recipe(problems=("Its ComfyUI graph is damaged; it is kept as it is.",)) if unread else None


def _without_label(text: str) -> str:
    """Some savers write `prompt:{…}` or `Workflow: {…}`."""
    label, colon, rest = text.partition(":")
    return rest if colon and label.strip().lower() in ("prompt", "workflow") else text


def _plain_prompt(texts: Texts) -> Recipe | None:
    text = texts.get("prompt", "").strip()
    if not text or text.startswith(("{", "[")):
        return None
    return Recipe(prompt=text, negative_prompt=texts.get("negative-prompt"))


_PARSERS: tuple[Callable[[Texts], Recipe | None], ...] = (_invokeai, _infotext, _comfyui, _plain_prompt)
