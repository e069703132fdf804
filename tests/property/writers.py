"""Writers of each generator's metadata, as the generators write it: settings to texts of an image."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st


@dataclass(frozen=True, slots=True)
class Made:
    prompt: str
    negative: str
    seed: int
    steps: int
    cfg: float
    sampler: str
    scheduler: str
    width: int
    height: int
    model: str


# One line without what infotext itself cannot carry: a line of settings, or the negative's mark.
_lines = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufffd"), max_size=60)
texts = (
    st.lists(_lines.map(str.strip), min_size=1, max_size=3)
    .map("\n".join)
    .map(str.strip)
    .filter(lambda text: text and not text.startswith(("{", "[", "!", "<", "Negative prompt:")))
    .filter(lambda text: "Steps:" not in text and "Negative prompt" not in text and "--" not in text)
)
_names = st.text(st.sampled_from("abcXYZ019_.+-äß漢"), min_size=1, max_size=20).filter(
    lambda name: name.lower().strip("._+-") not in ("", "none", "null", "undefined") and name[0] not in "-+."
)
made = st.builds(
    Made,
    prompt=texts,
    negative=texts | st.just(""),
    seed=st.integers(0, 2**64 - 1),
    steps=st.integers(1, 500),
    cfg=st.integers(0, 3000).map(lambda hundredth: hundredth / 100),
    sampler=st.sampled_from(("euler", "dpmpp_2m", "Euler a", "DPM++ 2M Karras", "k_euler_ancestral")),
    scheduler=st.sampled_from(("karras", "normal", "sgm_uniform", "Automatic")),
    width=st.integers(64, 8192),
    height=st.integers(64, 8192),
    model=_names,
)

Writer = Callable[[Made], dict[str, str]]
ALL = frozenset(("prompt", "negative", "seed", "steps", "cfg", "sampler", "scheduler", "width", "height", "model"))


def _quoted(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(sign in text for sign in ',:\n"') else text


def infotext(one: Made, **more: Any) -> str:
    settings = {
        "Steps": one.steps,
        "Sampler": one.sampler,
        "Schedule type": one.scheduler,
        "CFG scale": one.cfg,
        "Seed": one.seed,
        "Size": f"{one.width}x{one.height}",
        "Model": one.model,
        **more,
    }
    negative = f"\nNegative prompt: {one.negative}" if one.negative else ""
    return f"{one.prompt}{negative}\n" + ", ".join(f"{key}: {_quoted(value)}" for key, value in settings.items())


def _a1111(one: Made) -> dict[str, str]:
    return {"parameters": infotext(one, Version="v1.10.1")}


def _forge(one: Made) -> dict[str, str]:
    return {"UserComment": infotext(one, Version="f2.0.1v1.10.1-previous-664-gd557aef9")}


def _re_forge(one: Made) -> dict[str, str]:
    return {"parameters": infotext(one, Version="f1.0.0v2-v1.10.1RC-latest-2498-g5120e679")}


def _sd_next(one: Made) -> dict[str, str]:
    settings = (
        f"Steps: {one.steps}, Size: {one.width}x{one.height}, Sampler: {_quoted(one.sampler)}, Seed: {one.seed}, "
        f"CFG scale: {one.cfg}, Model: {_quoted(one.model)}, App: SD.Next, Version: 56a8aea, Pipeline: X"
    )
    negative = f"\nNegative prompt: {one.negative}" if one.negative else ""
    return {"parameters": f"{one.prompt}{negative}\n{settings}"}


def _sd_cpp(one: Made) -> dict[str, str]:
    negative = f"\nNegative prompt: {one.negative}" if one.negative else ""
    return {
        "parameters": f"{one.prompt}{negative}\nSteps: {one.steps}, CFG scale: {one.cfg:.6f}, Guidance: 3.500000, "
        f"Eta: 0.000000, Seed: {one.seed}, Size: {one.width}x{one.height}, Model: , RNG: cuda, Sampler: euler "
        f"{one.scheduler}, TE: a.safetensors, TE: b.safetensors, Unet: {one.model}, Version: stable-diffusion.cpp"
    }


def _civitai(one: Made) -> dict[str, str]:
    resources = json.dumps([{"type": "checkpoint", "modelVersionId": 1, "modelName": one.model}])
    negative = f"\nNegative prompt: {one.negative}"
    return {
        "UserComment": f"{one.prompt}{negative}\nSteps: {one.steps}, Sampler: {_quoted(one.sampler)}, CFG scale: "
        f"{one.cfg}, Seed: {one.seed}, Size: {one.width}x{one.height}, Clip skip: 2, Created Date: "
        f"2025-03-15T18:17:42.7115736Z, Civitai resources: {resources}, Civitai metadata: {{}}"
    }


def _invokeai(one: Made) -> dict[str, str]:
    said = {
        "app_version": "5.0.0", "positive_prompt": one.prompt, "negative_prompt": one.negative, "seed": one.seed,
        "steps": one.steps, "cfg_scale": one.cfg, "scheduler": one.scheduler, "width": one.width,
        "height": one.height, "model": {"name": one.model, "hash": "blake3:" + "0" * 64},
    }  # fmt: skip
    return {"invokeai_metadata": json.dumps(said)}


def _sd_metadata(one: Made) -> dict[str, str]:
    image = {
        "prompt": [{"prompt": one.prompt, "weight": 1.0}], "steps": one.steps, "cfg_scale": one.cfg, "seed": one.seed,
        "sampler": one.sampler, "width": one.width, "height": one.height,
    }  # fmt: skip
    return {"sd-metadata": json.dumps({"model_weights": one.model, "app_version": "v1.15", "image": image})}


def _fooocus(one: Made) -> dict[str, str]:
    said = {
        "prompt": one.prompt, "negative_prompt": one.negative, "seed": str(one.seed), "steps": one.steps,
        "guidance_scale": one.cfg, "sampler": one.sampler, "scheduler": one.scheduler, "performance": "Speed",
        "resolution": f"({one.width}, {one.height})", "base_model": one.model, "version": "Fooocus v2.5.5",
        "styles": "['Fooocus V2']", "loras": [["a", 0.5, "0123456789"]],
    }  # fmt: skip
    return {"parameters": json.dumps(said), "fooocus_scheme": "fooocus"}


def _fooocus_plus(one: Made) -> dict[str, str]:
    said = {
        "Prompt": one.prompt, "Negative Prompt": one.negative, "Seed": str(one.seed), "Steps": one.steps,
        "Guidance Scale": one.cfg, "Sampler": one.sampler, "Scheduler": one.scheduler, "Base Model": one.model,
        "Resolution": f"({one.width}, {one.height})", "Version": "FooocusPlus 1.0.0", "LoRA 1": "a : 0.5",
    }  # fmt: skip
    return {"Comment": json.dumps(said)}


def _fooocus_mre(one: Made) -> dict[str, str]:
    said = {
        "prompt": one.prompt, "negative_prompt": one.negative, "seed": one.seed, "steps": one.steps, "cfg": one.cfg,
        "sampler": one.sampler, "scheduler": one.scheduler, "base_model": one.model, "width": one.width,
        "height": one.height, "l1": "a", "w1": 0.5, "software": "Fooocus v2.0.78.5 MRE", "base_clip_skip": -2,
    }  # fmt: skip
    return {"Comment": json.dumps(said)}


def _ruined(one: Made) -> dict[str, str]:
    said = {
        "Prompt": one.prompt, "Negative": one.negative, "seed": one.seed, "steps": one.steps, "cfg": one.cfg,
        "sampler_name": one.sampler, "scheduler": one.scheduler, "base_model_name": one.model, "width": one.width,
        "height": one.height, "software": "RuinedFooocus", "loras": [["", "0.5 - a"]], "denoise": None,
    }  # fmt: skip
    return {"parameters": json.dumps(said)}


def _novelai(one: Made) -> dict[str, str]:
    said = {
        "prompt": one.prompt, "uc": one.negative, "seed": one.seed, "steps": one.steps, "scale": one.cfg,
        "sampler": one.sampler, "noise_schedule": one.scheduler, "width": one.width, "height": one.height,
    }  # fmt: skip
    return {"Software": "NovelAI", "Source": f"{one.model} 4BDE2A90", "Comment": json.dumps(said)}


def _novelai_webp(one: Made) -> dict[str, str]:
    return {"UserComment": json.dumps(_novelai(one))}


def _swarm(one: Made) -> dict[str, str]:
    said = {
        "prompt": one.prompt, "negativeprompt": one.negative, "seed": one.seed, "steps": str(one.steps),
        "cfgscale": one.cfg, "sampler": one.sampler, "scheduler": one.scheduler, "width": one.width,
        "height": one.height, "model": one.model, "loras": "a,b", "loraweights": "0.5,1",
    }  # fmt: skip
    return {"parameters": json.dumps({"sui_image_params": said, "sui_extra_data": {"generation_time": "1.5 sec"}})}


def _easy(one: Made) -> dict[str, Any]:
    return {
        "prompt": one.prompt, "negative_prompt": one.negative, "seed": one.seed, "num_inference_steps": one.steps,
        "guidance_scale": one.cfg, "sampler_name": one.sampler, "scheduler_name": one.scheduler, "width": one.width,
        "height": one.height, "use_stable_diffusion_model": one.model, "use_lora_model": ["a"], "lora_alpha": [0.5],
    }  # fmt: skip


def _easy_diffusion(one: Made) -> dict[str, str]:
    return {"UserComment": json.dumps(_easy(one))}


def _easy_diffusion_chunks(one: Made) -> dict[str, str]:
    return {key: str(value) for key, value in _easy(one).items()}


def _draw_things(one: Made) -> dict[str, str]:
    said = {
        "c": one.prompt, "uc": one.negative, "seed": one.seed, "steps": one.steps, "scale": one.cfg,
        "sampler": one.sampler, "size": f"{one.width}x{one.height}", "model": one.model, "strength": 1,
        "seed_mode": "Scale Alike", "lora": [{"model": "a", "weight": 0.5}],
    }  # fmt: skip
    content = json.dumps(said).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    xmp = f"<exif:UserComment><rdf:Alt><rdf:li xml:lang='x-default'>{content}</rdf:li></rdf:Alt></exif:UserComment>"
    return {"XML:com.adobe.xmp": xmp}


def _tensorart(one: Made) -> dict[str, str]:
    said = {
        "prompt": one.prompt, "negativePrompt": one.negative, "seed": str(one.seed), "steps": one.steps,
        "cfgScale": one.cfg, "ksamplerName": one.sampler, "schedule": one.scheduler, "width": one.width,
        "height": one.height, "baseModel": {"modelFileName": one.model, "hash": "A" * 64},
    }  # fmt: skip
    return {"generation_data": json.dumps(said) + "\0"}


def _hf_space(one: Made) -> dict[str, str]:
    said = {
        "prompt": one.prompt, "negative_prompt": one.negative, "seed": one.seed, "num_inference_steps": one.steps,
        "guidance_scale": one.cfg, "sampler": one.sampler, "resolution": f"{one.width} x {one.height}",
        "Model": one.model, "use_upscaler": None,
    }  # fmt: skip
    return {"parameters": json.dumps(said)}


def _kohya(one: Made) -> dict[str, str]:
    return {
        "prompt": one.prompt, "negative-prompt": one.negative, "seed": str(one.seed), "steps": str(one.steps),
        "scale": str(one.cfg), "sampler": one.sampler,
    }  # fmt: skip


def _koboldcpp(one: Made) -> dict[str, str]:
    return {
        "parameters": f"Prompt: {one.prompt} | NegativePrompt: {one.negative} | Steps: {one.steps} | CFGScale: "
        f"{one.cfg:.6f} | Guidance: 3.500000 | Seed: {one.seed} | Size: {one.width}x{one.height} | Sampler: euler "
        f"{one.scheduler} | Clip skip: -1 | Model: {one.model} | Version: KoboldCpp"
    }


def _mochi(one: Made) -> dict[str, str]:
    return {
        "Caption-Abstract": f"Include in Image: {one.prompt}; Exclude from Image: {one.negative}; Model: {one.model}; "
        f"Steps: {one.steps}; Guidance Scale: {one.cfg}; Seed: {one.seed}; Size: {one.width}x{one.height}; "
        f"Scheduler: {one.scheduler}; ML Compute Unit: All; Generator: Mochi Diffusion 5.2"
    }


def _midjourney(one: Made) -> dict[str, str]:
    negative = f" --no {one.negative}" if one.negative else ""
    job = "Job ID: 996de4a8-647f-4a65-8b03-a65cdfdbf22f"
    return {"Description": f"{one.prompt} --seed {one.seed}{negative} --v 6.1 {job}"}


def graph(one: Made) -> dict[str, Any]:
    return {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": one.model}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": one.width, "height": one.height}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["16", 0], "clip": ["4", 1]}},
        "16": {"class_type": "PrimitiveStringMultiline", "inputs": {"value": one.prompt}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": one.negative, "clip": ["4", 1]}},
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": one.seed, "steps": one.steps, "cfg": one.cfg, "sampler_name": one.sampler,
                "scheduler": one.scheduler, "denoise": 1.0, "model": ["4", 0], "positive": ["6", 0],
                "negative": ["7", 0], "latent_image": ["5", 0],
            },
        },
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["8", 0]}},
    }  # fmt: skip


def _comfyui(one: Made) -> dict[str, str]:
    return {"prompt": json.dumps(graph(one))}


def _comfyui_webp(one: Made) -> dict[str, str]:
    return {"Model": "prompt:" + json.dumps(graph(one))}


def editor_graph(one: Made) -> dict[str, Any]:
    """The same as the editor keeps it."""
    nodes = [
        {"id": 4, "type": "CheckpointLoaderSimple", "widgets_values": [one.model], "inputs": []},
        {"id": 5, "type": "EmptyLatentImage", "widgets_values": [one.width, one.height, 1], "inputs": []},
        {"id": 6, "type": "CLIPTextEncode", "widgets_values": [one.prompt], "inputs": [_slot("clip", 1)]},
        {"id": 7, "type": "CLIPTextEncode", "widgets_values": [one.negative], "inputs": [_slot("clip", 2)]},
        {
            "id": 3,
            "type": "KSampler",
            "widgets_values": [one.seed, "randomize", one.steps, one.cfg, one.sampler, one.scheduler, 1],
            "inputs": [_slot("model", 3), _slot("positive", 4), _slot("negative", 5), _slot("latent_image", 6)],
        },
        {"id": 8, "type": "VAEDecode", "inputs": [_slot("samples", 7)]},
        {"id": 9, "type": "SaveImage", "widgets_values": ["x"], "inputs": [_slot("images", 8)]},
    ]
    origins = {1: (4, 1), 2: (4, 1), 3: (4, 0), 4: (6, 0), 5: (7, 0), 6: (5, 0), 7: (3, 0), 8: (8, 0)}
    return {"nodes": nodes, "links": [[n, origin, slot, 0, 0, "X"] for n, (origin, slot) in origins.items()]}


def _slot(name: str, link: int) -> dict[str, Any]:
    return {"name": name, "type": "X", "link": link}


def _comfyui_editor(one: Made) -> dict[str, str]:
    return {"workflow": json.dumps(editor_graph(one))}


def group_graph(one: Made) -> dict[str, Any]:
    """The same with the texts, the latent and the sampler in one group node, whose definition has other values."""
    inner = [
        {"type": "EmptyLatentImage", "widgets_values": [8, 8, 1], "outputs": [{}]},
        {"type": "CLIPTextEncode", "widgets_values": ["old"], "inputs": [{"name": "clip"}], "outputs": [{}]},
        {"type": "CLIPTextEncode", "widgets_values": ["old"], "inputs": [{"name": "clip"}], "outputs": [{}]},
        {
            "type": "KSampler",
            "widgets_values": [1, "fixed", 1, 1, "old", "old", 0.1],
            "inputs": [{"name": name} for name in ("model", "positive", "negative", "latent_image")],
            "outputs": [{}],
        },
    ]
    links = [[1, 0, 3, 1, 6, "X"], [2, 0, 3, 2, 7, "X"], [0, 0, 3, 3, 5, "X"], [None, 0, 1, 0, 4, "CLIP"]]
    values = [one.width, one.height, 1, one.prompt, one.negative, one.seed, "randomize", one.steps, one.cfg]
    nodes = [
        {"id": 4, "type": "CheckpointLoaderSimple", "widgets_values": [one.model], "inputs": []},
        {
            "id": 3,
            "type": "workflow/All",
            "widgets_values": [*values, one.sampler, one.scheduler, 1],
            "inputs": [_slot("clip", 1), _slot("CLIPTextEncode clip", 2), _slot("model", 3)],
        },
        {"id": 8, "type": "VAEDecode", "inputs": [_slot("samples", 4)]},
        {"id": 9, "type": "SaveImage", "widgets_values": ["x"], "inputs": [_slot("images", 5)]},
    ]
    origins = {1: (4, 1), 2: (4, 1), 3: (4, 0), 4: (3, 0), 5: (8, 0)}
    return {
        "nodes": nodes,
        "links": [[n, origin, slot, 0, 0, "X"] for n, (origin, slot) in origins.items()],
        "extra": {"groupNodes": {"All": {"nodes": inner, "links": links, "external": []}}},
    }


def _comfyui_group(one: Made) -> dict[str, str]:
    return {"workflow": json.dumps(group_graph(one))}


# What each says: the tool, its writer, and the fields that it cannot carry or writes otherwise.
WRITERS: dict[str, tuple[str, Writer, frozenset[str]]] = {
    "a1111": ("A1111", _a1111, ALL),
    "forge": ("Forge", _forge, ALL),
    "reforge": ("reForge", _re_forge, ALL),
    "sd.next": ("SD.Next", _sd_next, ALL - {"scheduler"}),
    "stable-diffusion.cpp": ("stable-diffusion.cpp", _sd_cpp, ALL - {"sampler"}),
    "civitai": ("Civitai", _civitai, ALL - {"scheduler"}),
    "invokeai": ("InvokeAI", _invokeai, ALL - {"sampler"}),
    "sd-metadata": ("InvokeAI", _sd_metadata, ALL - {"negative", "scheduler"}),
    "fooocus": ("Fooocus", _fooocus, ALL),
    "fooocusplus": ("FooocusPlus", _fooocus_plus, ALL),
    "fooocus-mre": ("Fooocus", _fooocus_mre, ALL),
    "ruinedfooocus": ("RuinedFooocus", _ruined, ALL),
    "novelai": ("NovelAI", _novelai, ALL),
    "novelai webp": ("NovelAI", _novelai_webp, ALL),
    "swarmui": ("SwarmUI", _swarm, ALL),
    "easy diffusion": ("Easy Diffusion", _easy_diffusion, ALL),
    "easy diffusion chunks": ("Easy Diffusion", _easy_diffusion_chunks, ALL),
    "draw things": ("Draw Things", _draw_things, ALL - {"scheduler"}),
    "tensorart": ("TensorArt", _tensorart, ALL),
    "huggingface": ("HuggingFace Space", _hf_space, ALL - {"scheduler"}),
    "kohya": ("kohya sd-scripts", _kohya, ALL - {"scheduler", "width", "height", "model"}),
    "koboldcpp": ("KoboldCpp", _koboldcpp, ALL - {"sampler"}),
    "mochi": ("Mochi Diffusion", _mochi, ALL - {"sampler"}),
    "midjourney": ("Midjourney", _midjourney, frozenset(("prompt", "negative", "seed"))),
    "comfyui": ("ComfyUI", _comfyui, ALL),
    "comfyui webp": ("ComfyUI", _comfyui_webp, ALL),
    "comfyui editor": ("ComfyUI", _comfyui_editor, ALL),
    "comfyui group": ("ComfyUI", _comfyui_group, ALL),
}
