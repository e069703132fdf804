"""InvokeAI in its generations: `invokeai_metadata` (3 and later), `sd-metadata` and `Dream` (before).

Source: the JSON that each generation writes into its PNGs; `Dream` is the command line of the first.
"""

import re
from collections.abc import Mapping
from typing import Any

from mysticanvas.domain.generation import LoraUse, ParentRelation, Recipe
from mysticanvas.formats.json_text import integer, load_object, number, small_integer, string

_TAKEN = frozenset(
    (
        "positive_prompt",
        "negative_prompt",
        "seed",
        "steps",
        "cfg_scale",
        "scheduler",
        "strength",
        "clip_skip",
        "width",
        "height",
        "model",
        "vae",
        "loras",
        "app_version",
        "init_image",
    )
)
_FLAG = re.compile(r"(?:^|\s)-([sSWHCAfIGUVnN])\s*(\"[^\"]*\"|[^\s-]\S*|-\d\S*)?")
_FLAGS_BEGIN = re.compile(r"\s-[sSWHCAfIGU]\s*[\w.\"/]")


def parse_metadata(text: str) -> Recipe | None:
    """`invokeai_metadata`, version 3 and later."""
    said = load_object(text)
    if said is None:
        return None
    model = _object(said, "model")
    vae = _object(said, "vae")
    parent = string(said.get("init_image"))
    return Recipe(
        tool="InvokeAI",
        tool_version=string(said.get("app_version")),
        prompt=_text(said, "positive_prompt"),
        negative_prompt=_text(said, "negative_prompt"),
        seed=integer(said.get("seed")),
        steps=small_integer(said.get("steps")),
        cfg_scale=number(said.get("cfg_scale")),
        scheduler=string(said.get("scheduler")),
        denoise=number(said.get("strength")),
        clip_skip=small_integer(said.get("clip_skip")),
        width=small_integer(said.get("width")),
        height=small_integer(said.get("height")),
        model=string(model.get("name") or model.get("model_name")),
        model_hash=string(model.get("hash")),
        vae=string(vae.get("name") or vae.get("model_name")),
        loras=_loras(said.get("loras")),
        parent=parent,
        parent_relation=ParentRelation.IMG2IMG if parent else None,
        params={key: value for key, value in said.items() if key not in _TAKEN},
    )


def parse_sd_metadata(text: str, dream: str | None) -> Recipe | None:
    """`sd-metadata`, 1.15 to 2.x; what it leaves out may stand in `Dream`."""
    said = load_object(text)
    if said is None:
        return None
    image = _object(said, "image")
    command = parse_dream(dream) if dream else Recipe()
    prompt = _weighted(image.get("prompt"))
    return Recipe(
        tool="InvokeAI",
        tool_version=string(said.get("app_version")),
        prompt=prompt if prompt is not None else command.prompt,
        negative_prompt=command.negative_prompt,
        seed=_first(integer(image.get("seed")), command.seed),
        steps=_first(small_integer(image.get("steps")), command.steps),
        cfg_scale=_first(number(image.get("cfg_scale")), command.cfg_scale),
        sampler=string(image.get("sampler")) or command.sampler,
        denoise=command.denoise if command.parent else None,
        width=_first(small_integer(image.get("width")), command.width),
        height=_first(small_integer(image.get("height")), command.height),
        model=string(said.get("model_weights")) or string(said.get("model_id")),
        model_hash=string(said.get("model_hash")),
        parent=command.parent,
        parent_relation=command.parent_relation,
        params={"sd-metadata": said},
    )


def parse_dream(text: str) -> Recipe:
    """The command line; a line that is no prompt ("!mask …") is kept in `params` alone."""
    if text.startswith(("!", "<")):
        return Recipe(tool="InvokeAI", params={"Dream": text[:4_000]})
    begin = _FLAGS_BEGIN.search(text)
    prompt = (text[: begin.start()] if begin else text).strip().strip('"')
    flags = {match[1]: (match[2] or "").strip('"') for match in _FLAG.finditer(text[begin.start() :])} if begin else {}
    parent = flags.get("I") or None
    if parent is not None and parent.startswith("data:"):
        parent = None
    return Recipe(
        tool="InvokeAI",
        prompt=prompt,
        seed=integer(flags.get("S")),
        steps=small_integer(flags.get("s")),
        cfg_scale=number(flags.get("C")),
        sampler=flags.get("A") or None,
        denoise=number(flags.get("f")),
        width=small_integer(flags.get("W")),
        height=small_integer(flags.get("H")),
        parent=parent,
        parent_relation=ParentRelation.IMG2IMG if parent else None,
        params={"Dream": text[:4_000]},
    )


def _object(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = said.get(key)
    return value if isinstance(value, dict) else {}


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _text(said: Mapping[str, Any], key: str) -> str | None:
    value = said.get(key)
    return value if isinstance(value, str) else None


def _weighted(prompt: Any) -> str | None:
    if isinstance(prompt, str):
        return prompt
    if not isinstance(prompt, list):
        return None
    parts = [part["prompt"] for part in prompt if isinstance(part, dict) and isinstance(part.get("prompt"), str)]
    return "\n".join(parts) if parts else None


def _loras(listed: Any) -> tuple[LoraUse, ...]:
    found = []
    for entry in listed if isinstance(listed, list) else []:
        if not isinstance(entry, dict):
            continue
        model = entry.get("model") or entry.get("lora")
        name = model.get("name") or model.get("model_name") if isinstance(model, dict) else model
        if isinstance(name, str):
            found.append(
                LoraUse(name, number(entry.get("weight")), model.get("hash") if isinstance(model, dict) else None)
            )
    return tuple(found)
