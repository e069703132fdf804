"""ComfyUI graphs: nodes by id, links followed without recursion.

Source: ComfyUI's API format ({id: {class_type, inputs}}, a link being [id, slot]), and the editor's
format (nodes with numbered links and positional widget values), which is turned into the first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mysticanvas.formats.comfyui_widgets import widgets_of

MAX_STEPS = 20_000
_MUTED, _BYPASSED = 2, 4
_MAX_NESTING = 4
_MAX_NODES = 50_000
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


def of_workflow(said: dict[str, Any]) -> Graph | None:
    """The editor's graph, its subgraphs laid open; None for JSON that is none."""
    if not isinstance(said.get("nodes"), list):
        return None
    definitions = said.get("definitions")
    listed = definitions.get("subgraphs") if isinstance(definitions, dict) else None
    inner = {
        s["id"]: s
        for s in (listed if isinstance(listed, list) else [])
        if isinstance(s, dict) and isinstance(s.get("id"), str)
    }
    nodes: dict[str, Node] = {}
    _lay_open(said, "", inner, nodes, depth=0)
    _join_by_name(nodes)
    return Graph(nodes) if nodes else None


def _lay_open(graph: dict[str, Any], prefix: str, inner: dict[str, Any], nodes: dict[str, Node], *, depth: int) -> None:
    links = _links(graph)
    for raw in _dicts(graph.get("nodes")):
        if not isinstance(raw.get("id"), str | int) or not isinstance(raw.get("type"), str):
            continue
        if raw.get("mode") == _MUTED or len(nodes) >= _MAX_NODES:
            continue
        key = f"{prefix}{raw['id']}"
        inputs = _inputs(raw, links, prefix)
        subgraph = inner.get(raw["type"])
        if raw.get("mode") == _BYPASSED:
            nodes[key] = Node(key, "Bypassed", _passed_on(raw, links, prefix))
        elif subgraph is None:
            nodes[key] = Node(key, raw["type"], inputs, widgets_of(raw))
        elif depth < _MAX_NESTING:
            _lay_open_subgraph(subgraph, key, raw, inputs, inner, nodes, depth)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _passed_on(raw: dict[str, Any], links: dict[Any, tuple[Any, int, int, Any]], prefix: str) -> dict[str, Any]:
    """A bypassed node hands on, at each output, its first input of the same type."""
    found: dict[str, Any] = {}
    for slot, output in enumerate(_dicts(raw.get("outputs"))):
        for one in _dicts(raw.get("inputs")):
            link = links.get(one.get("link")) if isinstance(one.get("link"), int) else None
            if link is not None and one.get("type") == output.get("type"):
                found[str(slot)] = [f"{prefix}{link[0]}", link[1]]
                break
    return found


def _join_by_name(nodes: dict[str, Node]) -> None:
    """What one node sets under a name, others get by it, without a link."""
    setters = {str(node.inputs.get("name")): node for node in nodes.values() if node.kind == "SetNode"}
    for key, node in list(nodes.items()):
        if node.kind == "GetNode":
            setter = setters.get(str(node.inputs.get("name")))
            nodes[key] = Node(key, "Reroute", {"": [setter.id, 0]} if setter else {})
    for setter in setters.values():
        given = next((value for value in setter.inputs.values() if is_link(value)), None)
        nodes[setter.id] = Node(setter.id, "Reroute", {"": given} if given else {})


def _lay_open_subgraph(
    subgraph: dict[str, Any],
    key: str,
    raw: dict[str, Any],
    inputs: dict[str, Any],
    inner: dict[str, Any],
    nodes: dict[str, Node],
    depth: int,
) -> None:
    """The instance becomes a pipe: its inner nodes have ids of their own, and -10 and -20 lead in and out."""
    _lay_open(subgraph, f"{key}:", inner, nodes, depth=depth + 1)
    names = [i.get("name") for i in _dicts(subgraph.get("inputs"))]
    nodes[f"{key}:-10"] = Node(f"{key}:-10", "SubgraphInput", {str(n): inputs.get(n) for n in names if n})
    outs = _links(subgraph)
    into = {link[2]: [f"{key}:{link[0]}", link[1]] for link in outs.values() if str(link[3]) == "-20"}
    nodes[key] = Node(key, "SubgraphOutput", {str(slot): origin for slot, origin in sorted(into.items())})
    _promote(raw, key, nodes)


def _promote(raw: dict[str, Any], key: str, nodes: dict[str, Node]) -> None:
    """Values set on the instance stand for widgets of nodes inside it."""
    properties = raw.get("properties")
    proxies = properties.get("proxyWidgets") if isinstance(properties, dict) else None
    values = raw.get("widgets_values")
    if not isinstance(proxies, list) or not isinstance(values, list):
        return
    for proxy, value in zip(proxies, values, strict=False):
        if isinstance(proxy, list) and len(proxy) == 2:
            node = nodes.get(f"{key}:{proxy[0]}")
            if node is not None and not is_link(node.inputs.get(str(proxy[1]))):
                node.inputs[str(proxy[1])] = value


def _links(graph: dict[str, Any]) -> dict[Any, tuple[Any, int, int, Any]]:
    """Link number to (origin id, origin slot, target slot, target id)."""
    found: dict[Any, tuple[Any, int, int, Any]] = {}
    listed = graph.get("links")
    for link in listed if isinstance(listed, list) else []:
        if isinstance(link, list) and len(link) >= 5:
            number, origin, slot, target, target_slot = link[:5]
        elif isinstance(link, dict):
            number, origin, slot = link.get("id"), link.get("origin_id"), link.get("origin_slot", 0)
            target, target_slot = link.get("target_id"), link.get("target_slot", 0)
        else:
            continue
        if isinstance(number, int) and isinstance(slot, int) and isinstance(target_slot, int):
            found[number] = (origin, slot, target_slot, target)
    return found


def _inputs(raw: dict[str, Any], links: dict[Any, tuple[Any, int, int, Any]], prefix: str) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for slot in _dicts(raw.get("inputs")):
        if not isinstance(slot.get("name"), str):
            continue
        link = links.get(slot.get("link")) if isinstance(slot.get("link"), int) else None
        if link is not None:
            inputs[slot["name"]] = [f"{prefix}{link[0]}", link[1]]
    return widgets_of(raw) | inputs
