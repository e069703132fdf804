"""What another gallery knows, in our words."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ForeignTag:
    """`source` is who gave it there, as that gallery puts it."""

    name: str
    category: str | None
    source: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class ForeignImage:
    """`path` is where that gallery thinks the file is, relative to its folder of images. `said` is how
    the image was made, in the keys of a sidecar; only what the gallery was told, never its defaults."""

    id: str
    path: str
    made_ms: int | None
    said: dict[str, Any]
    favorite: bool
    rating: int
    parent: str | None
    tags: tuple[ForeignTag, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignTemplate:
    """A reusable prompt. `key` names it within its gallery."""

    key: str
    name: str
    content: str
    negative: str | None
    category: str | None
    uses: int
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What did not come over, how much of it, and why."""

    what: str
    count: int
    why: str


@dataclass(slots=True)
class LibraryReport:
    """`images` = `matched` + `missing` + `known`: found among the images here, absent, or taken over by
    an earlier import and left alone. In a dry run, what would be."""

    gallery: str
    dry_run: bool
    images: int = 0
    matched: int = 0
    missing: int = 0
    known: int = 0
    ratings: int = 0
    favorites: int = 0
    tags: int = 0
    parents: int = 0
    templates: int = 0
    aliases: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
