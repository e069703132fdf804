"""ComfyUI's editor graph, its subgraphs and group nodes laid open.

Source: the editor's format: nodes with numbered links and positional widget values. Subgraphs are in
`definitions.subgraphs`, group nodes, which came before them, in `extra.groupNodes`.
"""

from typing import Any

from mysticanvas.formats.comfyui.graph import Graph, Node, is_link
from mysticanvas.formats.comfyui.groups import as_subgraph, definitions_of
from mysticanvas.formats.comfyui.widgets import widgets_of

_MUTED, _BYPASSED = 2, 4
_MAX_NESTING = 4
_MAX_NODES = 50_000
# Nodes and links that are looked at, those of a subgraph once for each time that it is used.
_MAX_LOOKED_AT = 200_000

Links = dict[Any, tuple[Any, int, int, Any]]


def of_workflow(said: dict[str, Any]) -> Graph | None:
    """None for JSON that is no such graph."""
    if not isinstance(said.get("nodes"), list):
        return None
    laying = _Laying(said)
    laying.lay_open(said, "", depth=0)
    _join_by_name(laying.nodes)
    return Graph(laying.nodes) if laying.nodes else None


class _Laying:
    """`nodes` are those found so far, by their ids in the API's format."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.nodes: dict[str, Node] = {}
        self._left = _MAX_LOOKED_AT
        self._groups = definitions_of(said)
        definitions = said.get("definitions")
        listed = definitions.get("subgraphs") if isinstance(definitions, dict) else None
        self._subgraphs = {one["id"]: one for one in _dicts(listed) if isinstance(one.get("id"), str)}

    def lay_open(self, graph: dict[str, Any], prefix: str, *, depth: int) -> None:
        self._left -= sum(len(graph[key]) for key in ("nodes", "links") if isinstance(graph.get(key), list))
        if self._left < 0:
            return
        links = _links(graph)
        for raw in _dicts(graph.get("nodes")):
            if len(self.nodes) >= _MAX_NODES:
                return
            is_node = isinstance(raw.get("id"), str | int) and isinstance(raw.get("type"), str)
            if is_node and raw.get("mode") != _MUTED:
                self._add(raw, f"{prefix}{raw['id']}", links, prefix, depth)

    def _add(self, raw: dict[str, Any], key: str, links: Links, prefix: str, depth: int) -> None:
        widgets = widgets_of(raw)
        inputs = widgets | _linked(raw, links, prefix)
        subgraph = self._subgraph(raw)
        if raw.get("mode") == _BYPASSED:
            self.nodes[key] = Node(key, "Bypassed", _passed_on(raw, links, prefix))
        elif subgraph is None:
            self.nodes[key] = Node(key, raw["type"], inputs, widgets)
        elif depth < _MAX_NESTING:
            self._lay_open_subgraph(subgraph, key, raw, inputs, depth)

    def _subgraph(self, raw: dict[str, Any]) -> dict[str, Any] | None:
        group = self._groups.get(raw["type"])
        if group is None:
            return self._subgraphs.get(raw["type"])
        self._left -= len(group["nodes"])
        return as_subgraph(group, raw) if self._left >= 0 else None

    def _lay_open_subgraph(
        self, subgraph: dict[str, Any], key: str, raw: dict[str, Any], inputs: dict[str, Any], depth: int
    ) -> None:
        """The instance becomes a pipe: its inner nodes have ids of their own, and -10 and -20 lead in and out."""
        self.lay_open(subgraph, f"{key}:", depth=depth + 1)
        names = [one.get("name") for one in _dicts(subgraph.get("inputs"))]
        given = {str(name): inputs.get(name) for name in names if name}
        self.nodes[f"{key}:-10"] = Node(f"{key}:-10", "SubgraphInput", given)
        outs = _links(subgraph) if self._left >= 0 else {}
        into = {link[2]: [f"{key}:{link[0]}", link[1]] for link in outs.values() if str(link[3]) == "-20"}
        self.nodes[key] = Node(key, "SubgraphOutput", {str(slot): origin for slot, origin in sorted(into.items())})
        _promote(raw, key, self.nodes)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _passed_on(raw: dict[str, Any], links: Links, prefix: str) -> dict[str, Any]:
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


def _links(graph: dict[str, Any]) -> Links:
    """Link number to (origin id, origin slot, target slot, target id)."""
    found: Links = {}
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


def _linked(raw: dict[str, Any], links: Links, prefix: str) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for slot in _dicts(raw.get("inputs")):
        if not isinstance(slot.get("name"), str):
            continue
        link = links.get(slot.get("link")) if isinstance(slot.get("link"), int) else None
        if link is not None:
            inputs[slot["name"]] = [f"{prefix}{link[0]}", link[1]]
    return inputs
