"""Mochi Diffusion: labeled settings in the IPTC caption. Version 2 of the format has one setting per line.

Source: SDImage and MetadataCodec in its source code.
"""

import re
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.json_text import FieldReader, parse_size
from mysticanvas.formats.labels import parse_labels

_MOCHI_LABELS = (
    "Include in Image",
    "Exclude from Image",
    "Model",
    "Steps",
    "Guidance Scale",
    "Seed",
    "Size",
    "Quality",
    "Input Images",
    "Starting Image",
    "Strength",
    "Upscaler",
    "Scheduler",
    "ML Compute Unit",
    "Generator",
    "Metadata Version",
    "Date",
)
_MARK = re.compile(r"(?:^|; )(" + "|".join(_MOCHI_LABELS) + "): ?")
_MARK_V2 = re.compile("^(" + "|".join(_MOCHI_LABELS) + "): ?", re.MULTILINE)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse(text: str) -> Recipe | None:
    if "Generator: Mochi Diffusion" not in text:
        return None
    fields = FieldReader(_read_settings(text))
    width, height = parse_size(fields.all.get("Size"))
    version = fields.all["Generator"].removeprefix("Mochi Diffusion").strip() if "Generator" in fields.all else ""
    source = fields.name("Starting Image")
    upscaler = fields.name("Upscaler")
    fields.take("Size", "Generator", "Metadata Version")
    return Recipe(
        tool="Mochi Diffusion",
        tool_version=version or None,
        prompt=fields.text("Include in Image"),
        negative_prompt=fields.text("Exclude from Image"),
        seed=fields.integer("Seed"),
        steps=fields.int32("Steps"),
        cfg_scale=fields.number("Guidance Scale"),
        scheduler=fields.name("Scheduler"),
        denoise=fields.number("Strength"),
        width=width,
        height=height,
        model=fields.name("Model"),
        models=(ModelUse(ModelKind.UPSCALER, upscaler),) if upscaler else (),
        parent=source,
        parent_relation=ParentRelation.IMG2IMG if source else None,
        inputs=(InputImage(InputRole.SOURCE, source),) if source else (),
        params=fields.rest,
    )


def _read_settings(text: str) -> dict[str, Any]:
    """Map labels to values. A prompt may contain "; ", so only a known label ends a value.

    Line breaks are literal in version 1 and escaped in version 2.
    """
    if not text.startswith("Metadata Version:"):
        return {label: value.strip() for label, value in parse_labels(text, _MARK.finditer(text)).items()}
    found = parse_labels(text, _MARK_V2.finditer(text))
    return {label: _unescape(value).strip() for label, value in found.items()}


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], text)
