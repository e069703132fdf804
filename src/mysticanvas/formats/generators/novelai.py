"""NovelAI: the JSON of its `Comment`, in PNG texts, in EXIF or hidden in the pixels.

Source: NovelAI's own reader (novelai-image-metadata) and what its versions wrote: the first had no
prompt in `Comment` but in `Description`; `Source` ends with a hash of the model.
"""

import re
from collections.abc import Mapping
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, ParentRelation, Recipe
from mysticanvas.formats.json_text import Said, load_object, string

_SOURCE = re.compile(r"(.+?) ([0-9A-F]{8})")


def parse(texts: Mapping[str, Any]) -> Recipe | None:
    comment = texts.get("Comment")
    object_ = load_object(comment) if isinstance(comment, str) else None
    if object_ is None or not _is_novelai(object_, texts):
        return None
    said = Said(object_)
    model, model_hash = _model(texts)
    kind = str(object_.get("request_type"))
    is_from_image = kind.startswith(("Img2Img", "NativeInfill", "Inpaint")) or _is_early_from_image(object_)
    relation = ParentRelation.INPAINT if "nfill" in kind or "Inpaint" in kind else ParentRelation.IMG2IMG
    description = string(texts.get("Description"))
    prompt = said.text("prompt")
    negative = said.text("uc")
    return Recipe(
        tool="NovelAI",
        prompt=prompt if prompt is not None else _caption(object_, "v4_prompt") or description,
        negative_prompt=negative if negative is not None else _caption(object_, "v4_negative_prompt"),
        seed=said.integer("seed"),
        steps=said.small("steps"),
        cfg_scale=said.number("scale"),
        sampler=said.name("sampler"),
        scheduler=said.name("noise_schedule"),
        denoise=said.number("strength") if is_from_image else None,
        width=said.small("width"),
        height=said.small("height"),
        model=model,
        model_hash=model_hash,
        parent_relation=relation if is_from_image else None,
        inputs=_references(object_),
        params=said.rest | _characters(object_),
    )


def _is_novelai(object_: Mapping[str, Any], texts: Mapping[str, Any]) -> bool:
    if {"signed_hash", "request_type", "v4_prompt"} & set(object_):
        return True
    named = str(texts.get("Software", "")).startswith("NovelAI") or str(texts.get("Source", "")).startswith("NovelAI")
    return {"steps", "sampler", "seed"} <= set(object_) and ("uc" in object_ or named)


def _is_early_from_image(object_: Mapping[str, Any]) -> bool:
    """Before requests had types, strength and noise stood there only with an image."""
    return "request_type" not in object_ and "prompt" not in object_ and {"strength", "noise"} <= set(object_)


def _model(texts: Mapping[str, Any]) -> tuple[str | None, str | None]:
    for key in ("Source", "Software"):
        match = _SOURCE.fullmatch(str(texts.get(key, "")).strip())
        if match:
            return match[1], match[2]
    return string(texts.get("Source")), None


def _caption(object_: Mapping[str, Any], key: str) -> str | None:
    value = object_.get(key)
    caption = value.get("caption") if isinstance(value, dict) else None
    text = caption.get("base_caption") if isinstance(caption, dict) else None
    return text if isinstance(text, str) else None


def _characters(object_: Mapping[str, Any]) -> dict[str, Any]:
    """What each character is told, in order."""
    found = {}
    for key, name in (("v4_prompt", "character_prompts"), ("v4_negative_prompt", "character_negative_prompts")):
        value = object_.get(key)
        caption = value.get("caption") if isinstance(value, dict) else None
        listed = caption.get("char_captions") if isinstance(caption, dict) else None
        texts = [one.get("char_caption") for one in listed or [] if isinstance(one, dict)]
        if any(texts):
            found[name] = [text for text in texts if isinstance(text, str)]
    return found


def _references(object_: Mapping[str, Any]) -> tuple[InputImage, ...]:
    """Only names can be kept; NovelAI itself leaves the images out."""
    listed = object_.get("reference_image_multiple_hashes") or object_.get("reference_image_hashes")
    return (
        tuple(
            InputImage(InputRole.REFERENCE, None, one)
            for one in listed or ()
            if isinstance(one, str) and len(one) <= 128
        )
        if isinstance(listed, list)
        else ()
    )
