"""ComfyUI graphs: nodes by id, links followed without recursion.

Source: ComfyUI's API format ({id: {class_type, inputs}}, a link being [id, slot]), and the editor's
format (nodes with numbered links and positional widget values), which is turned into the first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_STEPS = 20_000
# Widgets by class for editors that did not write their names.
_WIDGETS = {
    "KSampler": ("seed", "control_after_generate", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": (
        "add_noise",
        "noise_seed",
        "control_after_generate",
        "steps",
        "cfg",
        "sampler_name",
        "scheduler",
        "start_at_step",
        "end_at_step",
        "return_with_leftover_noise",
    ),
    "CLIPTextEncode": ("text",),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name", "weight_dtype"),
    "VAELoader": ("vae_name",),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "SaveImage": ("filename_prefix",),
    "LoadImage": ("image", "upload"),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "RandomNoise": ("noise_seed", "control_after_generate"),
    "FluxGuidance": ("guidance",),
    "CLIPSetLastLayer": ("stop_at_clip_layer",),
    "PrimitiveNode": ("value", "control_after_generate"),
}
_MUTED, _BYPASSED = 2, 4


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

    def linked(self, value: Any) -> tuple[Node, int] | None:
        """The node and slot that a link leads to; None for a value, or a link that leads nowhere."""
        if not is_link(value):
            return None
        node = self.nodes.get(str(value[0]))
        return (node, value[1] if isinstance(value[1], int) else 0) if node else None

    def upstream(self, start: Node) -> Iterator[Node]:
        """Every node that `start` depends on, nearest first, each once."""
        seen, waiting = {start.id}, [start]
        for node in waiting:
            for value in node.inputs.values():
                found = self.linked(value)
                if found is not None and found[0].id not in seen:
                    seen.add(found[0].id)
                    waiting.append(found[0])
                    yield found[0]


def is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int) and isinstance(value[1], int)


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
    inner = {s["id"]: s for s in listed or [] if isinstance(s, dict) and isinstance(s.get("id"), str)}
    nodes: dict[str, Node] = {}
    _lay_open(said, "", inner, nodes, depth=0)
    return Graph(nodes) if nodes else None


def _lay_open(graph: dict[str, Any], prefix: str, inner: dict[str, Any], nodes: dict[str, Node], *, depth: int) -> None:
    links = _links(graph)
    for raw in graph.get("nodes") or []:
        if not isinstance(raw, dict) or "id" not in raw or not isinstance(raw.get("type"), str):
            continue
        if raw.get("mode") == _MUTED:
            continue
        key = f"{prefix}{raw['id']}"
        inputs = _inputs(raw, links, prefix)
        subgraph = inner.get(raw["type"])
        if subgraph is None:
            kind = "Bypassed" if raw.get("mode") == _BYPASSED else raw["type"]
            nodes[key] = Node(key, kind, inputs, _widgets(raw))
        elif depth < 4:
            _lay_open_subgraph(subgraph, key, raw, inputs, inner, nodes, depth)


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
    names = [i.get("name") for i in subgraph.get("inputs") or [] if isinstance(i, dict)]
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
    found = {}
    for link in graph.get("links") or []:
        if isinstance(link, list) and len(link) >= 5:
            found[link[0]] = (link[1], link[2], link[4], link[3])
        elif isinstance(link, dict) and "id" in link:
            found[link["id"]] = (
                link.get("origin_id"),
                link.get("origin_slot", 0),
                link.get("target_slot", 0),
                link.get("target_id"),
            )
    return found


def _inputs(raw: dict[str, Any], links: dict[Any, tuple[Any, int, int, Any]], prefix: str) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for slot in raw.get("inputs") or []:
        if not isinstance(slot, dict) or not isinstance(slot.get("name"), str):
            continue
        link = links.get(slot.get("link")) if isinstance(slot.get("link"), int) else None
        if link is not None:
            inputs[slot["name"]] = [f"{prefix}{link[0]}", link[1]]
    return _widgets(raw) | inputs


def _widgets(raw: dict[str, Any]) -> dict[str, Any]:
    """Values of a node's widgets by name."""
    values = raw.get("widgets_values")
    if isinstance(values, dict):
        return values
    if not isinstance(values, list):
        return {}
    slots = [slot for slot in raw.get("inputs") or [] if isinstance(slot, dict)]
    names = [str(slot["widget"].get("name")) for slot in slots if isinstance(slot.get("widget"), dict)]
    order = _WIDGETS.get(raw["type"]) or _with_controls(names, values) or _guessed(values)
    return dict(zip(order, values, strict=False))


def _with_controls(names: list[str], values: list[Any]) -> list[str]:
    """The editor's order: a seed is followed by what happens to it after each run."""
    if len(names) == len(values):
        return names
    order = []
    for name in names:
        order.append(name)
        if name in ("seed", "noise_seed"):
            order.append("control_after_generate")
    return order


def _guessed(values: list[Any]) -> list[str]:
    return ["value" if index == 0 else f"widget_{index}" for index in range(len(values))]
