"""ComfyUI's group nodes: one of the editor's nodes that stands for several, turned into a subgraph.

Source: the editor's own `groupNode.js`. A definition has nodes in the order in which they run, links between
their places in that order, and outputs that others were linked to when it was made (`external`). What an
instance shows follows from it: inputs that no inner link feeds, then widgets that were made inputs; the
widgets of each node in turn; outputs that no inner link takes, and those of `external`.
"""

from typing import Any

from mysticanvas.formats.comfyui.widgets import widgets_of

_AFTER = "control_after_generate"


def definitions_of(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Type of an instance to the definition, whose nodes are objects with a type."""
    extra = said.get("extra")
    groups = extra.get("groupNodes") if isinstance(extra, dict) else None
    found: dict[str, dict[str, Any]] = {}
    for name, group in groups.items() if isinstance(groups, dict) else ():
        nodes = group.get("nodes") if isinstance(group, dict) else None
        if isinstance(nodes, list) and all(isinstance(n, dict) and isinstance(n.get("type"), str) for n in nodes):
            found |= {f"workflow{sign}{name}": group for sign in "/>"}
    return found


def as_subgraph(group: dict[str, Any], instance: dict[str, Any]) -> dict[str, Any]:
    """The form that subgraphs have, with the values that this instance gives its inner widgets."""
    nodes = group["nodes"]
    links = _Links(group)
    outer = [one.get("name") for one in _slots(instance, "inputs")]
    # Which inner inputs are fed from outside, in the order of the instance's own.
    open_inputs = [(at, slot) for at, slot, is_widget in _open_inputs(nodes, links) if not is_widget]
    open_inputs += [(at, slot) for at, slot, is_widget in _open_inputs(nodes, links) if is_widget]
    for number, (at, slot) in enumerate(open_inputs[: len(outer)]):
        links.add(-10, number, at, slot)
    for number, (at, slot) in enumerate(_open_outputs(nodes, links)):
        links.add(at, slot, -20, number)
    inner = []
    values = _values(nodes, instance.get("widgets_values"))
    for at, node in enumerate(nodes):
        slots = [one | {"link": links.into.get((at, slot))} for slot, one in enumerate(_slots(node, "inputs"))]
        inner.append(node | {"id": at, "inputs": slots, "widgets_values": values[at]})
    return {"nodes": inner, "links": links.listed, "inputs": [{"name": name} for name in outer]}


class _Links:
    """`into`: (place of a node, input slot) to the number of its link; `taken`: outputs that inner links take."""

    def __init__(self, group: dict[str, Any]) -> None:
        self.listed: list[dict[str, int]] = []
        self.into: dict[tuple[int, int], int] = {}
        self.taken: set[tuple[int, int]] = set()
        self.external = {(origin, slot) for origin, slot in _rows(_with_places(group.get("external")), 2)}
        for origin, slot, target, target_slot in _rows(group.get("links"), 4):
            self.taken.add((origin, slot))
            self.add(origin, slot, target, target_slot)

    def add(self, origin: int, slot: int, target: int, target_slot: int) -> None:
        number = len(self.listed)
        self.into[target, target_slot] = number
        self.listed.append(
            {"id": number, "origin_id": origin, "origin_slot": slot, "target_id": target, "target_slot": target_slot}
        )


def _with_places(external: Any) -> list[Any]:
    """Early editors kept the node itself where its place belongs."""
    rows = [one for one in external if isinstance(one, list) and one] if isinstance(external, list) else []
    return [[one[0].get("index"), *one[1:]] if isinstance(one[0], dict) else one for one in rows]


def _rows(value: Any, length: int) -> list[list[int]]:
    """Of lists that begin with so many integers; what else they hold is not asked for."""
    rows = [one[:length] for one in value if isinstance(one, list)] if isinstance(value, list) else []
    return [row for row in rows if len(row) == length and all(type(number) is int for number in row)]


def _slots(node: dict[str, Any], side: str) -> list[dict[str, Any]]:
    listed = node.get(side)
    return [one if isinstance(one, dict) else {} for one in listed] if isinstance(listed, list) else []


def _open_inputs(nodes: list[dict[str, Any]], links: _Links) -> list[tuple[int, int, bool]]:
    """(place of the node, slot, whether it was a widget) of what no inner link feeds."""
    return [
        (at, slot, "widget" in one)
        for at, node in enumerate(nodes)
        for slot, one in enumerate(_slots(node, "inputs"))
        if (at, slot) not in links.into and not ("widget" in one and "localized_name" in one)
    ]


def _open_outputs(nodes: list[dict[str, Any]], links: _Links) -> list[tuple[int, int]]:
    return [
        (at, slot)
        for at, node in enumerate(nodes)
        for slot in range(len(_slots(node, "outputs")))
        if (at, slot) not in links.taken or (at, slot) in links.external
    ]


def _values(nodes: list[dict[str, Any]], given: Any) -> list[dict[str, Any]]:
    """The widgets of each node by name; none where their number is another than the instance's, since
    a definition keeps what they were when it was made."""
    names = [_widget_names(node) for node in nodes]
    values = given if isinstance(given, list) else []
    if sum(map(len, names)) != len(values):
        return [{} for _ in nodes]
    rest = iter(values)
    return [{name: next(rest) for name in of_node} for of_node in names]


def _widget_names(node: dict[str, Any]) -> list[str]:
    """Without those that were made inputs, and what is done to them after each run."""
    made_inputs = {
        one["widget"].get("name")
        for one in _slots(node, "inputs")
        if isinstance(one.get("widget"), dict) and ("localized_name" not in one or one.get("link") is not None)
    }
    names = list(widgets_of(node))
    return [
        name
        for before, name in zip([None, *names], names, strict=False)
        if name not in made_inputs and not (name == _AFTER and before in made_inputs)
    ]
