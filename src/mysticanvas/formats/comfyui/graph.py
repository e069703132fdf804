"""ComfyUI graphs: nodes by id, links followed without recursion.

Source: ComfyUI's API format: {id: {class_type, inputs}}, a link being [id, slot]. The editor's format is
turned into it by `comfyui_editor.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_STEPS = 20_000
_MAX_KEPT = 100
# Compared as they are: a bool is no number here.
_ID_TYPES = (str, int)


@dataclass(frozen=True, slots=True)
class Node:
    id: str
    kind: str
    inputs: dict[str, Any]
    # What the editor shows for inputs that are linked, which is what counts when the link gives nothing.
    widgets: dict[str, Any] = field(default_factory=dict)


class Graph:
    """Nodes in the order of the file."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes
        self._above: dict[str, list[Node]] = {}
        self._origins: dict[str, list[tuple[str, Node]]] = {}

    def above(self, start: Node) -> list[Node]:
        """Every node that `start` depends on, nearest first: `upstream`, kept for those asked for often."""
        found = self._above.get(start.id)
        if found is None:
            found = list(self.upstream(start))
            if len(self._above) < _MAX_KEPT:
                self._above[start.id] = found
        return found

    def linked(self, value: Any) -> tuple[Node, int] | None:
        """The node and slot that a link leads to; None for a value, or a link that leads nowhere."""
        if not is_link(value):
            return None
        node = self.nodes.get(str(value[0]))
        return (node, value[1]) if node else None

    def upstream(self, start: Node, *, without: frozenset[str] = frozenset()) -> Iterator[Node]:
        """Every node that `start` depends on, nearest first, each once; not through inputs named in
        `without`."""
        seen, waiting = {start.id}, [start]
        for node in waiting:
            for name, origin in self._origins_of(node):
                if origin.id not in seen and name not in without:
                    seen.add(origin.id)
                    waiting.append(origin)
                    yield origin

    def _origins_of(self, node: Node) -> list[tuple[str, Node]]:
        """(input, the node that it is linked to), kept: walks come by again and again."""
        found = self._origins.get(node.id)
        if found is None:
            links = [(name, value[0]) for name, value in node.inputs.items() if is_link(value)]
            found = [(name, origin) for name, key in links if (origin := self.nodes.get(str(key))) is not None]
            self._origins[node.id] = found
        return found


def is_link(value: Any) -> bool:
    return type(value) is list and len(value) == 2 and type(value[1]) is int and type(value[0]) in _ID_TYPES


def of_api(said: dict[str, Any]) -> Graph | None:
    """None for JSON that is no graph of nodes."""
    nodes = {}
    for key, value in said.items():
        if isinstance(value, dict) and isinstance(value.get("class_type"), str):
            inputs = value.get("inputs")
            nodes[key] = Node(key, value["class_type"], inputs if isinstance(inputs, dict) else {})
    return Graph(nodes) if nodes else None
