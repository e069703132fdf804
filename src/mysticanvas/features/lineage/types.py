"""What came from what."""

from dataclasses import dataclass

MAX_NODES = 200


@dataclass(frozen=True, slots=True)
class Node:
    """`layer` is 0 for the image that was asked for and its siblings, negative for ancestors, positive
    for descendants; an edge always leads to a higher layer. `role`: self, ancestor, descendant, sibling."""

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
    """`child` was made from `parent`, both uuids. `sure`: known by a hash or said by the person."""

    parent: str
    child: str
    relation: str
    sure: bool


@dataclass(frozen=True, slots=True)
class UnknownInput:
    """An image that the file names and the library does not have."""

    role: str
    name: str | None
    hash: str | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """`truncated`: there is more than is shown. `parent_by`: how the parent is known: hash, name, user;
    'user' without a parent says that there is none."""

    nodes: list[Node]
    edges: list[Edge]
    unknown: list[UnknownInput]
    parent_by: str | None
    truncated: bool
