"""ComfyUI: single questions followed upstream; each walk is bounded and visits a node once.

Source: ComfyUI's own nodes, and the outputs that widely used node packs declare (rgthree, Impact, Use
Everywhere, KJ, WAS, Comfyroll, efficiency, easy, ttN). A node that is unknown is passed only where its
inputs have the names that others use; a value that a node computes is unknown.
"""

import re
from functools import lru_cache
from typing import Any

from mysticanvas.formats.comfyui.graph import MAX_STEPS, Graph, Node, is_link

# Inputs that hold a plain value in nodes that only pass one on.
_VALUES = ("value", "seed", "noise_seed", "int", "Value", "number", "Number", "INT", "float", "FLOAT", "int_value",
           "seed_num", "Seed")  # fmt: skip
_TEXTS = (
    "text", "Text", "populated_text", "text_g", "text_l", "clip_l", "clip_g", "t5xxl", "bert", "mt5xl", "prompt",
    "Prompt", "string", "String", "STRING", "value", "text_positive", "positive_prompt", "user_prompt", "llama",
    "wildcard_text", "positive", "text1", "any", "source", "input", "string_text", "multiline_text", "text_0",
)  # fmt: skip
# One of these is the whole text of an encoder, whatever other texts it has.
_WHOLE_TEXTS = frozenset(("text", "Text", "prompt", "positive", "negative", "populated_text"))
_JOINS = re.compile(r"conc|join|combine|merge|append", re.IGNORECASE)
_JOINED = re.compile(r"(?:text|string|prompt|str|part)_?([a-z0-9]{1,2})", re.IGNORECASE)
_MAX_JOINS = 12
_SEPARATORS = ("delimiter", "separator", "seperator", "sep")
_CONDITIONING = re.compile(r"(?:conditioning|cond)\w*|positive|negative|base_positive|samples_to|c\d?")
_ENDS_CONDITIONING = ("conditioning", "positive", "conditioning_1", "conditioning1", "conditioning_to", "base_positive")
_SWITCHES = re.compile(r"switch|select|branch|toggle|if.?else", re.IGNORECASE)
_OPTION = re.compile(r"(?:any|input|ctx|text|value|image|model|option|in)_?0*(\d{1,3})", re.IGNORECASE)
# What the outputs of a context or pipe are, by slot.
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
_PASSES_ON = frozenset(("Reroute", "Reroute (rgthree)", "ReroutePrimitive|pysssss", "Bypassed", "Primitive"))


class Trace:
    """Answers about one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        # Whether a text was left out because a node computed it.
        self.computed = False
        self._steps = 0

    # -- links and values -------------------------------------------------------------------------

    def node_of(self, node: Node, names: tuple[str, ...]) -> Node | None:
        """The node that the first linked one of these inputs leads to."""
        for name in names:
            found = self.through(node.inputs.get(name))
            if found is not None:
                return found[0]
        return None

    def through(self, value: Any) -> tuple[Node, int] | None:
        """Where a link leads, behind reroutes, switches, contexts and the walls of subgraphs."""
        found = self.graph.linked(value)
        if found is None or self._passed_on(*found) is None:
            return found
        seen: set[tuple[str, int]] = set()
        while found is not None and (found[0].id, found[1]) not in seen:
            if len(seen) > MAX_STEPS * 2:
                return None
            node, slot = found
            seen.add((node.id, slot))
            further = self._passed_on(node, slot)
            if further is None:
                return found
            found = self.graph.linked(further)
        return None

    def _passed_on(self, node: Node, slot: int) -> Any:
        """The link that a node hands on at an output; None for a node that makes what it gives."""
        kind = node.kind
        if kind in _PASSES_ON:
            by_slot = node.inputs.get(str(slot)) if kind == "Bypassed" else None
            return by_slot or next((value for value in node.inputs.values() if is_link(value)), None)
        if kind == "SubgraphOutput":
            return node.inputs.get(str(slot))
        if kind == "SubgraphInput":
            inside = list(node.inputs.values())
            return inside[slot] if slot < len(inside) and is_link(inside[slot]) else None
        if kind in _PIPES:
            return self._out_of_pipe(node, slot)
        if _switches(kind):
            chosen = self._chosen(node)
            return chosen if is_link(chosen) else None
        return None

    def _out_of_pipe(self, node: Node, slot: int) -> Any:
        """What was put into a context or pipe under the name of this output, here or further up."""
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
                    up = self.graph.linked(value)
                    break
            while up is not None and up[0].kind in _PASSES_ON:
                up = self.graph.linked(next((v for v in up[0].inputs.values() if is_link(v)), None))
            if up is None:
                return None
            node = up[0]
        return None

    def _chosen(self, node: Node) -> Any:
        """The input that a switch lets through; None when the graph does not say."""
        inputs = node.inputs
        options = {int(match[1]): key for key in inputs if (match := _OPTION.fullmatch(key)) and key != "select"}
        for pair in (("on_true", "on_false"), ("tt_value", "ff_value"), ("if_true", "if_false"), ("true", "false")):
            if pair[0] in inputs or pair[1] in inputs:
                flag = next(
                    (self.value(node, k) for k in ("switch", "boolean", "cond", "condition") if k in inputs), None
                )
                return inputs.get(pair[0 if flag else 1]) if isinstance(flag, bool | int) else None
        for key in ("select", "index", "Input", "input", "selected", "selection"):
            wanted = self.value(node, key) if key in inputs and not is_link(inputs[key]) else None
            if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted in options:
                return inputs[options[wanted]]
        if "rgthree" in node.kind and options:
            # The first that has something.
            return next((inputs[options[n]] for n in sorted(options) if is_link(inputs[options[n]])), None)
        links = [value for value in inputs.values() if is_link(value)]
        return links[0] if len(links) == 1 else None

    def value(self, node: Node, name: str) -> Any:
        """An input as a plain value; of a linked node, what it holds."""
        value = node.inputs.get(name)
        for _ in range(40):
            if not is_link(value):
                return value
            found = self.through(value)
            if found is None:
                return None
            if found[0].kind == "SubgraphInput":
                held = _held(*found)
                return node.widgets.get(name) if held is None else held
            node, wanted = found[0], name
            names = (wanted, *_VALUES) if wanted else _VALUES
            if _computes(node.kind):
                return None
            name = next((key for key in names if key in node.inputs), "")
            value = node.inputs.get(name)
        return None

    def text(self, node: Node, name: str) -> str | None:
        value = self.value(node, name)
        if isinstance(value, dict):
            value = value.get("content")
        return value if isinstance(value, str) and value else None

    def upstream_value(self, node: Node | None, name: str) -> Any:
        """An input of that name of the node, or of the nearest node above it that is no sampler."""
        if node is None:
            return None
        if name in node.inputs:
            return self.value(node, name)
        above = (up for up in self.graph.upstream(node) if name in up.inputs and "latent_image" not in up.inputs)
        holder = next(above, None)
        return self.value(holder, name) if holder else None

    # -- prompts ----------------------------------------------------------------------------------

    def prompts(self, sampler: Node) -> tuple[list[str] | None, list[str] | None]:
        """The distinct texts of the positive and of the negative side; None where there is none."""
        holder = sampler
        if not is_link(holder.inputs.get("positive")):
            holder = self.node_of(sampler, ("guider",)) or self._pipe_of(sampler) or sampler
        positive = next((n for n in ("positive", "conditioning", "cond1") if n in holder.inputs), "positive")
        return (
            self._texts_of(holder.inputs.get(positive)),
            self._texts_of(holder.inputs.get("negative"), negative=True),
        )

    def _pipe_of(self, sampler: Node) -> Node | None:
        """The node that put the prompts into the pipe that a sampler is given."""
        node = self.node_of(sampler, ("basic_pipe", "pipe", "sdxl_tuple", "context"))
        for _ in range(20):
            if node is None or "positive" in node.inputs:
                return node
            node = self.node_of(node, ("basic_pipe", "pipe", "base_ctx", "context"))
        return None

    def _texts_of(self, value: Any, *, negative: bool = False) -> list[str] | None:
        if isinstance(value, str):
            return [value]
        waiting, seen, texts = [value], set[tuple[str, int]](), list[str]()
        zeroed = False
        for at in range(MAX_STEPS):
            if at >= len(waiting):
                break
            found = self.through(waiting[at])
            if found is None or (found[0].id, found[1]) in seen:
                continue
            node, slot = found
            seen.add((node.id, slot))
            if node.kind == "ConditioningZeroOut":
                zeroed = True
                continue
            for text in self._encoded(node, negative=negative or _side(node, slot) == "negative") or ():
                texts += [text] if text not in texts else []
            waiting += _conditionings(node, slot)
        if not texts:
            return [""] if zeroed else None
        return [text for text in texts if text.strip()] or [""]

    def _encoded(self, node: Node, *, negative: bool) -> list[str] | None:
        """The texts of an encoder; None for a node that only passes conditioning on."""
        if any(is_link(node.inputs.get(name)) for name in _ENDS_CONDITIONING):
            return None
        names = ("negative", *_TEXTS) if negative and "negative" in node.inputs else _TEXTS
        parts: list[str] = []
        for name in names:
            if name not in node.inputs:
                continue
            value = node.inputs[name]
            text = self.string(value, name)
            if text is None and isinstance(node.widgets.get(name), str) and self._is_wall(value):
                text = node.widgets[name]
            if text is None:
                continue
            parts += [text] if text not in parts else []
            if name in _WHOLE_TEXTS:
                break
        return parts or None

    def string(self, value: Any, name: str = "", depth: int = 0) -> str | None:
        """A text through primitives, joins and the like; None when a node computes it."""
        while self._steps < MAX_STEPS * 2:
            self._steps += 1
            if isinstance(value, str):
                return value
            found = self.through(value)
            if found is None:
                return None
            node, slot = found
            if node.kind == "SubgraphInput":
                held = _held(node, slot)
                return held if isinstance(held, str) else None
            joined = [key for key in node.inputs if _JOINED.fullmatch(key)]
            if len(joined) > 1 and _JOINS.search(node.kind):
                return self._join(node, joined, depth)
            names = self._names_at(node, slot, name)
            further = next((node.inputs[key] for key in names if key in node.inputs), None)
            if _computes(node.kind) or not isinstance(further, str | list):
                self.computed = True
                return None
            shown = node.inputs.get("text_0")
            if is_link(further) and isinstance(shown, str) and self.through(further) is None:
                # What the node showed when it ran.
                return shown
            value = further
        return None

    def _names_at(self, node: Node, slot: int, name: str) -> tuple[str, ...]:
        """Where a node that has several texts keeps the one of this output."""
        is_negative = name == "negative" or (slot == 1 and {"positive", "negative"} <= set(node.inputs))
        return ("negative", *_TEXTS) if is_negative and "negative" in node.inputs else _TEXTS

    def _is_wall(self, value: Any) -> bool:
        """Whether a link leads to an input of a subgraph that nothing is connected to."""
        found = self.through(value)
        return found is not None and found[0].kind == "SubgraphInput"

    def _join(self, node: Node, names: list[str], depth: int) -> str | None:
        """The parts that are known, in order."""
        if depth >= _MAX_JOINS:
            return None
        parts = [self.string(node.inputs[name], depth=depth + 1) for name in names]
        return self._separator(node).join(part for part in parts if part) or None

    def _separator(self, node: Node) -> str:
        value = next((node.inputs[key] for key in _SEPARATORS if key in node.inputs), "")
        return value.replace("\\n", "\n") if isinstance(value, str) else ""


@lru_cache(maxsize=4_096)
def _computes(kind: str) -> bool:
    """Nodes whose result stands nowhere in the graph."""
    return bool(_COMPUTING.search(kind[:200]))


@lru_cache(maxsize=4_096)
def _switches(kind: str) -> bool:
    return bool(_SWITCHES.search(kind[:200]))


_COMPUTING = re.compile(
    r"math|expression|\bllm\b|ollama|gemini|chatgpt|openai|florence|caption|blip|interrogat|tagger|joycaption"
    r"|text.?generat|prompt.?generat|enhance|qwen.{0,3}vl|moondream|llava|random.?(?:prompt|line|text)|calculat|regex|replace|translat",
    re.IGNORECASE,
)


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
    return [value for name, value in node.inputs.items() if is_link(value) and _CONDITIONING.fullmatch(name)]
