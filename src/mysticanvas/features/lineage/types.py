"""The lineage around an image."""

from dataclasses import dataclass

MAX_NODES = 200


@dataclass(frozen=True, slots=True)
class Node:
    """`layer` is 0 for the requested image and its siblings, negative for ancestors and positive for descendants. An
    edge always leads to a higher layer. `role`: self, ancestor, descendant or sibling."""

    uuid: str
    layer: int
    role: str
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
class Edge:
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

    nodes: list[Node]
    edges: list[Edge]
    unknown: list[UnknownInput]
    parent_by: str | None
    truncated: bool
