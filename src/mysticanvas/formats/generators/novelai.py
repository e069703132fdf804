"""NovelAI: JSON in `Comment`, which is in PNG texts, in EXIF or hidden in the pixels.

Source: NovelAI's own reader (novelai-image-metadata) and the output of its versions. The first version has the
prompt in `Description` instead of `Comment`; `Source` ends with a hash of the model.
"""

import re
from collections.abc import Mapping
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, ParentRelation, Recipe
from mysticanvas.formats.json_text import FieldReader, load_object, to_string

_SOURCE = re.compile(r"(.+?) ([0-9A-F]{8})")


def parse(texts: Mapping[str, Any]) -> Recipe | None:
    comment = texts.get("Comment")
    object_ = load_object(comment) if isinstance(comment, str) else None
    if object_ is None or not _is_novelai(object_, texts):
        return None
    fields = FieldReader(object_)
    model, model_hash = _read_model(texts)
    kind = str(object_.get("request_type"))
    is_from_image = kind.startswith(("Img2Img", "NativeInfill", "Inpaint")) or _is_early_img2img(object_)
    relation = ParentRelation.INPAINT if "nfill" in kind or "Inpaint" in kind else ParentRelation.IMG2IMG
    description = to_string(texts.get("Description"))
    prompt = fields.text("prompt")
    negative = fields.text("uc")
    return Recipe(
        tool="NovelAI",
        prompt=prompt if prompt is not None else _read_caption(object_, "v4_prompt") or description,
        negative_prompt=negative if negative is not None else _read_caption(object_, "v4_negative_prompt"),
        seed=fields.integer("seed"),
        steps=fields.int32("steps"),
        cfg_scale=fields.number("scale"),
        sampler=fields.name("sampler"),
        scheduler=fields.name("noise_schedule"),
        denoise=fields.number("strength") if is_from_image else None,
        width=fields.int32("width"),
        height=fields.int32("height"),
        model=model,
        model_hash=model_hash,
        parent_relation=relation if is_from_image else None,
        inputs=_read_references(object_),
        params=fields.rest | _read_character_prompts(object_),
    )


def _is_novelai(object_: Mapping[str, Any], texts: Mapping[str, Any]) -> bool:
    if {"signed_hash", "request_type", "v4_prompt"} & set(object_):
        return True
    named = str(texts.get("Software", "")).startswith("NovelAI") or str(texts.get("Source", "")).startswith("NovelAI")
    return {"steps", "sampler", "seed"} <= set(object_) and ("uc" in object_ or named)


def _is_early_img2img(object_: Mapping[str, Any]) -> bool:
    """Whether an image without request type came from img2img: only then it has strength and noise."""
    return "request_type" not in object_ and "prompt" not in object_ and {"strength", "noise"} <= set(object_)


def _read_model(texts: Mapping[str, Any]) -> tuple[str | None, str | None]:
    for key in ("Source", "Software"):
        match = _SOURCE.fullmatch(str(texts.get(key, "")).strip())
        if match:
            return match[1], match[2]
    return to_string(texts.get("Source")), None


def _read_caption(object_: Mapping[str, Any], key: str) -> str | None:
    value = object_.get(key)
    caption = value.get("caption") if isinstance(value, dict) else None
    text = caption.get("base_caption") if isinstance(caption, dict) else None
    return text if isinstance(text, str) else None


def _read_character_prompts(object_: Mapping[str, Any]) -> dict[str, Any]:
    """Prompts and negative prompts per character, in order."""
    found = {}
    for key, name in (("v4_prompt", "character_prompts"), ("v4_negative_prompt", "character_negative_prompts")):
        value = object_.get(key)
        caption = value.get("caption") if isinstance(value, dict) else None
        listed = caption.get("char_captions") if isinstance(caption, dict) else None
        texts = [one.get("char_caption") for one in listed or [] if isinstance(one, dict)]
        if any(texts):
            found[name] = [text for text in texts if isinstance(text, str)]
    return found


def _read_references(object_: Mapping[str, Any]) -> tuple[InputImage, ...]:
    """Reference images, identified by hash, since NovelAI does not store the images."""
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
