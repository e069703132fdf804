"""Combines image properties and recipe into the flat row that `inspect` prints."""

from typing import Any

from mysticanvas.domain.file import ImageHead
from mysticanvas.domain.generation import Recipe

_NAMES = (
    "tool",
    "tool_version",
    "prompt",
    "negative_prompt",
    "seed",
    "steps",
    "cfg_scale",
    "guidance",
    "sampler",
    "scheduler",
    "width",
    "height",
    "model",
    "model_hash",
    "vae",
    "denoise",
    "clip_skip",
    "parent",
)


def build_inspect_row(head: ImageHead, recipe: Recipe) -> dict[str, Any]:
    """A JSON-compatible dict; fields that the file does not contain are None."""
    row: dict[str, Any] = {name: getattr(recipe, name) for name in _NAMES}
    row["loras"] = [{"name": lora.name, "weight": lora.weight, "hash": lora.hash} for lora in recipe.loras]
    row["models"] = [
        {"role": use.role.value, "name": use.name, "hash": use.hash, "weight": use.weight} for use in recipe.models
    ]
    row["inputs"] = [
        {"role": one.role.value, "name": one.name, "hash": one.hash, "hash_kind": one.hash_kind}
        for one in recipe.inputs
    ]
    row |= {
        "format": head.format.value,
        "width_px": head.width_px,
        "height_px": head.height_px,
        "frames": head.frames,
        "complete": head.complete,
        "params": recipe.params,
        "problems": [*head.problems, *recipe.problems],
    }
    return row
