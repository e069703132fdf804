"""ComfyUI: the recipe of an image, traced from the node that saved it.

The API graph is what ran; the editor's graph is read where that is missing. Nothing is guessed: a
text that a node computes is unknown, and where a graph has several results that differ, so is what they
differ in; all of them are then in `params`.
"""

import re
from dataclasses import replace
from typing import Any

from mysticanvas.domain.generation import InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind
from mysticanvas.formats.comfyui.editor import of_workflow
from mysticanvas.formats.comfyui.graph import Graph, Node, is_link, of_api
from mysticanvas.formats.comfyui.models import Models
from mysticanvas.formats.comfyui.trace import Trace
from mysticanvas.formats.json_text import integer, load_object, number, small_integer

_KEYS = ("prompt", "UserComment", "Model", "Make", "ImageDescription", "workflow", "Copyright", "Comment", "parameters")
_PREVIEWS = frozenset(("PreviewImage", "Preview Image", "Image Preview", "PreviewAnimation"))
_SAVING = re.compile(r"Save|save|VideoCombine|[Ii]mageOutput")
# Inputs through which an image or a latent does not come.
_NO_LATENT = frozenset(
    (
        *("model", "clip", "vae", "positive", "negative", "conditioning", "control_net", "controlnet", "mask"),
        *("upscale_model", "clip_vision", "style_model", "ipadapter", "guider", "sigmas", "sampler", "noise"),
        *("seed", "noise_seed", "steps", "cfg", "text", "prompt", "denoise", "scheduler", "sampler_name"),
    )
)
_MAX_SAMPLERS = 60
_MAX_OUTPUTS = 24
_COUNTER = r"_\d{3,}_?(?: \(\d{1,3}\))?\.[A-Za-z]{2,5}"


def read(texts: dict[str, str], file_name: str) -> tuple[Recipe, dict[str, Any]] | None:
    """The recipe of the first graph among the texts, and the object that held it; None without one."""
    unread = False
    for key in _KEYS:
        text = _without_label(texts.get(key, ""))
        said = load_object(text)
        if said is None:
            unread |= text.lstrip().startswith("{") and key in ("prompt", "workflow")
            continue
        graph = graph_of(said)
        if graph is not None:
            return parse(graph, file_name), said
    damaged = Recipe(problems=("Its ComfyUI graph is damaged; it is kept as it is.",))
    return (damaged, {}) if unread else None


def graph_of(said: dict[str, Any]) -> Graph | None:
    """The graph that an object is, or holds under the keys that savers use."""
    graph = of_api(said) or of_workflow(said)
    for key in ("prompt", "workflow"):
        inner = said.get(key)
        inner = load_object(inner) if isinstance(inner, str) else inner
        if graph is None and isinstance(inner, dict):
            graph = of_api(inner) or of_workflow(inner)
    return graph


def _without_label(text: str) -> str:
    """Some savers write `prompt:{…}` or `Workflow: {…}`."""
    label, colon, _ = text[:20].partition(":")
    is_label = colon and label.strip().lower() in ("prompt", "workflow")
    return text[len(label) + 1 :] if is_label else text


def parse(graph: Graph, file_name: str) -> Recipe:
    """The first pass of the image; where several could be meant, what they have in common."""
    outputs = _outputs(graph, file_name)
    bases, later = _passes(graph, outputs)
    if not bases:
        return _without_sampler(graph)
    readings = [_Reading(graph, base, outputs[0] if outputs else base, later) for base in bases]
    fields = readings[0].fields()
    problems = list(readings[0].problems)
    if len(readings) > 1:
        fields, differ = _in_common([reading.fields() for reading in readings])
        if differ:
            problems.append("Several images come from this graph; what they differ in is left open.")
    params: dict[str, Any] = {}
    if len(readings) + len(later) > 1:
        params["passes"] = [one.summary() for one in readings] + [_summary(graph, node) for node in later]
    if len(readings) == 1:
        params |= readings[0].parts()
    return Recipe(tool="ComfyUI", params=params, problems=tuple(problems), **fields)


def _without_sampler(graph: Graph) -> Recipe:
    """Nothing was generated that is known; what an image was made from can still be told."""
    problem = "No sampler was found in the ComfyUI graph."
    models = Models(Trace(graph))
    savers = [node for node in graph.nodes.values() if _saves(node) and node.kind not in _PREVIEWS]
    if len(savers) != 1:
        return Recipe(tool="ComfyUI", problems=(problem,))
    images, used = models.images(savers[0], []), models.others(savers[0], [], [], [])
    is_upscale = len(images) == 1 and any(use.role is ModelKind.UPSCALER for use in used)
    return Recipe(
        tool="ComfyUI",
        models=used,
        parent=images[0].name if is_upscale else None,
        parent_relation=ParentRelation.UPSCALE if is_upscale else None,
        inputs=(replace(images[0], role=InputRole.SOURCE),) if is_upscale else images,
        problems=(problem,),
    )


def _in_common(every: list[dict[str, Any]]) -> tuple[dict[str, Any], bool]:
    first, *others = every
    common = {name: value for name, value in first.items() if all(one[name] == value for one in others)}
    return common, len(common) < len(first)


class _Reading:
    """One base pass and what hangs on it."""

    def __init__(self, graph: Graph, base: Node, output: Node, later: list[Node]) -> None:
        self._trace = Trace(graph)
        self._models = Models(self._trace)
        self._base, self._output, self._later = base, output, later
        self.positive, self.negative = self._trace.prompts(base)
        self.problems: list[str] = []
        if self._trace.computed and self.positive is None:
            self.problems.append("A node computed the prompt; it is not in the file.")

    def fields(self) -> dict[str, Any]:
        base, trace, models = self._base, self._trace, self._models
        chain, latents = models.chain(base), models.latents(base)
        width, height = models.size(base, latents, chain)
        images = models.images(base, latents)
        parent = next((one.name for one in images if one.role is InputRole.SOURCE), None)
        is_masked = any(one.role is InputRole.MASK for one in images) or any("npaint" in n.kind for n in latents)
        relation = (ParentRelation.INPAINT if is_masked else ParentRelation.IMG2IMG) if parent else None
        loras: tuple[LoraUse, ...] = models.loras(chain)
        return {
            "prompt": _joined(self.positive),
            "negative_prompt": _joined(self.negative),
            **_sampling(trace, base),
            "guidance": _guidance(trace, base),
            "clip_skip": _clip_skip(trace, base),
            "width": width,
            "height": height,
            "model": models.checkpoint(chain),
            "vae": models.vae(self._output),
            "loras": loras,
            "models": models.others(self._output, self._later, chain, [*(self.positive or ()), *(self.negative or ())]),
            "parent": parent,
            "parent_relation": relation,
            "inputs": images,
        }

    def parts(self) -> dict[str, Any]:
        """The texts of several encoders, each for itself."""
        sides = {"prompt_parts": self.positive, "negative_parts": self.negative}
        return {name: texts for name, texts in sides.items() if texts and len(texts) > 1}

    def summary(self) -> dict[str, Any]:
        return {
            **_summary(self._trace.graph, self._base),
            "base": True,
            "prompt": _joined(self.positive),
            "model": self._models.checkpoint(self._models.chain(self._base)),
        }


def _joined(texts: list[str] | None) -> str | None:
    """Several encoders speak of one image: of its regions, or to several text models."""
    return None if texts is None else "\n".join(texts)


def _summary(graph: Graph, sampler: Node) -> dict[str, Any]:
    sampling = _sampling(Trace(graph), sampler)
    return {"node": sampler.id, "class_type": sampler.kind} | {
        key: value for key, value in sampling.items() if value is not None
    }


# -- which passes ------------------------------------------------------------------------------------------


_GUIDED = ("positive", "guider", "basic_pipe", "conditioning", "pipe")
_STARTED = frozenset(("seed", "noise_seed", "noise", "sigmas"))
_STEERED = frozenset(("steps", "sigmas", "sampler_name", "cfg", "sampler"))


def _is_sampler(node: Node) -> bool:
    inputs = node.inputs
    if _STARTED.isdisjoint(inputs) or _STEERED.isdisjoint(inputs):
        return False
    return any(is_link(inputs.get(name)) for name in _GUIDED) and not _saves(node)


def _saves(node: Node) -> bool:
    return bool(_SAVING.search(node.kind)) or node.kind in _PREVIEWS


def _outputs(graph: Graph, file_name: str) -> list[Node]:
    """The nodes that may have saved this file."""
    savers = [node for node in graph.nodes.values() if _saves(node)]
    real = [node for node in savers if node.kind not in _PREVIEWS]
    named = [node for node in real if _is_named_by(node, file_name)]
    for chosen in (named if len(named) == 1 else [], real, savers):
        found = [node for node in chosen[:_MAX_OUTPUTS] if any(_is_sampler(up) for up in graph.above(node))]
        if found:
            return found
    return []


def _is_named_by(saver: Node, file_name: str) -> bool:
    """Whether a node's prefix makes this file name; what stands between % is filled in when it saves."""
    prefix = saver.inputs.get("filename_prefix")
    if not isinstance(prefix, str) or not file_name or len(prefix) > 200 or prefix.count("%") > 8:
        return False
    last = re.split(r"[/\\]", prefix)[-1]
    pattern = "[^/]{1,80}".join(re.escape(part) for part in re.split(r"%[^%]*%", last))
    return bool(last) and re.fullmatch(pattern + _COUNTER, file_name) is not None


def _passes(graph: Graph, outputs: list[Node]) -> tuple[list[Node], list[Node]]:
    """The passes that no other pass was before, and those that follow them."""
    found: dict[str, Node] = {}
    for output in outputs:
        for node in graph.above(output):
            if _is_sampler(node):
                found.setdefault(node.id, node)
    if not outputs:
        found = {node.id: node for node in graph.nodes.values() if _is_sampler(node)}
    samplers = list(found.values())
    if len(samplers) > _MAX_SAMPLERS:
        return samplers[:1], []
    bases = [node for node in samplers if not _follows_another(graph, node, found)]
    bases = bases or samplers[-1:]
    return bases, [node for node in samplers if node not in bases]


def _follows_another(graph: Graph, sampler: Node, samplers: dict[str, Node]) -> bool:
    return any(up.id in samplers and up.id != sampler.id for up in graph.upstream(sampler, without=_NO_LATENT))


# -- what a pass says ----------------------------------------------------------------------------------------


def _sampling(trace: Trace, sampler: Node) -> dict[str, Any]:
    inputs = sampler.inputs
    schedule = trace.node_of(sampler, ("sigmas",))
    guider = trace.node_of(sampler, ("guider",)) or sampler
    steps = trace.value(sampler, "steps") if "steps" in inputs else trace.upstream_value(schedule, "steps")
    denoise = trace.value(sampler, "denoise") if "denoise" in inputs else trace.upstream_value(schedule, "denoise")
    cfg = next((trace.value(n, k) for n in (sampler, guider) for k in ("cfg", "cfg_conds") if k in n.inputs), None)
    return {
        "seed": _seed(trace, sampler),
        "steps": small_integer(steps),
        "cfg_scale": number(cfg),
        "sampler": trace.text(sampler, "sampler_name") or _named(trace, sampler, "sampler", "sampler_name"),
        "scheduler": trace.text(sampler, "scheduler") or _named(trace, sampler, "sigmas", "scheduler"),
        "denoise": number(denoise),
    }


def _seed(trace: Trace, sampler: Node) -> int | None:
    for name in ("seed", "noise_seed"):
        if name in sampler.inputs:
            return integer(trace.value(sampler, name))
    noise = trace.node_of(sampler, ("noise",))
    return integer(trace.value(noise, "noise_seed")) if noise else None


def _named(trace: Trace, sampler: Node, link: str, name: str) -> str | None:
    """The name that a node above chooses, or the class of the node that is the choice."""
    node = trace.node_of(sampler, (link,))
    if node is None:
        return sampler.inputs[link] if isinstance(sampler.inputs.get(link), str) else None
    value = trace.upstream_value(node, name)
    if isinstance(value, str) and value:
        return value
    word = "Sampler" if link == "sampler" else "Scheduler"
    for one in (node, *trace.graph.upstream(node)):
        if word in one.kind and not _is_sampler(one):
            return one.kind
    return None


def _guidance(trace: Trace, sampler: Node) -> float | None:
    """Distilled guidance, which is no CFG."""
    for node in trace.graph.above(sampler):
        if node.kind in ("FluxGuidance", "CLIPTextEncodeFlux") and "guidance" in node.inputs:
            return number(trace.value(node, "guidance"))
    return None


def _clip_skip(trace: Trace, sampler: Node) -> int | None:
    for node in trace.graph.above(sampler):
        for name in ("stop_at_clip_layer", "clip_skip"):
            if name in node.inputs:
                layer = small_integer(trace.value(node, name))
                return -layer if layer is not None and layer < 0 else None
    return None
