"""Reads how a file was generated, without a library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from mysticanvas.library.records import Lora


@dataclass(frozen=True, slots=True)
class GenerationData:
    """How an image file was generated, as the file and its sidecars say. A field that they do not contain is None.

    `width` and `height` are the pixels that were generated, `width_px` and `height_px` those of the file. `problems`
    are sentences about parts that could not be read.
    """

    format: str
    width_px: int | None
    height_px: int | None
    generator: str | None
    generator_version: str | None
    prompt: str | None
    negative_prompt: str | None
    model: str | None
    model_hash: str | None
    vae: str | None
    loras: tuple[Lora, ...]
    seed: int | None
    steps: int | None
    cfg_scale: float | None
    guidance: float | None
    sampler: str | None
    scheduler: str | None
    denoise: float | None
    clip_skip: int | None
    width: int | None
    height: int | None
    problems: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)


_SAME = (
    "format",
    "width_px",
    "height_px",
    "prompt",
    "negative_prompt",
    "model",
    "model_hash",
    "vae",
    "seed",
    "steps",
    "cfg_scale",
    "guidance",
    "sampler",
    "scheduler",
    "denoise",
    "clip_skip",
    "width",
    "height",
    "params",
)


def read_metadata(path: str | PathLike[str]) -> GenerationData:
    """Reads the generation data of one image file, and of the sidecars beside it.

    Raises `UnreadableFileError` with the reason if the file is not an image or cannot be read.
    """
    # Imported here, because it loads every parser.
    from mysticanvas.features.importing.inspect import inspect

    row = inspect(Path(path))
    return GenerationData(
        **{name: row[name] for name in _SAME},
        generator=row["tool"],
        generator_version=row["tool_version"],
        loras=tuple(Lora(**one) for one in row["loras"]),
        problems=tuple(row["problems"]),
    )
