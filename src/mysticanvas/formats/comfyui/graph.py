"""ComfyUI graphs: nodes by id. Links are followed without recursion.

Source: ComfyUI's API format, {id: {class_type, inputs}}; a link is [id, slot]. `comfyui_editor.py` converts the
editor format to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_STEPS = 20_000
_MAX_CACHED = 100
# Exact types: a bool is not a valid id.
_ID_TYPES = (str, int)


@dataclass(frozen=True, slots=True)
class Node:
    id: str
    kind: str
    inputs: dict[str, Any]
    # Values that the editor shows for linked inputs. They apply when the link yields no value.
    widgets: dict[str, Any] = field(default_factory=dict)


class Graph:
    """Nodes in file order."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes
        self._ancestors: dict[str, list[Node]] = {}
        self._origins: dict[str, list[tuple[str, Node]]] = {}

    def list_ancestors(self, start: Node) -> list[Node]:
        """Every node that `start` depends on, nearest first. Cached `walk_upstream`."""
        found = self._ancestors.get(start.id)
        if found is None:
            found = list(self.walk_upstream(start))
            if len(self._ancestors) < _MAX_CACHED:
                self._ancestors[start.id] = found
        return found

    def resolve_link(self, value: Any) -> tuple[Node, int] | None:
        """(node, slot) that a link points to; None for a plain value or a dangling link."""
        if not is_link(value):
            return None
        node = self.nodes.get(str(value[0]))
        return (node, value[1]) if node else None

    def walk_upstream(self, start: Node, *, without: frozenset[str] = frozenset()) -> Iterator[Node]:
        """Every node that `start` depends on, nearest first, each once. Inputs in `without` are not followed."""
        seen, waiting = {start.id}, [start]
        for node in waiting:
            for name, origin in self._list_origins(node):
                if origin.id not in seen and name not in without:
                    seen.add(origin.id)
                    waiting.append(origin)
                    yield origin

    def _list_origins(self, node: Node) -> list[tuple[str, Node]]:
        """(input name, linked node) pairs of a node. Cached, since many walks pass the same node."""
        found = self._origins.get(node.id)
        if found is None:
            links = [(name, value[0]) for name, value in node.inputs.items() if is_link(value)]
            found = [(name, origin) for name, key in links if (origin := self.nodes.get(str(key))) is not None]
            self._origins[node.id] = found
        return found


def is_link(value: Any) -> bool:
    return type(value) is list and len(value) == 2 and type(value[1]) is int and type(value[0]) in _ID_TYPES


def graph_from_api(data: dict[str, Any]) -> Graph | None:
    """The graph of an object in API format; None when it has no nodes."""
    nodes = {}
    for key, value in data.items():
        if isinstance(value, dict) and isinstance(value.get("class_type"), str):
            inputs = value.get("inputs")
            nodes[key] = Node(key, value["class_type"], inputs if isinstance(inputs, dict) else {})
    return Graph(nodes) if nodes else None
