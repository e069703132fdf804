"""ComfyUI: the recipe of an image, traced from the node that saved it.

The API graph is what ran; the editor's graph is read where that is missing. Nothing is guessed: a
text that a node computes is unknown, and a graph with several unlike results says so.
"""

import re
from typing import Any

from mysticanvas.domain.generation import LoraUse, ParentRelation, Recipe
from mysticanvas.formats.comfyui_graph import MAX_STEPS, Graph, Node, is_link
from mysticanvas.formats.json_text import integer, number, small_integer

_LATENTS = ("latent_image", "latent", "samples", "latent_batch", "optional_latent", "image", "images", "pixels")
_NUMBERS = ("value", "seed", "noise_seed", "int", "Value", "number", "INT", "float", "a", "")
_TEXTS = (
    "text",
    "populated_text",
    "text_g",
    "text_l",
    "clip_l",
    "clip_g",
    "t5xxl",
    "prompt",
    "string",
    "value",
    "text_0",
    "positive",
    "user_prompt",
    "wildcard_text",
    "llama",
)
_JOINED = re.compile(r"(text|string|prompt|str)_?([a-z0-9]{1,2})", re.IGNORECASE)
_CONDITIONING = re.compile(r"(conditioning|cond)\w*|positive|negative|base_positive")
_MODELS = ("ckpt_name", "unet_name", "base_ckpt_name", "model_name", "model_path", "gguf_name")
_UI_OUTPUTS = ("PreviewImage", "Preview Image", "Image Preview")


def parse(graph: Graph) -> Recipe:
    """One pass is described: the first of the image's, which the later ones refine."""
    passes, problems = _passes(graph)
    if not passes:
        return Recipe(tool="ComfyUI", problems=("No sampler was found in the ComfyUI graph.",))
    base = passes[0]
    trace = _Trace(graph)
    positive, negative = trace.prompts(base)
    schedule = trace.node_of(base, ("sigmas",))
    sampler = trace.text(base, "sampler_name") or _sampler_class(trace, base)
    guider = trace.node_of(base, ("guider",)) or base
    parent = trace.parent(base)
    width, height = trace.size(base)
    return Recipe(
        tool="ComfyUI",
        prompt=positive,
        negative_prompt=negative,
        seed=_seed(trace, base),
        steps=small_integer(trace.number(base, "steps") or trace.upstream_number(schedule, "steps")),
        cfg_scale=number(trace.number(base, "cfg") if "cfg" in base.inputs else trace.number(guider, "cfg")),
        guidance=trace.guidance(base),
        sampler=sampler,
        scheduler=trace.text(base, "scheduler") or trace.upstream_text(schedule, "scheduler"),
        denoise=_first(number(trace.number(base, "denoise")), number(trace.upstream_number(schedule, "denoise"))),
        clip_skip=trace.clip_skip(base),
        width=width,
        height=height,
        model=trace.model(base),
        vae=None,
        loras=trace.loras(base),
        parent=parent,
        parent_relation=ParentRelation.IMG2IMG if parent else None,
        params={"passes": len(passes)} if len(passes) > 1 else {},
        problems=tuple(problems),
    )


def _seed(trace: "_Trace", base: Node) -> int | None:
    for name in ("seed", "noise_seed"):
        if name in base.inputs:
            return integer(trace.number(base, name))
    noise = trace.node_of(base, ("noise",))
    return integer(trace.number(noise, "noise_seed")) if noise else None


def _sampler_class(trace: "_Trace", base: Node) -> str | None:
    node = trace.node_of(base, ("sampler",))
    if node is None:
        return None
    name = trace.text(node, "sampler_name")
    if name is None and node.kind.startswith("Sampler"):
        words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|\d+", node.kind.removeprefix("Sampler"))
        name = "_".join(words).lower() or None
    return name


def _is_sampler(node: Node) -> bool:
    inputs = node.inputs
    guided = any(is_link(inputs.get(name)) for name in ("positive", "guider", "basic_pipe", "conditioning", "pipe"))
    started = any(name in inputs for name in ("seed", "noise_seed", "noise", "sigmas"))
    steers = any(name in inputs for name in ("steps", "sigmas", "sampler_name", "cfg", "sampler"))
    return guided and started and steers


def _passes(graph: Graph) -> tuple[list[Node], list[str]]:
    """The passes of the saved image, the first one first; sentences about doubt."""
    outputs = [node for node in graph.nodes.values() if _saves(node)]
    real = [node for node in outputs if node.kind not in _UI_OUTPUTS]
    for chosen in (real, outputs):
        found = [_ordered(graph, output) for output in chosen]
        found = [passes for passes in found if passes]
        if found:
            firsts = {passes[0].id for passes in found}
            doubt = ["Several images come from this graph; this may be the recipe of another one."]
            return found[0], doubt if len(firsts) > 1 else []
    alone = [node for node in graph.nodes.values() if _is_sampler(node)]
    return _by_dependence(graph, alone), []


def _saves(node: Node) -> bool:
    return "Save" in node.kind or node.kind in _UI_OUTPUTS or "image saver" in node.kind.lower()


def _ordered(graph: Graph, output: Node) -> list[Node]:
    return _by_dependence(graph, [node for node in graph.upstream(output) if _is_sampler(node)])


def _by_dependence(graph: Graph, samplers: list[Node]) -> list[Node]:
    """Those that depend on no other sampler first; nearest to the output first among equals."""
    ids = {node.id for node in samplers}
    if len(samplers) > 50:
        return samplers
    depth = {node.id: sum(1 for up in graph.upstream(node) if up.id in ids) for node in samplers}
    return sorted(samplers, key=lambda node: depth[node.id])


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


class _Trace:
    """Follows single questions upstream; each walk visits a node once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def node_of(self, node: Node, names: tuple[str, ...]) -> Node | None:
        """The node that one of these inputs is linked to, through reroutes."""
        for name in names:
            found = self._through(node.inputs.get(name))
            if found is not None:
                return found[0]
        return None

    def _through(self, value: Any) -> tuple[Node, int] | None:
        """Where a link leads, behind reroutes and the walls of subgraphs."""
        seen: set[tuple[str, int]] = set()
        found = self._graph.linked(value)
        while found is not None and (found[0].id, found[1]) not in seen and len(seen) < MAX_STEPS * 2:
            node, slot = found
            seen.add((node.id, slot))
            further = _wall(node, slot)
            if further is None:
                return found
            found = self._graph.linked(further)
        return None

    def value(self, node: Node, name: str) -> Any:
        """An input as a plain value; of a linked node, what it holds."""
        value = node.inputs.get(name)
        for _ in range(40):
            if not is_link(value):
                return value
            found = self._through(value)
            if found is None:
                return None
            if found[0].kind == "SubgraphInput":
                held = _held(*found)
                return node.widgets.get(name) if held is None else held
            node, name = found[0], next((key for key in _NUMBERS if key in found[0].inputs), "")
            value = node.inputs.get(name)
        return None

    def number(self, node: Node | None, name: str) -> Any:
        return self.value(node, name) if node is not None else None

    def text(self, node: Node, name: str) -> str | None:
        value = self.value(node, name)
        return value if isinstance(value, str) and value else None

    def upstream_number(self, node: Node | None, name: str) -> Any:
        holder = self._holder(node, name)
        return self.value(holder, name) if holder else None

    def upstream_text(self, node: Node | None, name: str) -> str | None:
        holder = self._holder(node, name)
        return self.text(holder, name) if holder else None

    def _holder(self, node: Node | None, name: str) -> Node | None:
        if node is None or name in node.inputs:
            return node
        return next((up for up in self._graph.upstream(node) if name in up.inputs and not _is_sampler(up)), None)

    # -- texts --------------------------------------------------------------------------------

    def prompts(self, sampler: Node) -> tuple[str | None, str | None]:
        holder = sampler
        if not is_link(holder.inputs.get("positive")):
            holder = self.node_of(sampler, ("guider",)) or self.node_of(sampler, ("basic_pipe", "pipe")) or sampler
        positive = next((n for n in ("positive", "conditioning", "cond1") if n in holder.inputs), "positive")
        return self._conditioning(holder.inputs.get(positive)), self._conditioning(
            holder.inputs.get("negative"), negative=True
        )

    def _conditioning(self, value: Any, *, negative: bool = False) -> str | None:
        """The distinct texts that a conditioning was encoded from."""
        if isinstance(value, str):
            return value
        waiting, seen, texts = [value], set[tuple[str, int]](), list[str]()
        zeroed = False
        while waiting and len(seen) < MAX_STEPS:
            found = self._through(waiting.pop(0))
            if found is None or (found[0].id, found[1]) in seen:
                continue
            node, slot = found
            seen.add((node.id, slot))
            if node.kind == "ConditioningZeroOut":
                zeroed = True
                continue
            text = self._encoded(node, negative=negative or _side(node, slot) == "negative")
            if text is not None:
                texts += [text] if text not in texts else []
                continue
            waiting += _conditionings(node, slot)
        if not texts:
            return "" if zeroed else None
        wanted = [text for text in texts if text] or [""]
        return "\n".join(wanted)

    def _encoded(self, node: Node, *, negative: bool) -> str | None:
        """The text of an encoder; None for a node that only passes conditioning on."""
        if any(
            is_link(node.inputs.get(name)) for name in ("conditioning", "positive", "conditioning_1", "conditioning_to")
        ):
            return None
        names = ("negative", *_TEXTS) if negative and "negative" in node.inputs else _TEXTS
        parts = []
        for name in names:
            if name in node.inputs:
                text = self._string(node.inputs[name])
                if text is None and isinstance(node.widgets.get(name), str) and self._is_wall(node.inputs[name]):
                    text = node.widgets[name]
                if text is not None and text not in parts:
                    parts.append(text)
                if name in ("text", "prompt", "positive", "negative", "populated_text") and text is not None:
                    break
        return "\n".join(part for part in parts if part) if parts else None

    def _string(self, value: Any) -> str | None:
        """A text through primitives, joins and the like; None when a node computes it."""
        for _ in range(MAX_STEPS):
            if isinstance(value, str):
                return value
            found = self._through(value)
            if found is None:
                return None
            node = found[0]
            if node.kind == "SubgraphInput":
                held = _held(*found)
                return held if isinstance(held, str) else None
            joined = [key for key in node.inputs if _JOINED.fullmatch(key)]
            if len(joined) > 1 and ("onc" in node.kind or "oin" in node.kind):
                return self._join(node, joined)
            value = next((node.inputs[key] for key in _TEXTS if key in node.inputs), None)
            if value is None:
                return None
        return None

    def _is_wall(self, value: Any) -> bool:
        """Whether a link leads to an input of a subgraph that nothing is connected to."""
        found = self._through(value)
        return found is not None and found[0].kind == "SubgraphInput"

    def _join(self, node: Node, names: list[str]) -> str | None:
        parts = []
        for name in names:
            value = node.inputs[name]
            if is_link(value):
                found = self._through(value)
                value = found and next((found[0].inputs[key] for key in _TEXTS if key in found[0].inputs), None)
            if isinstance(value, str) and value:
                parts.append(value)
        delimiter = node.inputs.get("delimiter", node.inputs.get("separator", ""))
        return (delimiter if isinstance(delimiter, str) else "").join(parts) or None

    # -- models -------------------------------------------------------------------------------

    def _model_chain(self, sampler: Node) -> list[Node]:
        """From the sampler's model input upwards to its loader."""
        start = sampler
        if not any(is_link(sampler.inputs.get(name)) for name in ("model", "basic_pipe", "pipe")):
            start = self.node_of(sampler, ("guider",)) or sampler
        chain, seen = list[Node](), set[str]()
        node = self.node_of(start, ("model", "basic_pipe", "pipe", "model1"))
        while node is not None and node.id not in seen and len(chain) < MAX_STEPS:
            seen.add(node.id)
            chain.append(node)
            node = self.node_of(node, ("model", "base_model", "basic_pipe", "pipe", "model1"))
        return chain

    def model(self, sampler: Node) -> str | None:
        for node in self._model_chain(sampler):
            for name in _MODELS:
                value = self.value(node, name)
                if isinstance(value, dict):
                    value = value.get("content")
                if isinstance(value, str) and value:
                    return value
        return None

    def loras(self, sampler: Node) -> tuple[LoraUse, ...]:
        found: list[LoraUse] = []
        for node in reversed(self._model_chain(sampler)):
            found += self._loras_of(node)
            stack = self.node_of(node, ("lora_stack", "optional_lora_stack"))
            found += self._loras_of(stack) if stack else []
        return tuple(dict.fromkeys(found))

    def _loras_of(self, node: Node) -> list[LoraUse]:
        if node.kind == "Bypassed":
            return []
        found = []
        for key, value in node.inputs.items():
            if isinstance(value, dict) and isinstance(value.get("lora"), str) and value.get("on", True):
                found.append(LoraUse(value["lora"], number(value.get("strength"))))
            match = re.fullmatch(r"lora_name(?:_?(\d+))?", key)
            name = self.text(node, key) if match else None
            if match and name and name != "None":
                suffix = match[1]
                weights = (
                    ("strength_model", "lora_model_strength")
                    if suffix is None
                    else (f"model_weight_{suffix}", f"lora_wt_{suffix}", f"model_str_{suffix}", f"strength_{suffix}")
                )
                held = next((self.value(node, w) for w in weights if w in node.inputs), None)
                found.append(LoraUse(name, number(held)))
        return found

    def clip_skip(self, sampler: Node) -> int | None:
        for node in self._graph.upstream(sampler):
            if node.kind == "CLIPSetLastLayer":
                layer = small_integer(self.value(node, "stop_at_clip_layer"))
                return -layer if layer is not None and layer < 0 else None
        return None

    def guidance(self, sampler: Node) -> float | None:
        for node in self._graph.upstream(sampler):
            if node.kind == "FluxGuidance":
                return number(self.value(node, "guidance"))
        return None

    # -- where it began -----------------------------------------------------------------------

    def _latent_chain(self, sampler: Node) -> list[Node]:
        chain, seen, node = list[Node](), {sampler.id}, self.node_of(sampler, _LATENTS)
        while node is not None and node.id not in seen:
            seen.add(node.id)
            chain.append(node)
            node = self.node_of(node, _LATENTS)
        return chain

    def size(self, sampler: Node) -> tuple[int | None, int | None]:
        for node in self._latent_chain(sampler):
            if "width" in node.inputs and "height" in node.inputs:
                return small_integer(self.value(node, "width")), small_integer(self.value(node, "height"))
            if "empty_latent_width" in node.inputs:
                width, height = self.value(node, "empty_latent_width"), self.value(node, "empty_latent_height")
                return small_integer(width), small_integer(height)
        return None, None

    def parent(self, sampler: Node) -> str | None:
        for node in self._latent_chain(sampler):
            if node.kind.startswith("LoadImage"):
                return self.text(node, "image")
        return None


def _wall(node: Node, slot: int) -> Any:
    """What a node that only passes on passes on; None for a real node."""
    if node.kind in ("Reroute", "Reroute (rgthree)"):
        return next((value for value in node.inputs.values() if is_link(value)), None)
    if node.kind == "SubgraphOutput":
        return node.inputs.get(str(slot))
    if node.kind == "SubgraphInput":
        inside = list(node.inputs.values())
        return inside[slot] if slot < len(inside) and is_link(inside[slot]) else None
    return None


def _held(node: Node, slot: int) -> Any:
    """The plain value that an input of a subgraph was given."""
    inside = list(node.inputs.values())
    return inside[slot] if slot < len(inside) else None


def _side(node: Node, slot: int) -> str | None:
    both = is_link(node.inputs.get("positive")) and is_link(node.inputs.get("negative"))
    return ("positive", "negative")[slot] if both and slot in (0, 1) else None


def _conditionings(node: Node, slot: int) -> list[Any]:
    side = _side(node, slot)
    if side is not None:
        return [node.inputs[side]]
    return [value for name, value in node.inputs.items() if _CONDITIONING.fullmatch(name) and is_link(value)]
