"""Texts of labels and values that are no infotext: Mochi Diffusion, KoboldCpp, Midjourney."""

import re
from datetime import UTC, datetime
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.infotext import loras_of
from mysticanvas.formats.json_text import Said
from mysticanvas.formats.keyed import size_of

# -- Mochi Diffusion: SDImage.swift; version 2 of its record has a line a setting -----------------------

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
_MOCHI_MARK = re.compile(r"(?:^|; |\n)(" + "|".join(_MOCHI_LABELS) + "): ?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse_mochi(text: str) -> Recipe | None:
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
    """A prompt may hold "; ", so only a known label ends a value."""
    is_second = text.startswith("Metadata Version:")
    marks = list(_MOCHI_MARK.finditer(text))
    found: dict[str, Any] = {}
    for mark, end in zip(marks, [mark.start() for mark in marks[1:]] + [len(text)], strict=True):
        value = text[mark.end() : end]
        if is_second:
            value = _ESCAPED.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], value)
        found.setdefault(mark[1], value.strip())
    return found


# -- KoboldCpp: sdtype_adapter.cpp ----------------------------------------------------------------------

_KOBOLD_MARK = re.compile(r"(?:^| ?\| ?)([A-Z][A-Za-z]*(?: [a-z]+)?): ?")


def parse_koboldcpp(text: str) -> Recipe | None:
    if not text.startswith("Prompt: ") or "Version: KoboldCpp" not in text[-200:]:
        return None
    marks = [mark for mark in _KOBOLD_MARK.finditer(text) if mark[1] in _KOBOLD_LABELS]
    found: dict[str, Any] = {}
    for mark, end in zip(marks, [mark.start() for mark in marks[1:]] + [len(text)], strict=True):
        found.setdefault(mark[1], text[mark.end() : end])
    said = Said(found)
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

# -- Midjourney: the description of its downloads ------------------------------------------------------------

_JOB = re.compile(r"Job ID: ([0-9a-f]{8}-[0-9a-f-]{27})")
_FLAGS = re.compile(r"(?:^|\s)--(?=[A-Za-z])")
_URL = re.compile(r"https?://\S{1,500}")


def parse_midjourney(texts: dict[str, str]) -> Recipe | None:
    description = texts.get("Description") or texts.get("dc:description") or texts.get("ImageDescription") or ""
    job = _JOB.search(description)
    if job is None:
        return None
    said = description[: job.start()] + " " + description[job.end() :]
    prompt, *flags = _FLAGS.split(said.strip())
    given: dict[str, Any] = {}
    for flag in flags:
        name, _, value = flag.strip().partition(" ")
        given.setdefault(name, value.strip())
    version = given.get("v") or given.get("version")
    if version is None and "niji" in given:
        version = f"niji {given['niji']}".strip()
    rest = Said(given)
    negative, seed = rest.text("no"), rest.integer("seed")
    rest.take("v", "version")
    links = _URL.findall(prompt)
    return Recipe(
        tool="Midjourney",
        tool_version=version,
        prompt=prompt.strip(),
        negative_prompt=negative,
        seed=seed,
        inputs=tuple(InputImage(InputRole.REFERENCE, link) for link in links[:10]),
        created_ms=_mail_date(texts.get("Creation Time")),
        params=rest.rest
        | {"job_id": job[1], "raw_prompt": said.strip()}
        | ({"author": texts["Author"]} if texts.get("Author") else {}),
    )


_MAIL_DATE = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC|[+-]0000)"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _mail_date(text: str | None) -> int | None:
    """ "Thu, 06 Mar 2025 08:49:39 GMT", in milliseconds."""
    match = _MAIL_DATE.fullmatch((text or "").strip())
    if match is None or match[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match[group]) for group in (1, 3, 4, 5, 6))
    try:
        moment = datetime(year, _MONTHS.index(match[2]) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return round(moment.timestamp() * 1000)
