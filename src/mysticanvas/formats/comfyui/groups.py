"""Converts ComfyUI group nodes, each of which represents several nodes, into subgraphs.

Source: the editor's `groupNode.js`. A definition has nodes in execution order, links between positions in that
order, and outputs that were linked to outer nodes when the group was created (`external`). An instance shows:
inputs without an inner link, then widgets converted to inputs; the widgets of each node in turn; outputs without
an inner link, and those in `external`.
"""

from typing import Any

from mysticanvas.formats.comfyui.widgets import read_widgets

_AFTER = "control_after_generate"


def read_group_definitions(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Map the type of an instance to its definition. Every node of a definition is a dict with a type."""
    extra = data.get("extra")
    groups = extra.get("groupNodes") if isinstance(extra, dict) else None
    found: dict[str, dict[str, Any]] = {}
    for name, group in groups.items() if isinstance(groups, dict) else ():
        nodes = group.get("nodes") if isinstance(group, dict) else None
        if isinstance(nodes, list) and all(isinstance(n, dict) and isinstance(n.get("type"), str) for n in nodes):
            found |= {f"workflow{sign}{name}": group for sign in "/>"}
    return found


def convert_to_subgraph(group: dict[str, Any], instance: dict[str, Any]) -> dict[str, Any]:
    """The group as a subgraph definition, with this instance's values for the inner widgets."""
    nodes = group["nodes"]
    links = _Links(group)
    outer = [one.get("name") for one in _list_slots(instance, "inputs")]
    # Inner inputs that the instance's inputs feed, in the same order.
    open_inputs = [(at, slot) for at, slot, is_widget in _find_open_inputs(nodes, links) if not is_widget]
    open_inputs += [(at, slot) for at, slot, is_widget in _find_open_inputs(nodes, links) if is_widget]
    for number, (at, slot) in enumerate(open_inputs[: len(outer)]):
        links.add(-10, number, at, slot)
    for number, (at, slot) in enumerate(_find_open_outputs(nodes, links)):
        links.add(at, slot, -20, number)
    inner = []
    values = _assign_widget_values(nodes, instance.get("widgets_values"))
    for at, node in enumerate(nodes):
        slots = [one | {"link": links.into.get((at, slot))} for slot, one in enumerate(_list_slots(node, "inputs"))]
        inner.append(node | {"id": at, "inputs": slots, "widgets_values": values[at]})
    return {"nodes": inner, "links": links.rows, "inputs": [{"name": name} for name in outer]}


class _Links:
    """`into` maps (node position, input slot) to its link number; `used` holds the outputs of inner links."""

    def __init__(self, group: dict[str, Any]) -> None:
        self.rows: list[dict[str, int]] = []
        self.into: dict[tuple[int, int], int] = {}
        self.used: set[tuple[int, int]] = set()
        self.external = {
            (origin, slot) for origin, slot in _read_integer_rows(_normalize_external(group.get("external")), 2)
        }
        for origin, slot, target, target_slot in _read_integer_rows(group.get("links"), 4):
            self.used.add((origin, slot))
            self.add(origin, slot, target, target_slot)

    def add(self, origin: int, slot: int, target: int, target_slot: int) -> None:
        number = len(self.rows)
        self.into[target, target_slot] = number
        self.rows.append(
            {"id": number, "origin_id": origin, "origin_slot": slot, "target_id": target, "target_slot": target_slot}
        )


def _normalize_external(external: Any) -> list[Any]:
    """Replace nodes by their position: early editors stored the node itself in `external`."""
    rows = [one for one in external if isinstance(one, list) and one] if isinstance(external, list) else []
    return [[one[0].get("index"), *one[1:]] if isinstance(one[0], dict) else one for one in rows]


def _read_integer_rows(value: Any, length: int) -> list[list[int]]:
    """The first `length` items of each inner list, for lists that begin with that many integers."""
    rows = [one[:length] for one in value if isinstance(one, list)] if isinstance(value, list) else []
    return [row for row in rows if len(row) == length and all(type(number) is int for number in row)]


def _list_slots(node: dict[str, Any], side: str) -> list[dict[str, Any]]:
    listed = node.get(side)
    return [one if isinstance(one, dict) else {} for one in listed] if isinstance(listed, list) else []


def _find_open_inputs(nodes: list[dict[str, Any]], links: _Links) -> list[tuple[int, int, bool]]:
    """(node position, slot, whether it is a converted widget) of every input without an inner link."""
    return [
        (at, slot, "widget" in one)
        for at, node in enumerate(nodes)
        for slot, one in enumerate(_list_slots(node, "inputs"))
        if (at, slot) not in links.into and not ("widget" in one and "localized_name" in one)
    ]


def _find_open_outputs(nodes: list[dict[str, Any]], links: _Links) -> list[tuple[int, int]]:
    return [
        (at, slot)
        for at, node in enumerate(nodes)
        for slot in range(len(_list_slots(node, "outputs")))
        if (at, slot) not in links.used or (at, slot) in links.external
    ]


def _assign_widget_values(nodes: list[dict[str, Any]], given: Any) -> list[dict[str, Any]]:
    """Widget values of each node, by name. All empty when the number of values differs from the definition:
    the definition is not updated when a node class changes its widgets."""
    names = [_list_widget_names(node) for node in nodes]
    values = given if isinstance(given, list) else []
    if sum(map(len, names)) != len(values):
        return [{} for _ in nodes]
    rest = iter(values)
    return [{name: next(rest) for name in of_node} for of_node in names]


def _list_widget_names(node: dict[str, Any]) -> list[str]:
    """Widget names of a node, without those converted to inputs and their "control after generate" widgets."""
    made_inputs = {
        one["widget"].get("name")
        for one in _list_slots(node, "inputs")
        if isinstance(one.get("widget"), dict) and ("localized_name" not in one or one.get("link") is not None)
    }
    names = list(read_widgets(node))
    return [
        name
        for before, name in zip([None, *names], names, strict=False)
        if name not in made_inputs and not (name == _AFTER and before in made_inputs)
    ]
