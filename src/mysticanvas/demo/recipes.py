"""Metadata of demo images, in the format of each generator.

Sources: the `parameters` text of AUTOMATIC1111's web UI and Forge, the `prompt` and `workflow` graphs of ComfyUI, the
`invokeai_metadata` of InvokeAI 5, and the JSON file that MystiCanvas writes beside an image.
"""

import json
from dataclasses import dataclass
from typing import Any

from mysticanvas.demo.subjects import Checkpoint

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Generation data of one image. `lora` is (name, hash, weight).

    `source` is the file name of the source image; with `upscaler`, that image was only upscaled.
    """

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


def format_a1111(recipe: Recipe) -> str:
    settings = [
        f"Steps: {recipe.steps}",
        f"Sampler: {recipe.sampler}",
        f"Schedule type: {recipe.scheduler}",
        f"CFG scale: {recipe.cfg_scale:g}",
        *_format_size_and_model(recipe),
        *_format_lora_hashes(recipe),
        "Version: v1.10.1",
    ]
    return _format_parameters(recipe, settings)


def format_forge(recipe: Recipe) -> str:
    is_flux = recipe.checkpoint.family == "flux"
    settings = [
        f"Steps: {recipe.steps}",
        f"Sampler: {'Euler' if is_flux else recipe.sampler}",
        f"Schedule type: {'Simple' if is_flux else recipe.scheduler}",
        f"CFG scale: {1 if is_flux else recipe.cfg_scale:g}",
        *(["Distilled CFG Scale: 3.5"] if is_flux else []),
        *_format_size_and_model(recipe),
        *_format_lora_hashes(recipe),
        "Version: f2.0.1v1.10.1-previous-669-gdfdcbab6",
        *(["Module 1: ae", "Module 2: clip_l", "Module 3: t5xxl_fp16"] if is_flux else []),
    ]
    return _format_parameters(recipe, settings)


def _format_size_and_model(recipe: Recipe) -> list[str]:
    return [
        f"Seed: {recipe.seed}",
        f"Size: {recipe.width}x{recipe.height}",
        f"Model hash: {recipe.checkpoint.short_hash}",
        f"Model: {recipe.checkpoint.name}",
    ]


def _format_lora_hashes(recipe: Recipe) -> list[str]:
    return [f'Lora hashes: "{recipe.lora[0]}: {recipe.lora[1]}"'] if recipe.lora else []


def _format_parameters(recipe: Recipe, settings: list[str]) -> str:
    lines = [recipe.prompt_with_lora]
    if recipe.negative_prompt:
        lines.append(f"Negative prompt: {recipe.negative_prompt}")
    return "\n".join([*lines, ", ".join(settings)])


_COMFYUI_SAMPLERS = {"DPM++ 2M": "dpmpp_2m", "Euler a": "euler_ancestral", "DPM++ SDE": "dpmpp_sde"}


def build_comfyui_texts(recipe: Recipe) -> dict[str, str]:
    """The PNG texts: the API graph, and the same graph in editor format."""
    graph = _build_comfyui_upscale(recipe) if recipe.upscaler else _build_comfyui_graph(recipe)
    return {"prompt": json.dumps(graph), "workflow": json.dumps(_build_comfyui_workflow(graph))}


def _build_comfyui_graph(recipe: Recipe) -> dict[str, Json]:
    """The API graph. Inputs of the form [node, output] are links; the others are in widget order."""
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
        "4": _build_node("CheckpointLoaderSimple", ckpt_name=f"{recipe.checkpoint.name}.safetensors"),
        "5": _build_node("EmptyLatentImage", width=recipe.width, height=recipe.height, batch_size=1),
        "6": _build_node("CLIPTextEncode", text=recipe.prompt, clip=[source, 1]),
        "7": _build_node("CLIPTextEncode", text=recipe.negative_prompt, clip=[source, 1]),
        "8": _build_node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": _build_node("SaveImage", filename_prefix="ComfyUI", images=["8", 0]),
    }
    if recipe.lora:
        name, _, weight = recipe.lora
        graph["10"] = _build_node(
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
        graph["11"] = _build_node("LoadImage", image=recipe.source)
        graph["12"] = _build_node("VAEEncode", pixels=["11", 0], vae=["4", 2])
    return graph


def _build_comfyui_upscale(recipe: Recipe) -> dict[str, Json]:
    return {
        "1": _build_node("LoadImage", image=recipe.source),
        "2": _build_node("UpscaleModelLoader", model_name=f"{recipe.upscaler}.pth"),
        "3": _build_node("ImageUpscaleWithModel", upscale_model=["2", 0], image=["1", 0]),
        "4": _build_node("SaveImage", filename_prefix="ComfyUI", images=["3", 0]),
    }


def _build_node(class_type: str, **inputs: Any) -> Json:
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


def _build_comfyui_workflow(graph: dict[str, Json]) -> Json:
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
    links = _link_nodes(graph, nodes)
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


def _link_nodes(graph: dict[str, Json], nodes: dict[str, Json]) -> list[list[Any]]:
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


def format_invokeai(recipe: Recipe) -> str:
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
        "model": _build_invokeai_model(recipe.checkpoint.name, recipe.checkpoint.short_hash, base, "main"),
    }
    if recipe.lora:
        name, short_hash, weight = recipe.lora
        metadata["loras"] = [{"model": _build_invokeai_model(name, short_hash, base, "lora"), "weight": weight}]
    return json.dumps(metadata)


def _build_invokeai_model(name: str, short_hash: str, base: str, kind: str) -> Json:
    key = f"{short_hash[:8]}-0000-4000-8000-{short_hash:0>12}"
    return {"key": key, "hash": f"blake3:{short_hash * 6:.64}", "name": name, "base": base, "type": kind}


def format_sidecar(recipe: Recipe, *, generation_time_ms: int) -> str:
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
