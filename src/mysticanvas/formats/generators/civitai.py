"""Civitai's own generator: ComfyUI jobs that store the requested settings beside the graph.

Source: Civitai's comfy.metadata.ts. `extraMetadata` is JSON in a string; models are identified by `urn:air:…`,
input images by URL.
"""

from dataclasses import replace
from typing import Any

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.json_text import FieldReader, load_object, to_string


def is_job(object_: dict[str, Any]) -> bool:
    return "extraMetadata" in object_ or "resource-stack" in object_ or _has_airs(object_.get("extra"))


def _has_airs(extra: Any) -> bool:
    return isinstance(extra, dict) and isinstance(extra.get("airs"), list)


def add_requested_settings(recipe: Recipe, object_: dict[str, Any]) -> Recipe:
    """The recipe of the graph, with missing fields filled in from the requested settings."""
    extra = object_.get("extraMetadata")
    requested = extra if isinstance(extra, dict) else load_object(extra) if isinstance(extra, str) else None
    fields = FieldReader(requested or {})
    values: dict[str, Any] = {
        "prompt": fields.text("prompt"),
        "negative_prompt": fields.text("negativePrompt"),
        "seed": fields.integer("seed"),
        "steps": fields.int32("steps"),
        "cfg_scale": fields.number("cfgScale"),
        "sampler": fields.name("sampler"),
        "clip_skip": fields.int32("clipSkip"),
        "denoise": fields.number("denoise"),
    }
    if recipe.seed is not None:
        # A graph without a sampler upscales an earlier image, so the other settings describe that image.
        values = {key: value for key, value in values.items() if key in ("prompt", "negative_prompt", "clip_skip")}
    missing = {key: value for key, value in values.items() if getattr(recipe, key) is None and value is not None}
    problems = () if "seed" in missing else recipe.problems
    params = recipe.params | fields.rest | {"airs": _list_airs(object_)}
    return replace(recipe, tool="Civitai", problems=problems, params=params, **missing)


def _list_airs(object_: dict[str, Any]) -> list[str]:
    extra = object_.get("extra")
    listed = extra.get("airs") if isinstance(extra, dict) else None
    return [air for air in listed if to_string(air)] if isinstance(listed, list) else []
