"""ComfyUI: finds the recipe of an image by following the graph upstream from the node that saved it.

The API graph is what ran; the editor graph is used when the API graph is missing. Nothing is guessed: a text
that a node computes is unknown. When a graph has several results, fields in which they differ are None, and
`params` describes every pass.
"""

import re
from dataclasses import replace
from typing import Any

from mysticanvas.domain.generation import InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind
from mysticanvas.formats.comfyui.editor import graph_from_workflow
from mysticanvas.formats.comfyui.graph import Graph, Node, graph_from_api, is_link
from mysticanvas.formats.comfyui.models import ModelReader
from mysticanvas.formats.comfyui.trace import Trace
from mysticanvas.formats.json_text import load_object, to_int32, to_integer, to_number

_KEYS = ("prompt", "UserComment", "Model", "Make", "ImageDescription", "workflow", "Copyright", "Comment", "parameters")
_PREVIEWS = frozenset(("PreviewImage", "Preview Image", "Image Preview", "PreviewAnimation"))
_SAVER_NAME = re.compile(r"Save|save|VideoCombine|[Ii]mageOutput")
# Inputs that never carry an image or a latent.
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


def read_texts(texts: dict[str, str], file_name: str) -> tuple[Recipe, dict[str, Any]] | None:
    """The recipe of the first graph among the texts, and the JSON object that contained it; None without a graph."""
    unread = False
    for key in _KEYS:
        text = _strip_label(texts.get(key, ""))
        data = load_object(text)
        if data is None:
            unread |= text.lstrip().startswith("{") and key in ("prompt", "workflow")
            continue
        graph = find_graph(data)
        if graph is not None:
            return parse(graph, file_name), data
    damaged = Recipe(problems=("The ComfyUI workflow is damaged. It is stored unchanged.",))
    return (damaged, {}) if unread else None


def find_graph(data: dict[str, Any]) -> Graph | None:
    """The graph in a JSON object: the object itself, or the value of `prompt` or `workflow`; None without one."""
    graph = graph_from_api(data) or graph_from_workflow(data)
    for key in ("prompt", "workflow"):
        inner = data.get(key)
        inner = load_object(inner) if isinstance(inner, str) else inner
        if graph is None and isinstance(inner, dict):
            graph = graph_from_api(inner) or graph_from_workflow(inner)
    return graph


def _strip_label(text: str) -> str:
    """Remove the label of `prompt:{…}` and `Workflow: {…}`, which some saver nodes write."""
    label, colon, _ = text[:20].partition(":")
    is_label = colon and label.strip().lower() in ("prompt", "workflow")
    return text[len(label) + 1 :] if is_label else text


def parse(graph: Graph, file_name: str) -> Recipe:
    """The recipe of the image's first pass. With several candidates, only the fields they agree on."""
    outputs = _find_outputs(graph, file_name)
    bases, later = _find_passes(graph, outputs)
    if not bases:
        return _parse_without_sampler(graph)
    readings = [_PassReader(graph, base, outputs[0] if outputs else base, later) for base in bases]
    fields = readings[0].read_fields()
    problems = list(readings[0].problems)
    if len(readings) > 1:
        fields, differ = _keep_common_fields([reading.read_fields() for reading in readings])
        if differ:
            problems.append("This workflow produces several images. Settings that differ between them are left empty.")
    params: dict[str, Any] = {}
    if len(readings) + len(later) > 1:
        params["passes"] = [one.summarize() for one in readings] + [_summarize_pass(graph, node) for node in later]
    if len(readings) == 1:
        params |= readings[0].list_prompt_parts()
    return Recipe(tool="ComfyUI", params=params, problems=tuple(problems), **fields)


def _parse_without_sampler(graph: Graph) -> Recipe:
    """The recipe of a graph that generates nothing, such as an upscale: its models and input images."""
    problem = "No sampler was found in the ComfyUI workflow."
    models = ModelReader(Trace(graph))
    savers = [node for node in graph.nodes.values() if _is_saver(node) and node.kind not in _PREVIEWS]
    if len(savers) != 1:
        return Recipe(tool="ComfyUI", problems=(problem,))
    images, used = models.find_input_images(savers[0], []), models.find_other_models(savers[0], [], [], [])
    is_upscale = len(images) == 1 and any(use.role is ModelKind.UPSCALER for use in used)
    return Recipe(
        tool="ComfyUI",
        models=used,
        parent=images[0].name if is_upscale else None,
        parent_relation=ParentRelation.UPSCALE if is_upscale else None,
        inputs=(replace(images[0], role=InputRole.SOURCE),) if is_upscale else images,
        problems=(problem,),
    )


def _keep_common_fields(every: list[dict[str, Any]]) -> tuple[dict[str, Any], bool]:
    first, *others = every
    common = {name: value for name, value in first.items() if all(one[name] == value for one in others)}
    return common, len(common) < len(first)


class _PassReader:
    """Reads one base pass: sampling settings, prompts, models and input images."""

    def __init__(self, graph: Graph, base: Node, output: Node, later: list[Node]) -> None:
        self._trace = Trace(graph)
        self._models = ModelReader(self._trace)
        self._base, self._output, self._later = base, output, later
        self.positive, self.negative = self._trace.read_prompts(base)
        self.problems: list[str] = []
        if self._trace.computed and self.positive is None:
            self.problems.append("A node generated the prompt when the workflow ran, so the file does not contain it.")

    def read_fields(self) -> dict[str, Any]:
        base, trace, models = self._base, self._trace, self._models
        chain, latents = models.find_model_chain(base), models.find_latent_chain(base)
        width, height = models.read_size(base, latents, chain)
        images = models.find_input_images(base, latents)
        parent = next((one.name for one in images if one.role is InputRole.SOURCE), None)
        is_masked = any(one.role is InputRole.MASK for one in images) or any("npaint" in n.kind for n in latents)
        relation = (ParentRelation.INPAINT if is_masked else ParentRelation.IMG2IMG) if parent else None
        loras: tuple[LoraUse, ...] = models.read_loras(chain)
        return {
            "prompt": _join_texts(self.positive),
            "negative_prompt": _join_texts(self.negative),
            **_read_sampling(trace, base),
            "guidance": _read_guidance(trace, base),
            "clip_skip": _read_clip_skip(trace, base),
            "width": width,
            "height": height,
            "model": models.read_checkpoint(chain),
            "vae": models.read_vae(self._output),
            "loras": loras,
            "models": models.find_other_models(
                self._output, self._later, chain, [*(self.positive or ()), *(self.negative or ())]
            ),
            "parent": parent,
            "parent_relation": relation,
            "inputs": images,
        }

    def list_prompt_parts(self) -> dict[str, Any]:
        """`prompt_parts` and `negative_parts`: the separate texts, for a side with several text encoders."""
        sides = {"prompt_parts": self.positive, "negative_parts": self.negative}
        return {name: texts for name, texts in sides.items() if texts and len(texts) > 1}

    def summarize(self) -> dict[str, Any]:
        return {
            **_summarize_pass(self._trace.graph, self._base),
            "base": True,
            "prompt": _join_texts(self.positive),
            "model": self._models.read_checkpoint(self._models.find_model_chain(self._base)),
        }


def _join_texts(texts: list[str] | None) -> str | None:
    """Join the texts of several encoders, which describe regions or feed several text models; None for None."""
    return None if texts is None else "\n".join(texts)


def _summarize_pass(graph: Graph, sampler: Node) -> dict[str, Any]:
    sampling = _read_sampling(Trace(graph), sampler)
    return {"node": sampler.id, "class_type": sampler.kind} | {
        key: value for key, value in sampling.items() if value is not None
    }


# -- finding passes ----------------------------------------------------------------------------------------


_GUIDANCE_INPUTS = ("positive", "guider", "basic_pipe", "conditioning", "pipe")
_NOISE_INPUTS = frozenset(("seed", "noise_seed", "noise", "sigmas"))
_SCHEDULE_INPUTS = frozenset(("steps", "sigmas", "sampler_name", "cfg", "sampler"))


def _is_sampler(node: Node) -> bool:
    inputs = node.inputs
    if _NOISE_INPUTS.isdisjoint(inputs) or _SCHEDULE_INPUTS.isdisjoint(inputs):
        return False
    return any(is_link(inputs.get(name)) for name in _GUIDANCE_INPUTS) and not _is_saver(node)


def _is_saver(node: Node) -> bool:
    return bool(_SAVER_NAME.search(node.kind)) or node.kind in _PREVIEWS


def _find_outputs(graph: Graph, file_name: str) -> list[Node]:
    """The nodes that may have saved this file, at most `_MAX_OUTPUTS`; [] when none follows a sampler."""
    savers = [node for node in graph.nodes.values() if _is_saver(node)]
    real = [node for node in savers if node.kind not in _PREVIEWS]
    named = [node for node in real if _matches_filename_prefix(node, file_name)]
    for chosen in (named if len(named) == 1 else [], real, savers):
        found = [node for node in chosen[:_MAX_OUTPUTS] if any(_is_sampler(up) for up in graph.list_ancestors(node))]
        if found:
            return found
    return []


def _matches_filename_prefix(saver: Node, file_name: str) -> bool:
    """Whether a saver node's prefix produces this file name. Placeholders between % match any text."""
    prefix = saver.inputs.get("filename_prefix")
    if not isinstance(prefix, str) or not file_name or len(prefix) > 200 or prefix.count("%") > 8:
        return False
    last = re.split(r"[/\\]", prefix)[-1]
    first, *others = (re.escape(part) for part in re.split(r"%[^%]*%", last))
    # Each placeholder but the last takes the shortest text and keeps it, so the time does not grow with their power.
    pattern = first + "".join(f"(?>[^/]+?{part})" for part in others[:-1]) + "".join(f"[^/]+{x}" for x in others[-1:])
    return bool(last) and re.fullmatch(pattern + _COUNTER, file_name) is not None


def _find_passes(graph: Graph, outputs: list[Node]) -> tuple[list[Node], list[Node]]:
    """(base passes, later passes): sampler nodes without and with another sampler upstream."""
    found: dict[str, Node] = {}
    for output in outputs:
        for node in graph.list_ancestors(output):
            if _is_sampler(node):
                found.setdefault(node.id, node)
    if not outputs:
        found = {node.id: node for node in graph.nodes.values() if _is_sampler(node)}
    samplers = list(found.values())
    if len(samplers) > _MAX_SAMPLERS:
        return samplers[:1], []
    bases = [node for node in samplers if not _has_earlier_pass(graph, node, found)]
    bases = bases or samplers[-1:]
    return bases, [node for node in samplers if node not in bases]


def _has_earlier_pass(graph: Graph, sampler: Node, samplers: dict[str, Node]) -> bool:
    return any(up.id in samplers and up.id != sampler.id for up in graph.walk_upstream(sampler, without=_NO_LATENT))


# -- settings of a pass --------------------------------------------------------------------------------------


def _read_sampling(trace: Trace, sampler: Node) -> dict[str, Any]:
    inputs = sampler.inputs
    schedule = trace.find_node(sampler, ("sigmas",))
    guider = trace.find_node(sampler, ("guider",)) or sampler
    steps = trace.resolve_value(sampler, "steps") if "steps" in inputs else trace.find_upstream_value(schedule, "steps")
    denoise = (
        trace.resolve_value(sampler, "denoise")
        if "denoise" in inputs
        else trace.find_upstream_value(schedule, "denoise")
    )
    cfg = next(
        (trace.resolve_value(n, k) for n in (sampler, guider) for k in ("cfg", "cfg_conds") if k in n.inputs), None
    )
    return {
        "seed": _read_seed(trace, sampler),
        "steps": to_int32(steps),
        "cfg_scale": to_number(cfg),
        "sampler": trace.read_text(sampler, "sampler_name") or _read_choice(trace, sampler, "sampler", "sampler_name"),
        "scheduler": trace.read_text(sampler, "scheduler") or _read_choice(trace, sampler, "sigmas", "scheduler"),
        "denoise": to_number(denoise),
    }


def _read_seed(trace: Trace, sampler: Node) -> int | None:
    for name in ("seed", "noise_seed"):
        if name in sampler.inputs:
            return to_integer(trace.resolve_value(sampler, name))
    noise = trace.find_node(sampler, ("noise",))
    return to_integer(trace.resolve_value(noise, "noise_seed")) if noise else None


def _read_choice(trace: Trace, sampler: Node, link: str, name: str) -> str | None:
    """The sampler or scheduler name set by a linked node; for nodes that are a sampler themselves, their class."""
    node = trace.find_node(sampler, (link,))
    if node is None:
        return sampler.inputs[link] if isinstance(sampler.inputs.get(link), str) else None
    value = trace.find_upstream_value(node, name)
    if isinstance(value, str) and value:
        return value
    word = "Sampler" if link == "sampler" else "Scheduler"
    for one in (node, *trace.graph.walk_upstream(node)):
        if word in one.kind and not _is_sampler(one):
            return one.kind
    return None


def _read_guidance(trace: Trace, sampler: Node) -> float | None:
    """Distilled guidance, which is not the CFG scale."""
    for node in trace.graph.list_ancestors(sampler):
        if node.kind in ("FluxGuidance", "CLIPTextEncodeFlux") and "guidance" in node.inputs:
            return to_number(trace.resolve_value(node, "guidance"))
    return None


def _read_clip_skip(trace: Trace, sampler: Node) -> int | None:
    for node in trace.graph.list_ancestors(sampler):
        for name in ("stop_at_clip_layer", "clip_skip"):
            if name in node.inputs:
                layer = to_int32(trace.resolve_value(node, name))
                return -layer if layer is not None and layer < 0 else None
    return None
