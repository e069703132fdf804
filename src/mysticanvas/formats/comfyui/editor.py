"""Converts ComfyUI's editor graph into the API form, with subgraphs and group nodes flattened.

Source: the editor's workflow format: nodes with numbered links and positional widget values. Subgraphs are in
`definitions.subgraphs`; group nodes, their predecessor, are in `extra.groupNodes`.
"""

from typing import Any

from mysticanvas.formats.comfyui.graph import Graph, Node, is_link
from mysticanvas.formats.comfyui.groups import convert_to_subgraph, read_group_definitions
from mysticanvas.formats.comfyui.widgets import read_widgets

_MUTED, _BYPASSED = 2, 4
_MAX_NESTING = 4
_MAX_NODES = 50_000
# Nodes and links to visit. Those of a subgraph count once per instance.
_MAX_VISITED = 200_000

Links = dict[Any, tuple[Any, int, int, Any]]


def graph_from_workflow(data: dict[str, Any]) -> Graph | None:
    """The flattened graph; None when `data` is not an editor graph or has no nodes."""
    if not isinstance(data.get("nodes"), list):
        return None
    flattener = _Flattener(data)
    flattener.flatten(data, "", depth=0)
    _connect_set_get_nodes(flattener.nodes)
    return Graph(flattener.nodes) if flattener.nodes else None


class _Flattener:
    """Collects the nodes of a graph and its subgraphs in `nodes`, by their API ids ("4", "12:3")."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.nodes: dict[str, Node] = {}
        self._visits_left = _MAX_VISITED
        self._groups = read_group_definitions(data)
        definitions = data.get("definitions")
        listed = definitions.get("subgraphs") if isinstance(definitions, dict) else None
        self._subgraphs = {one["id"]: one for one in _list_dicts(listed) if isinstance(one.get("id"), str)}

    def flatten(self, graph: dict[str, Any], prefix: str, *, depth: int) -> None:
        self._visits_left -= sum(len(graph[key]) for key in ("nodes", "links") if isinstance(graph.get(key), list))
        if self._visits_left < 0:
            return
        links = _read_links(graph)
        for raw in _list_dicts(graph.get("nodes")):
            if len(self.nodes) >= _MAX_NODES:
                return
            is_node = isinstance(raw.get("id"), str | int) and isinstance(raw.get("type"), str)
            if is_node and raw.get("mode") != _MUTED:
                self._add(raw, f"{prefix}{raw['id']}", links, prefix, depth)

    def _add(self, raw: dict[str, Any], key: str, links: Links, prefix: str, depth: int) -> None:
        widgets = read_widgets(raw)
        inputs = widgets | _read_linked_inputs(raw, links, prefix)
        subgraph = self._find_subgraph(raw)
        if raw.get("mode") == _BYPASSED:
            self.nodes[key] = Node(key, "Bypassed", _bypass_links(raw, links, prefix))
        elif subgraph is None:
            self.nodes[key] = Node(key, raw["type"], inputs, widgets)
        elif depth < _MAX_NESTING:
            self._flatten_subgraph(subgraph, key, raw, inputs, depth)

    def _find_subgraph(self, raw: dict[str, Any]) -> dict[str, Any] | None:
        group = self._groups.get(raw["type"])
        if group is None:
            return self._subgraphs.get(raw["type"])
        self._visits_left -= len(group["nodes"])
        return convert_to_subgraph(group, raw) if self._visits_left >= 0 else None

    def _flatten_subgraph(
        self, subgraph: dict[str, Any], key: str, raw: dict[str, Any], inputs: dict[str, Any], depth: int
    ) -> None:
        """Replace an instance by its inner nodes, with an input node (-10) and an output node (the instance's id)."""
        self.flatten(subgraph, f"{key}:", depth=depth + 1)
        names = [one.get("name") for one in _list_dicts(subgraph.get("inputs"))]
        given = {str(name): inputs.get(name) for name in names if name}
        self.nodes[f"{key}:-10"] = Node(f"{key}:-10", "SubgraphInput", given)
        outs = _read_links(subgraph) if self._visits_left >= 0 else {}
        into = {link[2]: [f"{key}:{link[0]}", link[1]] for link in outs.values() if str(link[3]) == "-20"}
        self.nodes[key] = Node(key, "SubgraphOutput", {str(slot): origin for slot, origin in sorted(into.items())})
        _apply_proxy_widgets(raw, key, self.nodes)


def _list_dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _bypass_links(raw: dict[str, Any], links: Links, prefix: str) -> dict[str, Any]:
    """Links of a bypassed node: each output slot passes on the first input of the same type."""
    found: dict[str, Any] = {}
    for slot, output in enumerate(_list_dicts(raw.get("outputs"))):
        for one in _list_dicts(raw.get("inputs")):
            link = links.get(one.get("link")) if isinstance(one.get("link"), int) else None
            if link is not None and one.get("type") == output.get("type"):
                found[str(slot)] = [f"{prefix}{link[0]}", link[1]]
                break
    return found


def _connect_set_get_nodes(nodes: dict[str, Node]) -> None:
    """Replace SetNode and GetNode pairs, which are connected by name, with linked reroutes."""
    setters = {str(node.inputs.get("name")): node for node in nodes.values() if node.kind == "SetNode"}
    for key, node in list(nodes.items()):
        if node.kind == "GetNode":
            setter = setters.get(str(node.inputs.get("name")))
            nodes[key] = Node(key, "Reroute", {"": [setter.id, 0]} if setter else {})
    for setter in setters.values():
        given = next((value for value in setter.inputs.values() if is_link(value)), None)
        nodes[setter.id] = Node(setter.id, "Reroute", {"": given} if given else {})


def _apply_proxy_widgets(raw: dict[str, Any], key: str, nodes: dict[str, Node]) -> None:
    """Write values set on a subgraph instance to the inner widgets that they override."""
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


def _read_links(graph: dict[str, Any]) -> Links:
    """Map each link number to (origin id, origin slot, target slot, target id)."""
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


def _read_linked_inputs(raw: dict[str, Any], links: Links, prefix: str) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for slot in _list_dicts(raw.get("inputs")):
        if not isinstance(slot.get("name"), str):
            continue
        link = links.get(slot.get("link")) if isinstance(slot.get("link"), int) else None
        if link is not None:
            inputs[slot["name"]] = [f"{prefix}{link[0]}", link[1]]
    return inputs
