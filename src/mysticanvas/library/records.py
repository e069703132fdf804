"""The objects that the library returns. All are immutable, and are a copy of what the library held at that moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA that an image was made with. `weight` is None if the file does not name one."""

    name: str
    weight: float | None
    hash: str | None


@dataclass(frozen=True, slots=True)
class Image:
    """An image and how it was generated. A field is None if the file does not contain it.

    `path` is the file of the image; None if no file is known. `missing` means that the file was gone at the last scan.
    `taken` is when the image was made, and `added` when it was imported. `rating` is 0 to 5 (0: unrated). `seed` can
    exceed 64 bits. `width` and `height` are pixels. `generator` is the program that made the file, and `params` holds
    the parameters that have no field of their own. `nsfw_score` is 0 to 1; None if the image was not analyzed.
    """

    uuid: str
    path: Path | None
    taken: datetime
    added: datetime
    rating: int
    favorite: bool
    notes: str
    tags: tuple[str, ...]
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
    generator: str | None
    generator_version: str | None
    nsfw_score: float | None
    missing: bool
    in_trash: bool
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Edit:
    """A change that one undo reverts. `changed` of `total` images differ after it. `state` is "done", "undone" or
    "expired"."""

    id: int
    changed: int
    total: int
    state: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An edit in the history. `kind` is the name of the change, such as "rating"."""

    id: int
    at: datetime
    kind: str
    changed: int
    state: str


@dataclass(frozen=True, slots=True)
class Tag:
    """`images` counts the images with this tag. `alias_of` is the name of the tag that an alias stands for."""

    name: str
    category: str | None
    images: int
    alias_of: str | None


@dataclass(frozen=True, slots=True)
class Collection:
    """A smart collection has a `query`; a manual one has None. `images` is None if the search cannot be counted."""

    uuid: str
    name: str
    query: str | None
    images: int | None


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """`state` is "listing", "reading" or "done". `seen` files were found, `todo` of them are still to be read."""

    state: str
    seen: int
    todo: int
    imported: int
    failed: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import, in files. `failures` are the files that could not be read, with the reason."""

    imported: int
    unchanged: int
    moved: int
    copies: int
    missing: int
    failed: int
    seconds: float
    failures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in the library. `id` continues a stream: `library.events(since=event.id)`."""

    id: str
    kind: str
    uuids: tuple[str, ...]
    data: Mapping[str, Any] = field(default_factory=dict, hash=False)


def parse_time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
