"""KoboldCpp: labels between bars.

Source: its sdtype_adapter.
"""

import re

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.generators.infotext import loras_of
from mysticanvas.formats.json_text import Said, size_of
from mysticanvas.formats.labels import labelled

_KOBOLD_MARK = re.compile(r"(?:^| ?\| ?)([A-Z][A-Za-z]*(?: [a-z]+)?): ?")


def parse(text: str) -> Recipe | None:
    if not text.startswith("Prompt: ") or "Version: KoboldCpp" not in text[-200:]:
        return None
    found = labelled(text, (mark for mark in _KOBOLD_MARK.finditer(text) if mark[1] in _KOBOLD_LABELS))
    said = Said(dict(found))
    width, height = size_of(found.get("Size"))
    said.take("Size", "Version")
    prompt = said.text("Prompt")
    # Earlier versions wrote the number of the method.
    method, _, schedule = (said.name("Sampler") or "").partition(" ")
    skip = said.small("Clip skip")
    return Recipe(
        tool="KoboldCpp",
        prompt=prompt,
        negative_prompt=said.text("NegativePrompt"),
        seed=said.integer("Seed"),
        steps=said.small("Steps"),
        cfg_scale=said.number("CFGScale"),
        guidance=said.number("Guidance"),
        sampler=method or None,
        scheduler=schedule or None,
        clip_skip=skip if skip is not None and skip > 0 else None,
        width=width,
        height=height,
        model=said.name("Model"),
        vae=said.name("VAE"),
        loras=loras_of(prompt or "", {}, {}),
        params=said.rest,
    )


_KOBOLD_LABELS = frozenset(
    ("Prompt", "NegativePrompt", "Steps", "CFGScale", "Guidance", "Seed", "Size", "Sampler", "Clip skip", "Model",
     "VAE", "Version")
)  # fmt: skip
