"""How a picture of the demo says it was made, in each generator's own words.

Sources: the `parameters` text of AUTOMATIC1111's web UI and Forge, the `prompt` and `workflow` graphs
of ComfyUI, the `invokeai_metadata` of InvokeAI 5, and the JSON file that MystiCanvas writes beside
an image.
"""

import json
from dataclasses import dataclass
from typing import Any

from mysticanvas.demo.subjects import Checkpoint

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a generator was asked; `lora` is (name, hash, weight). `source` is the name of the image
    that this one was made from, `upscaler` the model that only enlarged it."""

    prompt: str
    negative_prompt: str
    seed: int
    steps: int
    cfg_scale: float
    sampler: str
    scheduler: str
    width: int
    height: int
    checkpoint: Checkpoint
    lora: tuple[str, str, float] | None
    source: str | None = None
    upscaler: str | None = None

    @property
    def prompt_with_lora(self) -> str:
        return f"{self.prompt}, <lora:{self.lora[0]}:{self.lora[2]}>" if self.lora else self.prompt


def a1111(recipe: Recipe) -> str:
    settings = [
        f"Steps: {recipe.steps}",
        f"Sampler: {recipe.sampler}",
        f"Schedule type: {recipe.scheduler}",
        f"CFG scale: {recipe.cfg_scale:g}",
        *_size_and_model(recipe),
        *_lora_hashes(recipe),
        "Version: v1.10.1",
    ]
    return _parameters(recipe, settings)


def forge(recipe: Recipe) -> str:
    is_flux = recipe.checkpoint.family == "flux"
    settings = [
        f"Steps: {recipe.steps}",
        f"Sampler: {'Euler' if is_flux else recipe.sampler}",
        f"Schedule type: {'Simple' if is_flux else recipe.scheduler}",
        f"CFG scale: {1 if is_flux else recipe.cfg_scale:g}",
        *(["Distilled CFG Scale: 3.5"] if is_flux else []),
        *_size_and_model(recipe),
        *_lora_hashes(recipe),
        "Version: f2.0.1v1.10.1-previous-669-gdfdcbab6",
        *(["Module 1: ae", "Module 2: clip_l", "Module 3: t5xxl_fp16"] if is_flux else []),
    ]
    return _parameters(recipe, settings)


def _size_and_model(recipe: Recipe) -> list[str]:
    return [
        f"Seed: {recipe.seed}",
        f"Size: {recipe.width}x{recipe.height}",
        f"Model hash: {recipe.checkpoint.short_hash}",
        f"Model: {recipe.checkpoint.name}",
    ]


def _lora_hashes(recipe: Recipe) -> list[str]:
    return [f'Lora hashes: "{recipe.lora[0]}: {recipe.lora[1]}"'] if recipe.lora else []


def _parameters(recipe: Recipe, settings: list[str]) -> str:
    lines = [recipe.prompt_with_lora]
    if recipe.negative_prompt:
        lines.append(f"Negative prompt: {recipe.negative_prompt}")
    return "\n".join([*lines, ", ".join(settings)])


_COMFYUI_SAMPLERS = {"DPM++ 2M": "dpmpp_2m", "Euler a": "euler_ancestral", "DPM++ SDE": "dpmpp_sde"}


def comfyui(recipe: Recipe) -> dict[str, str]:
    """Texts of the PNG: the graph that ran, and the same as its editor keeps it."""
    graph = _comfyui_upscale(recipe) if recipe.upscaler else _comfyui_graph(recipe)
    return {"prompt": json.dumps(graph), "workflow": json.dumps(_comfyui_workflow(graph))}


def _comfyui_graph(recipe: Recipe) -> dict[str, Json]:
    """Inputs that are [node, output] are wires; the order of the others is that of the widgets."""
    source = "10" if recipe.lora else "4"
    graph: dict[str, Json] = {
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": recipe.seed,
                "steps": recipe.steps,
                "cfg": recipe.cfg_scale,
                "sampler_name": _COMFYUI_SAMPLERS[recipe.sampler],
                "scheduler": recipe.scheduler.lower(),
                "denoise": 1.0,
                "model": [source, 0],
                "positive": ["6", 0],
                "negative": ["7", 0],
                "latent_image": ["5", 0],
            },
        },
        "4": _node("CheckpointLoaderSimple", ckpt_name=f"{recipe.checkpoint.name}.safetensors"),
        "5": _node("EmptyLatentImage", width=recipe.width, height=recipe.height, batch_size=1),
        "6": _node("CLIPTextEncode", text=recipe.prompt, clip=[source, 1]),
        "7": _node("CLIPTextEncode", text=recipe.negative_prompt, clip=[source, 1]),
        "8": _node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": _node("SaveImage", filename_prefix="ComfyUI", images=["8", 0]),
    }
    if recipe.lora:
        name, _, weight = recipe.lora
        graph["10"] = _node(
            "LoraLoader",
            lora_name=f"{name}.safetensors",
            strength_model=weight,
            strength_clip=weight,
            model=["4", 0],
            clip=["4", 1],
        )
    if recipe.source:
        graph["3"]["inputs"] |= {"denoise": 0.55, "latent_image": ["12", 0]}
        del graph["5"]
        graph["11"] = _node("LoadImage", image=recipe.source)
        graph["12"] = _node("VAEEncode", pixels=["11", 0], vae=["4", 2])
    return graph


def _comfyui_upscale(recipe: Recipe) -> dict[str, Json]:
    return {
        "1": _node("LoadImage", image=recipe.source),
        "2": _node("UpscaleModelLoader", model_name=f"{recipe.upscaler}.pth"),
        "3": _node("ImageUpscaleWithModel", upscale_model=["2", 0], image=["1", 0]),
        "4": _node("SaveImage", filename_prefix="ComfyUI", images=["3", 0]),
    }


def _node(class_type: str, **inputs: Any) -> Json:
    return {"class_type": class_type, "inputs": inputs}


_OUTPUTS = {
    "KSampler": ["LATENT"],
    "CheckpointLoaderSimple": ["MODEL", "CLIP", "VAE"],
    "EmptyLatentImage": ["LATENT"],
    "CLIPTextEncode": ["CONDITIONING"],
    "VAEDecode": ["IMAGE"],
    "SaveImage": [],
    "LoraLoader": ["MODEL", "CLIP"],
    "LoadImage": ["IMAGE", "MASK"],
    "VAEEncode": ["LATENT"],
    "UpscaleModelLoader": ["UPSCALE_MODEL"],
    "ImageUpscaleWithModel": ["IMAGE"],
}


def _comfyui_workflow(graph: dict[str, Json]) -> Json:
    nodes: dict[str, Json] = {}
    for order, (name, node) in enumerate(graph.items()):
        values = [value for value in node["inputs"].values() if not isinstance(value, list)]
        if node["class_type"] == "KSampler":
            values.insert(1, "randomize")
        nodes[name] = {
            "id": int(name),
            "type": node["class_type"],
            "pos": [60 + order % 4 * 380, 120 + order // 4 * 320],
            "size": [315, 260],
            "order": order,
            "mode": 0,
            "inputs": [],
            "outputs": [{"name": kind, "type": kind, "links": []} for kind in _OUTPUTS[node["class_type"]]],
            "widgets_values": values,
        }
    links = _wire(graph, nodes)
    return {
        "last_node_id": max(map(int, nodes)),
        "last_link_id": len(links),
        "nodes": list(nodes.values()),
        "links": links,
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def _wire(graph: dict[str, Json], nodes: dict[str, Json]) -> list[list[Any]]:
    links: list[list[Any]] = []
    for name, node in graph.items():
        for input_name, value in node["inputs"].items():
            if not isinstance(value, list):
                continue
            source, output = value
            kind = _OUTPUTS[graph[source]["class_type"]][output]
            slot = len(nodes[name]["inputs"])
            links.append([len(links) + 1, int(source), output, int(name), slot, kind])
            nodes[name]["inputs"].append({"name": input_name, "type": kind, "link": len(links)})
            nodes[source]["outputs"][output]["links"].append(len(links))
    return links


_INVOKEAI_SCHEDULERS = {"DPM++ 2M": "dpmpp_2m_k", "Euler a": "euler_a", "DPM++ SDE": "dpmpp_sde_k"}


def invokeai(recipe: Recipe) -> str:
    base = recipe.checkpoint.family
    metadata: Json = {
        "app_version": "5.6.0",
        "generation_mode": f"{base}_txt2img" if base != "sd-1" else "txt2img",
        "positive_prompt": recipe.prompt,
        "negative_prompt": recipe.negative_prompt,
        "width": recipe.width,
        "height": recipe.height,
        "seed": recipe.seed,
        "rand_device": "cpu",
        "cfg_scale": recipe.cfg_scale,
        "steps": recipe.steps,
        "scheduler": _INVOKEAI_SCHEDULERS[recipe.sampler],
        "model": _invokeai_model(recipe.checkpoint.name, recipe.checkpoint.short_hash, base, "main"),
    }
    if recipe.lora:
        name, short_hash, weight = recipe.lora
        metadata["loras"] = [{"model": _invokeai_model(name, short_hash, base, "lora"), "weight": weight}]
    return json.dumps(metadata)


def _invokeai_model(name: str, short_hash: str, base: str, kind: str) -> Json:
    key = f"{short_hash[:8]}-0000-4000-8000-{short_hash:0>12}"
    return {"key": key, "hash": f"blake3:{short_hash * 6:.64}", "name": name, "base": base, "type": kind}


def sidecar(recipe: Recipe, *, generation_time_ms: int) -> str:
    return json.dumps(
        {
            "prompt": recipe.prompt,
            "negative_prompt": recipe.negative_prompt,
            "seed": recipe.seed,
            "steps": recipe.steps,
            "cfg_scale": recipe.cfg_scale,
            "sampler": recipe.sampler,
            "scheduler": recipe.scheduler,
            "width": recipe.width,
            "height": recipe.height,
            "model": recipe.checkpoint.name,
            "model_hash": recipe.checkpoint.short_hash,
            "generation_time": generation_time_ms / 1000,
        },
        indent=2,
    )
