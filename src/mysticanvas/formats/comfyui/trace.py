"""ComfyUI: resolves values, texts and links by walking upstream. Walks are bounded and visit a node once.

Source: ComfyUI's own nodes, and the outputs that widely used node packs declare (rgthree, Impact, Use
Everywhere, KJ, WAS, Comfyroll, efficiency, easy, ttN). Unknown nodes are traversed only through inputs with
common names. A value that a node computes is unknown.
"""

import re
from functools import lru_cache
from typing import Any

from mysticanvas.formats.comfyui.graph import MAX_STEPS, Graph, Node, is_link

# Inputs that hold the value in nodes that only pass one on.
_VALUE_INPUTS = (
    "value", "seed", "noise_seed", "int", "Value", "number", "Number", "INT", "float", "FLOAT", "int_value", "seed_num",
    "Seed",
)  # fmt: skip
_TEXT_INPUTS = (
    "text", "Text", "populated_text", "text_g", "text_l", "clip_l", "clip_g", "t5xxl", "bert", "mt5xl", "prompt",
    "Prompt", "string", "String", "STRING", "value", "text_positive", "positive_prompt", "user_prompt", "llama",
    "wildcard_text", "positive", "text1", "any", "source", "input", "string_text", "multiline_text", "text_0",
)  # fmt: skip
# One of these is the complete text of an encoder, whatever its other text inputs contain.
_COMPLETE_TEXT_INPUTS = frozenset(("text", "Text", "prompt", "positive", "negative", "populated_text"))
_JOIN_NODE = re.compile(r"conc|join|combine|merge|append", re.IGNORECASE)
_JOIN_INPUT = re.compile(r"(?:text|string|prompt|str|part)_?([a-z0-9]{1,2})", re.IGNORECASE)
_MAX_JOINS = 12
_SEPARATOR_INPUTS = ("delimiter", "separator", "seperator", "sep")
_CONDITIONING = re.compile(r"(?:conditioning|cond)\w*|positive|negative|base_positive|samples_to|c\d?")
_CONDITIONING_LINKS = (
    "conditioning",
    "positive",
    "conditioning_1",
    "conditioning1",
    "conditioning_to",
    "base_positive",
)
_SWITCH_NODE = re.compile(r"switch|select|branch|toggle|if.?else", re.IGNORECASE)
_SWITCH_OPTION = re.compile(r"(?:any|input|ctx|text|value|image|model|option|in)_?0*(\d{1,3})", re.IGNORECASE)
# Meaning of each output slot of a context or pipe node.
_CONTEXT = (
    "", "model", "clip", "vae", "positive", "negative", "latent", "images", "seed", "steps", "step_refiner", "cfg",
    "ckpt_name", "sampler", "scheduler", "clip_width", "clip_height", "text_pos_g", "text_pos_l", "text_neg_g",
    "text_neg_l", "mask", "control_net",
)  # fmt: skip
_BASIC_PIPE = ("model", "clip", "vae", "positive", "negative")
_PIPES = {
    "Context (rgthree)": _CONTEXT,
    "Context Big (rgthree)": _CONTEXT,
    "Context Switch (rgthree)": _CONTEXT,
    "Context Switch Big (rgthree)": _CONTEXT,
    "Context Merge (rgthree)": _CONTEXT,
    "Context Merge Big (rgthree)": _CONTEXT,
    "FromBasicPipe": _BASIC_PIPE,
    "FromBasicPipe_v2": ("", *_BASIC_PIPE),
    "FromDetailerPipe": _BASIC_PIPE,
    "FromDetailerPipe_v2": ("", *_BASIC_PIPE),
}
_PIPE_INPUT = re.compile(r"base_ctx|ctx_\d+|basic_pipe|detailer_pipe|pipe")
_PASS_THROUGH_NODES = frozenset(("Reroute", "Reroute (rgthree)", "ReroutePrimitive|pysssss", "Bypassed", "Primitive"))


class Trace:
    """Resolves links, values and texts in one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        # True once a text was skipped because a node computes it.
        self.computed = False
        self._steps = 0

    # -- links and values -------------------------------------------------------------------------

    def find_node(self, node: Node, names: tuple[str, ...]) -> Node | None:
        """The node behind the first of these inputs that is linked; None when none is."""
        for name in names:
            found = self.follow_link(node.inputs.get(name))
            if found is not None:
                return found[0]
        return None

    def follow_link(self, value: Any) -> tuple[Node, int] | None:
        """(node, slot) behind a link, through reroutes, switches, contexts and subgraph borders; None without one."""
        found = self.graph.resolve_link(value)
        if found is None or self._pass_through(*found) is None:
            return found
        seen: set[tuple[str, int]] = set()
        while found is not None and (found[0].id, found[1]) not in seen:
            if len(seen) > MAX_STEPS * 2:
                return None
            node, slot = found
            seen.add((node.id, slot))
            further = self._pass_through(node, slot)
            if further is None:
                return found
            found = self.graph.resolve_link(further)
        return None

    def _pass_through(self, node: Node, slot: int) -> Any:
        """The link that a node passes on at an output; None for a node that produces the value itself."""
        kind = node.kind
        if kind in _PASS_THROUGH_NODES:
            by_slot = node.inputs.get(str(slot)) if kind == "Bypassed" else None
            return by_slot or next((value for value in node.inputs.values() if is_link(value)), None)
        if kind == "SubgraphOutput":
            return node.inputs.get(str(slot))
        if kind == "SubgraphInput":
            inside = list(node.inputs.values())
            return inside[slot] if slot < len(inside) and is_link(inside[slot]) else None
        if kind in _PIPES:
            return self._read_pipe_output(node, slot)
        if _is_switch(kind):
            chosen = self._select_switch_input(node)
            return chosen if is_link(chosen) else None
        return None

    def _read_pipe_output(self, node: Node, slot: int) -> Any:
        """The link that was put into a context or pipe for this output, here or further upstream."""
        names = _PIPES[node.kind]
        name = names[slot] if slot < len(names) else ""
        if not name:
            return None
        other = {"images": "image", "latent": "samples"}.get(name, name)
        for _ in range(100):
            given = node.inputs.get(name, node.inputs.get(other))
            if given is not None:
                return given if is_link(given) else None
            up = None
            for key, value in node.inputs.items():
                if _PIPE_INPUT.fullmatch(key) and is_link(value):
                    up = self.graph.resolve_link(value)
                    break
            while up is not None and up[0].kind in _PASS_THROUGH_NODES:
                up = self.graph.resolve_link(next((v for v in up[0].inputs.values() if is_link(v)), None))
            if up is None:
                return None
            node = up[0]
        return None

    def _select_switch_input(self, node: Node) -> Any:
        """The input that a switch selects; None when the graph does not tell."""
        inputs = node.inputs
        options = {int(match[1]): key for key in inputs if (match := _SWITCH_OPTION.fullmatch(key)) and key != "select"}
        for pair in (("on_true", "on_false"), ("tt_value", "ff_value"), ("if_true", "if_false"), ("true", "false")):
            if pair[0] in inputs or pair[1] in inputs:
                flag = next(
                    (self.resolve_value(node, k) for k in ("switch", "boolean", "cond", "condition") if k in inputs),
                    None,
                )
                return inputs.get(pair[0 if flag else 1]) if isinstance(flag, bool | int) else None
        for key in ("select", "index", "Input", "input", "selected", "selection"):
            selected = self.resolve_value(node, key) if key in inputs and not is_link(inputs[key]) else None
            if isinstance(selected, int) and not isinstance(selected, bool) and selected in options:
                return inputs[options[selected]]
        if "rgthree" in node.kind and options:
            # rgthree's switches select the first connected input.
            return next((inputs[options[n]] for n in sorted(options) if is_link(inputs[options[n]])), None)
        links = [value for value in inputs.values() if is_link(value)]
        return links[0] if len(links) == 1 else None

    def resolve_value(self, node: Node, name: str) -> Any:
        """The plain value of an input, also through links; None when it is computed or missing."""
        value = node.inputs.get(name)
        for _ in range(40):
            if not is_link(value):
                return value
            found = self.follow_link(value)
            if found is None:
                return None
            if found[0].kind == "SubgraphInput":
                held = _read_subgraph_input(*found)
                return node.widgets.get(name) if held is None else held
            node, requested = found[0], name
            names = (requested, *_VALUE_INPUTS) if requested else _VALUE_INPUTS
            if _is_computing(node.kind):
                return None
            name = next((key for key in names if key in node.inputs), "")
            value = node.inputs.get(name)
        return None

    def read_text(self, node: Node, name: str) -> str | None:
        value = self.resolve_value(node, name)
        if isinstance(value, dict):
            value = value.get("content")
        return value if isinstance(value, str) and value else None

    def find_upstream_value(self, node: Node | None, name: str) -> Any:
        """The value of the input `name` of `node`, or of the nearest upstream node that is not a sampler."""
        if node is None:
            return None
        if name in node.inputs:
            return self.resolve_value(node, name)
        above = (up for up in self.graph.walk_upstream(node) if name in up.inputs and "latent_image" not in up.inputs)
        holder = next(above, None)
        return self.resolve_value(holder, name) if holder else None

    # -- prompts ----------------------------------------------------------------------------------

    def read_prompts(self, sampler: Node) -> tuple[list[str] | None, list[str] | None]:
        """The distinct positive and negative texts; None for a side without any."""
        holder = sampler
        if not is_link(holder.inputs.get("positive")):
            holder = self.find_node(sampler, ("guider",)) or self._find_pipe_source(sampler) or sampler
        positive = next((n for n in ("positive", "conditioning", "cond1") if n in holder.inputs), "positive")
        return (
            self._collect_texts(holder.inputs.get(positive)),
            self._collect_texts(holder.inputs.get("negative"), negative=True),
        )

    def _find_pipe_source(self, sampler: Node) -> Node | None:
        """The node that put the prompts into the sampler's pipe; None without one."""
        node = self.find_node(sampler, ("basic_pipe", "pipe", "sdxl_tuple", "context"))
        for _ in range(20):
            if node is None or "positive" in node.inputs:
                return node
            node = self.find_node(node, ("basic_pipe", "pipe", "base_ctx", "context"))
        return None

    def _collect_texts(self, value: Any, *, negative: bool = False) -> list[str] | None:
        if isinstance(value, str):
            return [value]
        waiting, seen, texts = [value], set[tuple[str, int]](), list[str]()
        zeroed = False
        for at in range(MAX_STEPS):
            if at >= len(waiting):
                break
            found = self.follow_link(waiting[at])
            if found is None or (found[0].id, found[1]) in seen:
                continue
            node, slot = found
            seen.add((node.id, slot))
            if node.kind == "ConditioningZeroOut":
                zeroed = True
                continue
            for text in (
                self._read_encoder_texts(node, negative=negative or _infer_side(node, slot) == "negative") or ()
            ):
                texts += [text] if text not in texts else []
            waiting += _list_conditioning_links(node, slot)
        if not texts:
            return [""] if zeroed else None
        return [text for text in texts if text.strip()] or [""]

    def _read_encoder_texts(self, node: Node, *, negative: bool) -> list[str] | None:
        """The texts of an encoder node; None for a node that only passes on conditioning."""
        if any(is_link(node.inputs.get(name)) for name in _CONDITIONING_LINKS):
            return None
        names = ("negative", *_TEXT_INPUTS) if negative and "negative" in node.inputs else _TEXT_INPUTS
        parts: list[str] = []
        for name in names:
            if name not in node.inputs:
                continue
            value = node.inputs[name]
            text = self.resolve_text(value, name)
            if text is None and isinstance(node.widgets.get(name), str) and self._is_subgraph_input(value):
                text = node.widgets[name]
            if text is None:
                continue
            parts += [text] if text not in parts else []
            if name in _COMPLETE_TEXT_INPUTS:
                break
        return parts or None

    def resolve_text(self, value: Any, name: str = "", depth: int = 0) -> str | None:
        """Resolve a text through primitives, joins and similar nodes; None when a node computes it."""
        while self._steps < MAX_STEPS * 2:
            self._steps += 1
            if isinstance(value, str):
                return value
            found = self.follow_link(value)
            if found is None:
                return None
            node, slot = found
            if node.kind == "SubgraphInput":
                held = _read_subgraph_input(node, slot)
                return held if isinstance(held, str) else None
            joined = [key for key in node.inputs if _JOIN_INPUT.fullmatch(key)]
            if len(joined) > 1 and _JOIN_NODE.search(node.kind):
                return self._join_parts(node, joined, depth)
            names = self._list_text_inputs(node, slot, name)
            further = next((node.inputs[key] for key in names if key in node.inputs), None)
            if _is_computing(node.kind) or not isinstance(further, str | list):
                self.computed = True
                return None
            shown = node.inputs.get("text_0")
            if is_link(further) and isinstance(shown, str) and self.follow_link(further) is None:
                # The text that the node displayed when the graph ran.
                return shown
            value = further
        return None

    def _list_text_inputs(self, node: Node, slot: int, name: str) -> tuple[str, ...]:
        """The inputs that may hold the text of this output, in order, for a node with several texts."""
        is_negative = name == "negative" or (slot == 1 and {"positive", "negative"} <= set(node.inputs))
        return ("negative", *_TEXT_INPUTS) if is_negative and "negative" in node.inputs else _TEXT_INPUTS

    def _is_subgraph_input(self, value: Any) -> bool:
        """Whether a link ends at a subgraph input that is not connected."""
        found = self.follow_link(value)
        return found is not None and found[0].kind == "SubgraphInput"

    def _join_parts(self, node: Node, names: list[str], depth: int) -> str | None:
        """The known parts, joined in order; None without any."""
        if depth >= _MAX_JOINS:
            return None
        parts = [self.resolve_text(node.inputs[name], depth=depth + 1) for name in names]
        return self._read_separator(node).join(part for part in parts if part) or None

    def _read_separator(self, node: Node) -> str:
        value = next((node.inputs[key] for key in _SEPARATOR_INPUTS if key in node.inputs), "")
        return value.replace("\\n", "\n") if isinstance(value, str) else ""


@lru_cache(maxsize=4_096)
def _is_computing(kind: str) -> bool:
    """Whether nodes of this class compute a result that the graph does not contain."""
    return bool(_COMPUTING_NODE.search(kind[:200]))


@lru_cache(maxsize=4_096)
def _is_switch(kind: str) -> bool:
    return bool(_SWITCH_NODE.search(kind[:200]))


_COMPUTING_NODE = re.compile(
    r"math|expression|\bllm\b|ollama|gemini|chatgpt|openai|florence|caption|blip|interrogat|tagger|joycaption"
    r"|text.?generat|prompt.?generat|enhance|qwen.{0,3}vl|moondream|llava|random.?(?:prompt|line|text)|calculat|regex|replace|translat",
    re.IGNORECASE,
)


def _read_subgraph_input(node: Node, slot: int) -> Any:
    """The value of a subgraph input."""
    inside = list(node.inputs.values())
    return inside[slot] if slot < len(inside) else None


def _infer_side(node: Node, slot: int) -> str | None:
    both = is_link(node.inputs.get("positive")) and is_link(node.inputs.get("negative"))
    return ("positive", "negative")[slot] if both and slot in (0, 1) else None


def _list_conditioning_links(node: Node, slot: int) -> list[Any]:
    side = _infer_side(node, slot)
    if side is not None:
        return [node.inputs[side]]
    return [value for name, value in node.inputs.items() if is_link(value) and _CONDITIONING.fullmatch(name)]
