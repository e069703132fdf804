"""Sidecars of every kind: which it is, is told by what it says."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from tests.unit.formats.reading import read

from mysticanvas.domain.generation import LoraUse
from mysticanvas.formats.generators.fooocus_log import find_section

INFOTEXT = "a cat\nNegative prompt: ugly\nSteps: 20, Sampler: Euler a, Seed: 5, Size: 512x768"
GRAPH = {
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat"}},
    "3": {"class_type": "KSampler", "inputs": {"seed": 5, "steps": 20, "cfg": 1, "positive": ["2", 0]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}},
}


@pytest.mark.parametrize(
    ("name", "content", "tool"),
    [
        ("x.txt", INFOTEXT, "A1111"),
        ("x.txt", INFOTEXT.replace("\n", "\r\n"), "A1111"),
        ("x.json", {"infotexts": [INFOTEXT], "prompt": "a cat", "seed": 5}, "A1111"),
        ("x.json", {"parameters": INFOTEXT}, "A1111"),
        ("x.json", GRAPH, "ComfyUI"),
        ("x.json", {"prompt": GRAPH, "workflow": {"nodes": []}}, "ComfyUI"),
        ("x.json", {"sui_image_params": {"prompt": "a cat", "seed": 5, "steps": 20}}, "SwarmUI"),
        ("x.swarm.json", {"sui_image_params": {"prompt": "a cat", "seed": 5, "steps": 20}}, "SwarmUI"),
        (
            "x.json",
            {"prompt": "a cat", "use_stable_diffusion_model": "m", "seed": 5, "num_inference_steps": 20},
            "Easy Diffusion",
        ),
        (
            "x.txt",
            "Prompt: a cat\nNegative Prompt: \nSeed: 5\nStable Diffusion model: m\nSteps: 20\n",
            "Easy Diffusion",
        ),
        (
            "x.json",
            {"prompt": "a cat", "base_model": "m", "cfg": 7, "seed": 5, "steps": 20, "software": "Fooocus MRE"},
            "Fooocus",
        ),
        ("x.json", {"positive_prompt": "a cat", "seed": 5, "steps": 20, "generation_mode": "txt2img"}, "InvokeAI"),
        (
            "x.json",
            {"prompt": "a cat", "image_width": 512, "image_height": 512, "inference_steps": 20, "seed": 5},
            "fastsdcpu",
        ),
        (
            "x.json",
            {"prompt": "a cat", "seed": 5, "steps": 20, "cfg_scale": 7, "width": 64, "height": 64},
            "DiffusionDesk",
        ),
        ("x.json", {"id": 1, "meta": {"prompt": "a cat", "seed": 5, "steps": 20, "cfgScale": 7, "Model": "m"}}, None),
        ("x.yaml", "prompt: a cat\nseed: 5\nddim_steps: 20\ncfg_scale: 7.5\nsampler_name: k_lms\n", None),
        (
            "x.yaml",
            "prompt: \"a\n  cat\"\nseed: 5\nsteps: 20\nnegative_prompt: ''\ncfg_scale: 7\nwidth: 64\nheight: 64\n",
            "DiffusionDesk",
        ),
        ("x.yaml", "prompt: >-\n  a\n  cat\nseed: 5\nsteps: 20\nsampler: x\n", None),
        ("x.xmp", f"<x:xmpmeta><exif:UserComment>{INFOTEXT}</exif:UserComment></x:xmpmeta>", "A1111"),
    ],
)
def test_a_sidecar_says_how_the_image_was_made(name: str, content: Any, tool: str | None) -> None:
    recipe = read({}, beside={name: content})
    assert (recipe.tool, recipe.prompt, recipe.seed, recipe.steps) == (tool, "a cat", 5, 20)


def test_a_prompt_of_several_lines_ends_at_the_next_label() -> None:
    text = "Prompt: a cat\nSteps: of stone\nSeed: 5\nStable Diffusion model: m\n"
    assert read({}, beside={"x.txt": text}).seed == 5


@pytest.mark.parametrize("content", ["{}", "[]", '{"prompt": "x", ', "5", "null", '{"seed": 1}', ""])
def test_a_json_that_is_none_of_them_says_nothing(content: str) -> None:
    recipe = read({}, beside={"x.json": content})
    assert (recipe.prompt, recipe.seed, recipe.params) == (None, None, {})


def test_a_text_without_settings_is_a_caption() -> None:
    recipe = read({}, beside={"x.txt": "a red fox, snow, photo"})
    assert (recipe.prompt, recipe.params) == (None, {"caption": "a red fox, snow, photo"})


def test_what_the_image_says_wins_and_a_contradiction_is_told() -> None:
    recipe = read({"parameters": "b\nSteps: 1, Seed: 9"}, beside={"x.txt": INFOTEXT})
    assert (recipe.prompt, recipe.seed) == ("b", 9)
    assert recipe.problems


def test_a_sidecar_speaks_where_the_image_only_says_who_made_it() -> None:
    said = json.dumps({"digital_source_types": ["trainedAlgorithmicMedia"], "names": ["gpt-image"]})
    assert read({"C2PA": said}, beside={"x.txt": INFOTEXT}).prompt == "a cat"


def test_of_several_sidecars_the_one_that_a_tool_wrote_for_itself_is_believed() -> None:
    own = {"sui_image_params": {"prompt": "a dog", "seed": 6}}
    assert read({}, beside={"x.txt": INFOTEXT, "x.swarm.json": own}).prompt == "a dog"


# -- the log of Fooocus -------------------------------------------------------------------------------------

LOGGED = {"prompt": "a cat", "negative_prompt": "", "seed": "5", "base_model": "m.safetensors", "styles": "[]",
          "performance": "Speed", "resolution": "(512, 768)", "version": "Fooocus v2.5.5"}  # fmt: skip


def logged(name: str, rows: dict[str, Any], *, button: str = "") -> str:
    table = "".join(
        f"<tr><td class='key'>{key}</td><td class='value'>{value}</td></tr>\n" for key, value in rows.items()
    )
    return (
        f'<div id="{name.replace(".", "_")}" class="image-container"><hr><table><tr>\n<td><img src=\'{name}\'></td>'
        f"<td><table class='metadata'>{table}</table>{button}</td></tr></table></div>\n\n"
    )


def test_the_log_of_fooocus_says_of_each_image_what_its_button_copies() -> None:
    button = f"</br><button onclick=\"to_clipboard('{quote(json.dumps(LOGGED, indent=0), safe='')}')\">Copy</button>"
    page = logged("b.png", {"Prompt": "a dog"}) + logged("a.png", {"Prompt": "lost</br>line"}, button=button)
    recipe = read({}, beside={"log.html": find_section(page, "a.png") or ""})
    assert (recipe.tool, recipe.prompt, recipe.seed, recipe.height) == ("Fooocus", "a cat", 5, 768)
    assert find_section(page, "c.png") is None


def test_early_logs_of_fooocus_are_read_from_their_table() -> None:
    rows = {"Prompt": "a cat </br> at night", "Resolution": "(512, 768)", "Base Model": "m", "Seed": 5,
            "LoRA [b.safetensors] weight": 0.5}  # fmt: skip
    recipe = read({}, beside={"log.html": find_section(logged("a.png", rows), "a.png") or ""})
    assert (recipe.prompt, recipe.width, recipe.model, recipe.seed) == ("a cat\nat night", 512, "m", 5)
    assert recipe.loras == (LoraUse("b.safetensors", 0.5),)
