"""The data of another program's library, and the report of a migration."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ForeignTag:
    """`source` says who assigned the tag, in the terms of the other program."""

    name: str
    category: str | None
    source: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class ForeignImage:
    """`path` is relative to the image folder of the other program, and may be outdated. `generation_data` has the keys
    of a sidecar, and only values that were set explicitly, without defaults."""

    id: str
    path: str
    made_ms: int | None
    generation_data: dict[str, Any]
    favorite: bool
    rating: int
    parent: str | None
    tags: tuple[ForeignTag, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignTemplate:
    """A reusable prompt. `key` identifies it within the other program."""

    key: str
    name: str
    content: str
    negative: str | None
    category: str | None
    uses: int
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SkippedItems:
    """What was not migrated, how many items, and why."""

    what: str
    count: int
    why: str


@dataclass(slots=True)
class MigrationReport:
    """`images` = `matched` + `missing` + `known`: found in this library, added as missing images, or already migrated
    and not changed. `gallery` is the name of the other program. `ratings`, `favorites`, `tags`, `parents`, `templates`
    and `aliases` count what was added. A dry run predicts the numbers."""

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
    skipped: list[SkippedItems] = field(default_factory=list)
