"""Mochi Diffusion: labels in IPTC's caption; version 2 of its record has a line a setting.

Source: its SDImage and MetadataCodec.
"""

import re
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.json_text import Said, size_of
from mysticanvas.formats.labels import labelled

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
_MARK_OF_SECOND = re.compile("^(" + "|".join(_MOCHI_LABELS) + "): ?", re.MULTILINE)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse(text: str) -> Recipe | None:
    if "Generator: Mochi Diffusion" not in text:
        return None
    said = Said(_mochi_settings(text))
    width, height = size_of(said.all.get("Size"))
    version = said.all["Generator"].removeprefix("Mochi Diffusion").strip() if "Generator" in said.all else ""
    source = said.name("Starting Image")
    upscaler = said.name("Upscaler")
    said.take("Size", "Generator", "Metadata Version")
    return Recipe(
        tool="Mochi Diffusion",
        tool_version=version or None,
        prompt=said.text("Include in Image"),
        negative_prompt=said.text("Exclude from Image"),
        seed=said.integer("Seed"),
        steps=said.small("Steps"),
        cfg_scale=said.number("Guidance Scale"),
        scheduler=said.name("Scheduler"),
        denoise=said.number("Strength"),
        width=width,
        height=height,
        model=said.name("Model"),
        models=(ModelUse(ModelKind.UPSCALER, upscaler),) if upscaler else (),
        parent=source,
        parent_relation=ParentRelation.IMG2IMG if source else None,
        inputs=(InputImage(InputRole.SOURCE, source),) if source else (),
        params=said.rest,
    )


def _mochi_settings(text: str) -> dict[str, Any]:
    """A prompt may hold "; ", so only a known label ends a value; line breaks are written as they are
    in the first version of the record, and escaped in the second."""
    if not text.startswith("Metadata Version:"):
        return {label: value.strip() for label, value in labelled(text, _MARK.finditer(text)).items()}
    found = labelled(text, _MARK_OF_SECOND.finditer(text))
    return {label: _unescaped(value).strip() for label, value in found.items()}


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], text)
