"""Prints the details of an image for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from mysticanvas.cli.output import format_time, out, table

# The fields that are shown, in this order, with their labels.
_TEXTS = (
    ("uuid", "ID"),
    ("prompt", "Prompt"),
    ("negative_prompt", "Negative prompt"),
    ("notes", "Notes"),
    ("model", "Model"),
    ("vae", "VAE"),
    ("seed", "Seed"),
    ("steps", "Steps"),
    ("cfg_scale", "CFG scale"),
    ("guidance", "Guidance"),
    ("sampler", "Sampler"),
    ("scheduler", "Scheduler"),
    ("denoise", "Denoising strength"),
    ("clip_skip", "Clip skip"),
    ("explicit", "NSFW score"),
)
_STAR = "★"


def print_details(image: Mapping[str, Any]) -> None:
    """Prints an image as `/api/v1/images/{uuid}` describes it. Values that are not set are omitted."""
    rows = table()
    for label, text in _list_details(image):
        rows.add_row(label, text)
    out.print(rows, markup=False)


def _list_details(image: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((label, str(image[name])) for name, label in _TEXTS if image.get(name) not in (None, ""))
    yield from (("LoRA", _format_lora(lora)) for lora in image["loras"])
    if image["width"]:
        yield "Size", f"{image['width']} × {image['height']} px"
    if image["tool"]:
        yield "Generator", " ".join(filter(None, (image["tool"], image["tool_version"])))
    yield "Created", format_time(image["timestamp"])
    yield "Imported", format_time(image["imported_at"])
    if image["rating"] or image["is_favorite"]:
        yield "Rating", _STAR * image["rating"] + (" favorite" if image["is_favorite"] else "")
    if image.get("tags"):
        yield "Tags", ", ".join(image["tags"])
    yield from (("Generation data", f"{name}: {value}") for name, value in (image["params"] or {}).items())
    yield from (("Problem", str(problem)) for problem in image["problems"] or ())
    yield from (("File", _format_file(file)) for file in image["files"])
    if image["deleted"]:
        yield "State", "in Trash"


def _format_lora(lora: Mapping[str, Any]) -> str:
    return lora["name"] if lora["weight"] is None else f"{lora['name']} ({lora['weight']:g})"


def _format_file(file: Mapping[str, Any]) -> str:
    kind = "" if file["kind"] == "final" else f" ({file['kind']})"
    missing = " (missing)" if file["missing"] else ""
    return f"{file['root']}/{file['path']}{kind}{missing}"
