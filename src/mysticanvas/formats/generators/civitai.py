"""Civitai's own generator: jobs of ComfyUI that carry what the person asked for beside the graph.

Source: Civitai's comfy.metadata.ts: `extraMetadata` is JSON in a text, models are named by
`urn:air:…`, an image that went in by its address.
"""

from dataclasses import replace
from typing import Any

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.json_text import Said, load_object, string


def is_job(object_: dict[str, Any]) -> bool:
    return "extraMetadata" in object_ or "resource-stack" in object_ or _has_airs(object_.get("extra"))


def _has_airs(extra: Any) -> bool:
    return isinstance(extra, dict) and isinstance(extra.get("airs"), list)


def completed(recipe: Recipe, object_: dict[str, Any]) -> Recipe:
    """The recipe of the graph, and where the graph is silent what the person asked for."""
    extra = object_.get("extraMetadata")
    wanted = extra if isinstance(extra, dict) else load_object(extra) if isinstance(extra, str) else None
    said = Said(wanted or {})
    asked: dict[str, Any] = {
        "prompt": said.text("prompt"),
        "negative_prompt": said.text("negativePrompt"),
        "seed": said.integer("seed"),
        "steps": said.small("steps"),
        "cfg_scale": said.number("cfgScale"),
        "sampler": said.name("sampler"),
        "clip_skip": said.small("clipSkip"),
        "denoise": said.number("denoise"),
    }
    if recipe.seed is not None:
        # A graph without a sampler of its own was an upscale of an image made before.
        asked = {key: value for key, value in asked.items() if key in ("prompt", "negative_prompt", "clip_skip")}
    missing = {key: value for key, value in asked.items() if getattr(recipe, key) is None and value is not None}
    problems = () if "seed" in missing else recipe.problems
    params = recipe.params | said.rest | {"airs": _airs(object_)}
    return replace(recipe, tool="Civitai", problems=problems, params=params, **missing)


def _airs(object_: dict[str, Any]) -> list[str]:
    extra = object_.get("extra")
    listed = extra.get("airs") if isinstance(extra, dict) else None
    return [air for air in listed if string(air)] if isinstance(listed, list) else []
