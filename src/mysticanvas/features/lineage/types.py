"""The lineage around an image."""

from dataclasses import dataclass
from typing import Literal

MAX_NODES = 200
Role = Literal["self", "ancestor", "descendant", "sibling"]


@dataclass(frozen=True, slots=True)
class LineageNode:
    """`layer` is 0 for the requested image and its siblings, negative for ancestors and positive for descendants. An
    edge always leads to a higher layer."""

    uuid: str
    layer: int
    role: Role
    thumb: str | None
    color: int | None
    width: int | None
    height: int | None
    timestamp: int
    favorite: bool
    rating: int
    missing: bool
    deleted: bool


@dataclass(frozen=True, slots=True)
class LineageEdge:
    """`child` was made from `parent`, both UUIDs. `sure`: matched by hash or set by the user."""

    parent: str
    child: str
    relation: str
    sure: bool


@dataclass(frozen=True, slots=True)
class UnknownInput:
    """An input in the file that is not in the library."""

    role: str
    name: str | None
    hash: str | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """`truncated`: some images are not included. `parent_by`: how the parent is known: hash, name or user; 'user'
    without a parent means that the user removed it."""

    nodes: list[LineageNode]
    edges: list[LineageEdge]
    unknown: list[UnknownInput]
    parent_by: str | None
    truncated: bool


EXAMPLE_LINEAGE = Lineage(
    nodes=[
        LineageNode(
            uuid="0b7c2d4e-5f60-4a1b-9c3d-2e4f6a8b0c1d",
            layer=0,
            role="self",
            thumb=None,
            color=0x4A3B7C,
            width=832,
            height=1216,
            timestamp=1_787_400_000_000,
            favorite=True,
            rating=5,
            missing=False,
            deleted=False,
        )
    ],
    edges=[],
    unknown=[UnknownInput("source", "sketch.png", None)],
    parent_by=None,
    truncated=False,
)
