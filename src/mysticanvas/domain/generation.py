"""An image and how it was made."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NewType

from mysticanvas.domain.model import ModelUse

GenerationId = NewType("GenerationId", int)
"""The internal primary key of an image, in chronological order: (seconds since 2010) << 8 | n. It is negative for dates
before 2010 and never 0. If the date is in the future, the time of the import is used instead. Clients use the UUID."""

SECONDS_OF_2010 = 1_262_304_000
BEFORE_ALL_IDS = -(2**63)
# A clock that shows an earlier time was not set.
MIN_CLOCK_MS = 1_600_000_000_000
# Clocks and time zones of other machines differ by less.
MAX_AHEAD_MS = 24 * 60 * 60 * 1000


class ParentRelation(StrEnum):
    IMG2IMG = "img2img"
    INPAINT = "inpaint"
    UPSCALE = "upscale"
    VARIATION = "variation"
    REPRODUCTION = "reproduction"


class TimestampSource(StrEnum):
    """Where `timestamp` came from, most trusted first."""

    METADATA = "metadata"
    FILE_NAME = "file_name"
    MTIME = "mtime"


def is_in_future(moment_ms: int, *, now_ms: int) -> bool:
    """Whether a date is wrong because it is in the future. False while the clock of this machine is not set."""
    return now_ms >= MIN_CLOCK_MS and moment_ms > now_ms + MAX_AHEAD_MS


@dataclass(frozen=True, slots=True)
class LoraUse:
    name: str
    weight: float | None = None
    hash: str | None = None


class InputRole(StrEnum):
    """How an image was used to make another. SOURCE is the parent; the others guided the generation."""

    SOURCE = "source"
    MASK = "mask"
    CONTROL = "control"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class InputImage:
    """An input image as the file of the result names it: a name, path or URL, a hash, or both.

    `hash_kind` is what was hashed, and how: "file_sha256", "file_md5", "pixels_md5" …; None: unknown.
    """

    role: InputRole
    name: str | None = None
    hash: str | None = None
    hash_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one image was made, as its file or sidecar records it. None: not recorded.

    `width` and `height` are the requested size, not the pixels of the file. `seed` is exact
    and may exceed 64 bits. `parent` is the name, path or hash of the source image as recorded;
    `inputs` are all input images, the source first. `models` are those without a field of
    their own: refiners, embeddings, ControlNets, upscalers, text encoders.
    `params` holds every other setting, ready for JSON. `problems` are sentences for the user about what could
    not be parsed.
    """

    tool: str | None = None
    tool_version: str | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    guidance: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    denoise: float | None = None
    clip_skip: int | None = None
    width: int | None = None
    height: int | None = None
    model: str | None = None
    model_hash: str | None = None
    vae: str | None = None
    loras: tuple[LoraUse, ...] = ()
    models: tuple[ModelUse, ...] = ()
    parent: str | None = None
    parent_relation: ParentRelation | None = None
    inputs: tuple[InputImage, ...] = ()
    generation_time_ms: int | None = None
    created_ms: int | None = None
    params: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
