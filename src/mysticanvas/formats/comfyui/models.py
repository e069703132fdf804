"""ComfyUI: the models and the images that went into a pass."""

import re
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.comfyui.graph import MAX_STEPS, Node, is_link
from mysticanvas.formats.comfyui.trace import Trace
from mysticanvas.formats.generators.infotext import loras_of
from mysticanvas.formats.json_text import name_of, number, small_integer

_MODELS = (
    "ckpt_name",
    "unet_name",
    "base_ckpt_name",
    "model_name",
    "model_path",
    "gguf_name",
    "model",
    "diffusion_name",
)
_MODEL_LINKS = (
    "model",
    "base_model",
    "model1",
    "basic_pipe",
    "pipe",
    "base_ctx",
    "unet",
    "sdxl_tuple",
    "model_high_noise",
)
_LATENTS = (
    "latent_image", "latent", "samples", "latent_batch", "optional_latent", "samples_to", "samples1", "image", "images",
    "pixels", "image1", "base_ctx",
)  # fmt: skip
_LORA = re.compile(r"lora_name(?:_?(\d+))?|lora_(\d+)|lora_(\d+)_name|lora(\d+)_name|lora")
_WEIGHTS = (
    "lora_wt_{}", "model_weight_{}", "model_str_{}", "strength_{}", "lora_{}_strength", "lora_{}_model_strength",
    "lora{}_model_strength", "strength_model_{}",
)  # fmt: skip
_WEIGHT = ("strength_model", "lora_model_strength", "strength", "lora_strength", "model_strength", "weight")
_STACKS = ("lora_stack", "optional_lora_stack", "optional_lora_stack_1", "prev_lora", "LORA_STACK", "loras")
_STEERS = re.compile(r"control|t2i.?adapter|model_?patch", re.IGNORECASE)
_LOADS_IMAGE = re.compile(r"(?:Load ?Image|Image ?Load|VHS_LoadImage|ETN_LoadImage|easy loadImage)")
_EMBEDDING = re.compile(r"\bembedding:([^\s,:()<>\[\]]{1,120})")
_MAX_MODELS = 100
_MAX_STACKS = 20
# Inputs of nodes above a pass that name a model of their own.
_OTHERS = {
    "control_net_name": ModelKind.CONTROLNET,
    "controlnet_name": ModelKind.CONTROLNET,
    "clip_name": ModelKind.TEXT_ENCODER,
    "clip_name1": ModelKind.TEXT_ENCODER,
    "clip_name2": ModelKind.TEXT_ENCODER,
    "clip_name3": ModelKind.TEXT_ENCODER,
    "clip_name4": ModelKind.TEXT_ENCODER,
    "style_model_name": ModelKind.OTHER,
    "ipadapter_file": ModelKind.OTHER,
    "gligen_name": ModelKind.OTHER,
    "hypernetwork_name": ModelKind.OTHER,
    "refiner_ckpt_name": ModelKind.REFINER,
}


class Models:
    """What one graph says about the models of a pass."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def chain(self, sampler: Node) -> list[Node]:
        """From the sampler's model input upwards to its loader."""
        start = sampler
        if not any(is_link(sampler.inputs.get(name)) for name in _MODEL_LINKS):
            start = self._trace.node_of(sampler, ("guider",)) or sampler
        chain, seen = list[Node](), set[str]()
        node = self._trace.node_of(start, _MODEL_LINKS)
        while node is not None and node.id not in seen and len(chain) < MAX_STEPS:
            seen.add(node.id)
            chain.append(node)
            node = self._trace.node_of(node, _MODEL_LINKS)
        return chain

    def checkpoint(self, chain: list[Node]) -> str | None:
        """What the last of the chain loads; those before it add to a model that they are given."""
        for node in reversed(chain):
            for name in _MODELS:
                if name not in node.inputs or (name == "model" and is_link(node.inputs[name])):
                    continue
                text = name_of(self._trace.text(node, name))
                if text:
                    return text
        return None

    def loras(self, chain: list[Node]) -> tuple[LoraUse, ...]:
        found: list[LoraUse] = []
        for node in reversed(chain):
            if len(found) >= _MAX_MODELS:
                break
            found += self._of_node(node)
            stack = self._trace.node_of(node, _STACKS)
            above: list[LoraUse] = []
            for _ in range(_MAX_STACKS):
                if stack is None:
                    break
                above = self._of_node(stack) + above
                stack = self._trace.node_of(stack, _STACKS)
            found += above
        return tuple(dict.fromkeys(found[:_MAX_MODELS]))

    def _of_node(self, node: Node) -> list[LoraUse]:
        found = []
        count = small_integer(self._trace.value(node, "lora_count") if "lora_count" in node.inputs else None)
        for key, value in node.inputs.items():
            if isinstance(value, dict):
                found += _switched_on(value)
                continue
            match = _LORA.fullmatch(key)
            if match is None or (key == "lora" and "ora" not in node.kind):
                continue
            name = name_of(self._trace.text(node, key))
            number_of = next((one for one in match.groups() if one), None)
            is_beyond = count is not None and number_of is not None and int(number_of) > count
            if name is None or is_beyond or self._is_off(node, number_of):
                continue
            names = _WEIGHT if number_of is None else tuple(one.format(number_of) for one in _WEIGHTS)
            held = next((self._trace.value(node, one) for one in names if one in node.inputs), None)
            found.append(LoraUse(name, number(held)))
        text = node.inputs.get("populated_text") or node.inputs.get("text")
        if isinstance(text, str) and "<lora:" in text and re.search(r"[Ll]o[Rr][Aa]|Wildcard", node.kind):
            found += loras_of(text, {}, {})
        return found

    def _is_off(self, node: Node, number_of: str | None) -> bool:
        switch = node.inputs.get(f"switch_{number_of}") if number_of else node.inputs.get("switch")
        return switch in ("Off", False)

    def others(self, output: Node, later: list[Node], base: list[Node], texts: list[str]) -> tuple[ModelUse, ...]:
        """Models that are no checkpoint and no LoRA, of everything above an output; the checkpoints of
        later passes are refiners."""
        found = []
        for node in (output, *self._trace.graph.above(output)):
            for key, kind in _OTHERS.items():
                name = name_of(self._trace.text(node, key)) if key in node.inputs else None
                if name:
                    weight = number(node.inputs.get("strength")) if kind is ModelKind.CONTROLNET else None
                    found.append(ModelUse(kind, name, None, weight))
            if "pscale" in node.kind and name_of(self._trace.text(node, "model_name")):
                found.append(ModelUse(ModelKind.UPSCALER, self._trace.text(node, "model_name")))
        first = self.checkpoint(base)
        for sampler in later:
            model = self.checkpoint(self.chain(sampler))
            if model and model != first:
                found.append(ModelUse(ModelKind.REFINER, model))
        for text in texts:
            found += [ModelUse(ModelKind.EMBEDDING, match[1]) for match in _EMBEDDING.finditer(text)]
        return tuple(dict.fromkeys(found[:_MAX_MODELS]))

    def vae(self, output: Node) -> str | None:
        """The one that decoded; None where it is the checkpoint's own."""
        for node in self._trace.graph.above(output):
            if node.kind.startswith("VAEDecode"):
                loader = self._trace.node_of(node, ("vae",))
                return name_of(self._trace.text(loader, "vae_name")) if loader else None
        return None

    # -- where it began -----------------------------------------------------------------------------

    def latents(self, sampler: Node) -> list[Node]:
        """From the sampler's latent upwards."""
        chain, seen, node = list[Node](), {sampler.id}, self._trace.node_of(sampler, _LATENTS)
        while node is not None and node.id not in seen:
            seen.add(node.id)
            chain.append(node)
            node = self._trace.node_of(node, _LATENTS)
        return chain

    def size(self, sampler: Node, latents: list[Node], chain: list[Node]) -> tuple[int | None, int | None]:
        for node in latents:
            for width, height in (("width", "height"), ("empty_latent_width", "empty_latent_height")):
                if width in node.inputs and height in node.inputs:
                    return (
                        small_integer(self._trace.value(node, width)),
                        small_integer(self._trace.value(node, height)),
                    )
        if not latents:
            # Loaders that also make the latent.
            for node in chain:
                if "empty_latent_width" in node.inputs:
                    return (
                        small_integer(self._trace.value(node, "empty_latent_width")),
                        small_integer(self._trace.value(node, "empty_latent_height")),
                    )
        return None, None

    def images(self, start: Node, latents: list[Node]) -> tuple[InputImage, ...]:
        """The source first, then what steered it, each by the way that it came in."""
        found: dict[str, InputImage] = {}
        for node in latents:
            name = _loaded(node)
            if name:
                found.setdefault(node.id, InputImage(InputRole.SOURCE, name))
        waiting, seen = [(start, InputRole.REFERENCE)], {start.id}
        for node, role in waiting:
            name = _loaded(node)
            if name and len(found) < _MAX_MODELS:
                found.setdefault(node.id, InputImage(role, name))
            for key, value in node.inputs.items():
                link = self._trace.through(value) if is_link(value) else None
                if link is not None and link[0].id not in seen:
                    seen.add(link[0].id)
                    waiting.append((link[0], _role(node, key, link[0], role)))
        return tuple(sorted(dict.fromkeys(found.values()), key=lambda one: one.role is not InputRole.SOURCE))


def _role(node: Node, key: str, above: Node, role: InputRole) -> InputRole:
    """What an image is that comes in by an input, unless a node below has said so."""
    if role is not InputRole.REFERENCE:
        return role
    if "mask" in key or "LoadImageMask" in above.kind:
        return InputRole.MASK
    if "image" in key and _STEERS.search(node.kind):
        return InputRole.CONTROL
    return role


def _loaded(node: Node) -> str | None:
    """The name of the file that a node loads an image from."""
    if not _LOADS_IMAGE.match(node.kind):
        return None
    name: Any = node.inputs.get("image", node.inputs.get("image_path"))
    if not isinstance(name, str) or not 0 < len(name) < 2_000:
        return None
    # An address is signed for a while only.
    return name.partition("?")[0] if name.startswith("http") else name


def _switched_on(value: dict[str, Any]) -> list[LoraUse]:
    """rgthree's power loader, and managers that hold a list of such entries."""
    name = name_of(value.get("lora"))
    if name is not None:
        return [LoraUse(name, number(value.get("strength")))] if value.get("on", True) is True else []
    found = []
    listed = value.get("__value__")
    for one in listed if isinstance(listed, list) else ():
        name = name_of(one.get("name")) if isinstance(one, dict) else None
        if name and one.get("active", True) is True:
            found.append(LoraUse(name, number(one.get("strength"))))
    return found
