"""ComfyUI: the models and input images of a pass."""

import re
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.comfyui.graph import MAX_STEPS, Node, is_link
from mysticanvas.formats.comfyui.trace import Trace
from mysticanvas.formats.generators.infotext import extract_loras
from mysticanvas.formats.json_text import to_int32, to_name, to_number

_MODEL_INPUTS = (
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
_LATENT_LINKS = (
    "latent_image", "latent", "samples", "latent_batch", "optional_latent", "samples_to", "samples1", "image", "images",
    "pixels", "image1", "base_ctx",
)  # fmt: skip
_LORA = re.compile(r"lora_name(?:_?(\d+))?|lora_(\d+)|lora_(\d+)_name|lora(\d+)_name|lora")
_NUMBERED_WEIGHTS = (
    "lora_wt_{}", "model_weight_{}", "model_str_{}", "strength_{}", "lora_{}_strength", "lora_{}_model_strength",
    "lora{}_model_strength", "strength_model_{}",
)  # fmt: skip
_SINGLE_WEIGHTS = ("strength_model", "lora_model_strength", "strength", "lora_strength", "model_strength", "weight")
_LORA_STACK_LINKS = ("lora_stack", "optional_lora_stack", "optional_lora_stack_1", "prev_lora", "LORA_STACK", "loras")
_CONTROL_NODE = re.compile(r"control|t2i.?adapter|model_?patch", re.IGNORECASE)
_IMAGE_LOADER = re.compile(r"(?:Load ?Image|Image ?Load|VHS_LoadImage|ETN_LoadImage|easy loadImage)")
_EMBEDDING = re.compile(r"\bembedding:([^\s,:()<>\[\]]{1,120})")
_MAX_MODELS = 100
_MAX_STACKS = 20
# Inputs that name other kinds of models.
_OTHER_MODEL_INPUTS = {
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


class ModelReader:
    """Reads the models and input images of a pass from one graph."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def find_model_chain(self, sampler: Node) -> list[Node]:
        """The nodes from the sampler's model input up to the loader."""
        start = sampler
        if not any(is_link(sampler.inputs.get(name)) for name in _MODEL_LINKS):
            start = self._trace.find_node(sampler, ("guider",)) or sampler
        chain, seen = list[Node](), set[str]()
        node = self._trace.find_node(start, _MODEL_LINKS)
        while node is not None and node.id not in seen and len(chain) < MAX_STEPS:
            seen.add(node.id)
            chain.append(node)
            node = self._trace.find_node(node, _MODEL_LINKS)
        return chain

    def read_checkpoint(self, chain: list[Node]) -> str | None:
        """The file that the last loader of the chain names; earlier nodes only modify the model."""
        for node in reversed(chain):
            for name in _MODEL_INPUTS:
                if name not in node.inputs or (name == "model" and is_link(node.inputs[name])):
                    continue
                text = to_name(self._trace.read_text(node, name))
                if text:
                    return text
        return None

    def read_loras(self, chain: list[Node]) -> tuple[LoraUse, ...]:
        found: list[LoraUse] = []
        for node in reversed(chain):
            if len(found) >= _MAX_MODELS:
                break
            found += self._read_loras(node)
            stack = self._trace.find_node(node, _LORA_STACK_LINKS)
            above: list[LoraUse] = []
            for _ in range(_MAX_STACKS):
                if stack is None:
                    break
                above = self._read_loras(stack) + above
                stack = self._trace.find_node(stack, _LORA_STACK_LINKS)
            found += above
        return tuple(dict.fromkeys(found[:_MAX_MODELS]))

    def _read_loras(self, node: Node) -> list[LoraUse]:
        found = []
        count = to_int32(self._trace.resolve_value(node, "lora_count") if "lora_count" in node.inputs else None)
        for key, value in node.inputs.items():
            if isinstance(value, dict):
                found += _read_enabled_loras(value)
                continue
            match = _LORA.fullmatch(key)
            if match is None or (key == "lora" and "ora" not in node.kind):
                continue
            name = to_name(self._trace.read_text(node, key))
            number_of = next((one for one in match.groups() if one), None)
            is_beyond = count is not None and number_of is not None and int(number_of) > count
            if name is None or is_beyond or self._is_switched_off(node, number_of):
                continue
            names = _SINGLE_WEIGHTS if number_of is None else tuple(one.format(number_of) for one in _NUMBERED_WEIGHTS)
            held = next((self._trace.resolve_value(node, one) for one in names if one in node.inputs), None)
            found.append(LoraUse(name, to_number(held)))
        text = node.inputs.get("populated_text") or node.inputs.get("text")
        if isinstance(text, str) and "<lora:" in text and re.search(r"[Ll]o[Rr][Aa]|Wildcard", node.kind):
            found += extract_loras(text, {}, {})
        return found

    def _is_switched_off(self, node: Node, number_of: str | None) -> bool:
        switch = node.inputs.get(f"switch_{number_of}") if number_of else node.inputs.get("switch")
        return switch in ("Off", False)

    def find_other_models(
        self, output: Node, later: list[Node], base: list[Node], texts: list[str]
    ) -> tuple[ModelUse, ...]:
        """Models other than checkpoints and LoRAs, upstream of an output. Checkpoints of later passes are refiners."""
        found = []
        for node in (output, *self._trace.graph.list_ancestors(output)):
            for key, kind in _OTHER_MODEL_INPUTS.items():
                name = to_name(self._trace.read_text(node, key)) if key in node.inputs else None
                if name:
                    weight = to_number(node.inputs.get("strength")) if kind is ModelKind.CONTROLNET else None
                    found.append(ModelUse(kind, name, None, weight))
            if "pscale" in node.kind and to_name(self._trace.read_text(node, "model_name")):
                found.append(ModelUse(ModelKind.UPSCALER, self._trace.read_text(node, "model_name")))
        first = self.read_checkpoint(base)
        for sampler in later:
            model = self.read_checkpoint(self.find_model_chain(sampler))
            if model and model != first:
                found.append(ModelUse(ModelKind.REFINER, model))
        for text in texts:
            found += [ModelUse(ModelKind.EMBEDDING, match[1]) for match in _EMBEDDING.finditer(text)]
        return tuple(dict.fromkeys(found[:_MAX_MODELS]))

    def read_vae(self, output: Node) -> str | None:
        """The VAE that decoded the image; None when it is part of the checkpoint."""
        for node in self._trace.graph.list_ancestors(output):
            if node.kind.startswith("VAEDecode"):
                loader = self._trace.find_node(node, ("vae",))
                return to_name(self._trace.read_text(loader, "vae_name")) if loader else None
        return None

    # -- size and input images ----------------------------------------------------------------------

    def find_latent_chain(self, sampler: Node) -> list[Node]:
        """The nodes from the sampler's latent input upstream."""
        chain, seen, node = list[Node](), {sampler.id}, self._trace.find_node(sampler, _LATENT_LINKS)
        while node is not None and node.id not in seen:
            seen.add(node.id)
            chain.append(node)
            node = self._trace.find_node(node, _LATENT_LINKS)
        return chain

    def read_size(self, sampler: Node, latents: list[Node], chain: list[Node]) -> tuple[int | None, int | None]:
        for node in latents:
            for width, height in (("width", "height"), ("empty_latent_width", "empty_latent_height")):
                if width in node.inputs and height in node.inputs:
                    return (
                        to_int32(self._trace.resolve_value(node, width)),
                        to_int32(self._trace.resolve_value(node, height)),
                    )
        if not latents:
            # Some loaders also create the latent.
            for node in chain:
                if "empty_latent_width" in node.inputs:
                    return (
                        to_int32(self._trace.resolve_value(node, "empty_latent_width")),
                        to_int32(self._trace.resolve_value(node, "empty_latent_height")),
                    )
        return None, None

    def find_input_images(self, start: Node, latents: list[Node]) -> tuple[InputImage, ...]:
        """Input images, source images first. The role depends on the input through which an image arrives."""
        found: dict[str, InputImage] = {}
        for node in latents:
            name = _read_loaded_name(node)
            if name:
                found.setdefault(node.id, InputImage(InputRole.SOURCE, name))
        waiting, seen = [(start, InputRole.REFERENCE)], {start.id}
        for node, role in waiting:
            name = _read_loaded_name(node)
            if name and len(found) < _MAX_MODELS:
                found.setdefault(node.id, InputImage(role, name))
            for key, value in node.inputs.items():
                link = self._trace.follow_link(value) if is_link(value) else None
                if link is not None and link[0].id not in seen:
                    seen.add(link[0].id)
                    waiting.append((link[0], _infer_role(node, key, link[0], role)))
        return tuple(sorted(dict.fromkeys(found.values()), key=lambda one: one.role is not InputRole.SOURCE))


def _infer_role(node: Node, key: str, above: Node, role: InputRole) -> InputRole:
    """The role of an image that arrives through input `key`. A role set by a node further down is kept."""
    if role is not InputRole.REFERENCE:
        return role
    if "mask" in key or "LoadImageMask" in above.kind:
        return InputRole.MASK
    if "image" in key and _CONTROL_NODE.search(node.kind):
        return InputRole.CONTROL
    return role


def _read_loaded_name(node: Node) -> str | None:
    """The file name of a node that loads an image; None for other nodes."""
    if not _IMAGE_LOADER.match(node.kind):
        return None
    name: Any = node.inputs.get("image", node.inputs.get("image_path"))
    if not isinstance(name, str) or not 0 < len(name) < 2_000:
        return None
    # Query parameters are temporary signatures.
    return name.partition("?")[0] if name.startswith("http") else name


def _read_enabled_loras(value: dict[str, Any]) -> list[LoraUse]:
    """Enabled LoRAs of rgthree's Power Lora Loader, and of managers that store a list of such entries."""
    name = to_name(value.get("lora"))
    if name is not None:
        return [LoraUse(name, to_number(value.get("strength")))] if value.get("on", True) is True else []
    found = []
    listed = value.get("__value__")
    for one in listed if isinstance(listed, list) else ():
        name = to_name(one.get("name")) if isinstance(one, dict) else None
        if name and one.get("active", True) is True:
            found.append(LoraUse(name, to_number(one.get("strength"))))
    return found
