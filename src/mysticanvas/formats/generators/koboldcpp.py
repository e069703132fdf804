"""KoboldCpp: labeled settings separated by `|`.

Source: sdtype_adapter in its source code.
"""

import re

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.generators.infotext import extract_loras
from mysticanvas.formats.json_text import FieldReader, parse_size
from mysticanvas.formats.labels import parse_labels

_KOBOLD_MARK = re.compile(r"(?:^| ?\| ?)([A-Z][A-Za-z]*(?: [a-z]+)?): ?")


def parse(text: str) -> Recipe | None:
    if not text.startswith("Prompt: ") or "Version: KoboldCpp" not in text[-200:]:
        return None
    found = parse_labels(text, (mark for mark in _KOBOLD_MARK.finditer(text) if mark[1] in _KOBOLD_LABELS))
    fields = FieldReader(dict(found))
    width, height = parse_size(found.get("Size"))
    fields.take("Size", "Version")
    prompt = fields.text("Prompt")
    # Earlier versions write the number of the sampling method.
    method, _, schedule = (fields.name("Sampler") or "").partition(" ")
    skip = fields.int32("Clip skip")
    return Recipe(
        tool="KoboldCpp",
        prompt=prompt,
        negative_prompt=fields.text("NegativePrompt"),
        seed=fields.integer("Seed"),
        steps=fields.int32("Steps"),
        cfg_scale=fields.number("CFGScale"),
        guidance=fields.number("Guidance"),
        sampler=method or None,
        scheduler=schedule or None,
        clip_skip=skip if skip is not None and skip > 0 else None,
        width=width,
        height=height,
        model=fields.name("Model"),
        vae=fields.name("VAE"),
        loras=extract_loras(prompt or "", {}, {}),
        params=fields.rest,
    )


_KOBOLD_LABELS = frozenset(
    ("Prompt", "NegativePrompt", "Steps", "CFGScale", "Guidance", "Seed", "Size", "Sampler", "Clip skip", "Model",
     "VAE", "Version")
)  # fmt: skip
