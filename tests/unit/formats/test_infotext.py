"""Infotext in the dialects of those who write it."""

import pytest
from tests.unit.formats.reading import read

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse


def settings(line: str, prompt: str = "a cat") -> Recipe:
    return read({"parameters": f"{prompt}\nSteps: 20, {line}"})


def test_what_dynamic_prompts_writes_behind_the_settings_is_no_prompt() -> None:
    recipe = read({"parameters": "a red cat\nSteps: 20, Seed: 5\nTemplate: a {red|blue} cat\nNegative Template: x"})
    assert recipe.prompt == "a red cat"
    assert recipe.params["After settings"] == "Template: a {red|blue} cat\nNegative Template: x"


@pytest.mark.parametrize(
    ("text", "prompt", "negative"),
    [
        ("Steps: 20, Seed: 1, Sampler: Euler", "", ""),
        ("Negative prompt: ugly\nSteps: 20, Seed: 1", "", "ugly"),
        ("a\r\nb\r\nNegative prompt: c\r\nd\r\nSteps: 20, Seed: 1", "a\nb", "c\nd"),
        ("Steps: 5 to heaven\nand on\nSteps: 20, Seed: 1", "Steps: 5 to heaven\nand on", ""),
        ("{red|blue} cat\nSteps: 20, Seed: 1", "{red|blue} cat", ""),
        ("a BREAK b AND c\nSteps: 20, Seed: 1\0", "a BREAK b AND c", ""),
    ],
)
def test_prompt_and_negative_prompt_end_where_they_end(text: str, prompt: str, negative: str) -> None:
    recipe = read({"parameters": text})
    assert (recipe.prompt, recipe.negative_prompt) == (prompt, negative)


def test_a_line_of_settings_without_steps_is_one_too() -> None:
    recipe = read({"parameters": "a cat\nSize: 512x768, Seed: 7, Model: m, Operations: upscale, App: SD.Next"})
    assert (recipe.tool, recipe.seed, recipe.width, recipe.steps) == ("SD.Next", 7, 512, None)


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ('ADetailer prompt: "smiling, \\"x\\": y", Seed: 1', "ADetailer prompt", 'smiling, "x": y'),
        ("Skip layers: [7, 8, ], Seed: 1", "Skip layers", "[7, 8, ]"),
        ('X Values: "0, 0.5", Seed: 1', "X Values", "0, 0.5"),
        ("ADetailer prompt: a, b, Seed: 1", "ADetailer prompt", "a, b"),
        ("Raw negative prompt: , Seed: 1", "Raw negative prompt", ""),
        ('Tiled: {"Method": "MoD", "Tiles": [1, 2]}, Seed: 1', "Tiled", '{"Method": "MoD", "Tiles": [1, 2]}'),
        ("AddNet Enabled, Seed: 1", "AddNet Enabled", "AddNet Enabled"),
        ('Broken: "a, b, Seed: 1', "Broken", '"a, b'),
    ],
)  # fmt: skip
def test_a_value_ends_where_the_writer_ended_it(line: str, key: str, value: str) -> None:
    recipe = settings(line)
    assert (recipe.params[key], recipe.seed) == (value, 1)


def test_a_key_that_stands_there_twice_keeps_both_values() -> None:
    assert settings("Score: 1, Score: 2").params["Score"] == ["1", "2"]


@pytest.mark.parametrize(
    ("version", "tool"),
    [
        ("v1.10.1", "A1111"),
        ("v1.10.1-amd-24-g63895a83", "A1111"),
        ("f2.0.1v1.10.1-previous-664-gd557aef9", "Forge"),
        ("f0.0.17v1.8.0rc-latest-277-g0af28699", "Forge"),
        ("classic", "Forge"),
        ("neo-2.28", "Forge"),
        ("f1.0.0v2-v1.10.1RC-latest-2498-g5120e679", "reForge"),
        ("f1.3.0-v1.10.1RC", "reForge"),
        ("ComfyUI", "ComfyUI"),
        ("Fooocus v2.5.5", "Fooocus"),
        ("FooocusPlus 1.0.0", "FooocusPlus"),
    ],
)
def test_the_version_tells_the_tool(version: str, tool: str) -> None:
    recipe = settings(f"ADetailer version: 24.9.0, Seed: 1, Version: {version}")
    assert (recipe.tool, recipe.tool_version) == (tool, version)


@pytest.mark.parametrize(
    ("prompt", "line", "loras"),
    [
        ("<lora:a/b c.d:0.8>", "Seed: 1", [LoraUse("a/b c.d", 0.8)]),
        ("<lora:a:0.8:0.5>, <lyco:b>", "Seed: 1", [LoraUse("a", 0.8), LoraUse("b", 1.0)]),
        ("<lora:a:te=0.5:unet=.25>", "Seed: 1", [LoraUse("a", 0.25)]),
        ("x", 'Lora hashes: "a: 0123456789ab, b: x1"', [LoraUse("a", None, "0123456789ab"), LoraUse("b", None, "x1")]),
        ("<lora:a:1>", 'Hashes: {"LORA:a": "ab12", "model": "cd"}', [LoraUse("a", 1.0, "ab12")]),
        ("x", 'Lora weights: "a: 0.1", Lora hashes: "a: ff"', [LoraUse("a", 0.1, "ff")]),
        ("x", "AddNet Model 1: a(0123abcd), AddNet Weight A 1: 0.5", [LoraUse("a", 0.5, "0123abcd")]),
        ("x", 'Civitai resources: [{"type":"lora","weight":0.6,"modelName":"A b"}]', [LoraUse("A b", 0.6)]),
    ],
)  # fmt: skip
def test_loras_are_told_in_many_ways(prompt: str, line: str, loras: list[LoraUse]) -> None:
    assert list(settings(line, prompt).loras) == loras


@pytest.mark.parametrize(
    ("line", "use"),
    [
        ("Refiner: r [7440042bbd], Refiner switch at: 0.8", (ModelKind.REFINER, "r", "7440042bbd", None)),
        ("VAE hash: 235745af8d, VAE: x.vae", (ModelKind.VAE, "x.vae", "235745af8d", None)),
        ('TI hashes: "easy: c74b4e810b03"', (ModelKind.EMBEDDING, "easy", "c74b4e810b03", None)),
        ('Hashes: {"embed:easy": "c74b"}', (ModelKind.EMBEDDING, "easy", "c74b", None)),
        ("Hires upscaler: 4x-UltraSharp", (ModelKind.UPSCALER, "4x-UltraSharp", None, None)),
        ('ControlNet 0: "Module: m, Model: c [d14c016b], Weight: 0.8"', (ModelKind.CONTROLNET, "c", "d14c016b", 0.8)),
        ("ControlNet Model: c(fef5e48e), ControlNet Weight: 1", (ModelKind.CONTROLNET, "c", "fef5e48e", 1.0)),
        ("ControlNet-1 Model: c [fef5e48e]", (ModelKind.CONTROLNET, "c", "fef5e48e", None)),
        ("Module 1: ae, Module 2: t5xxl_fp16", (ModelKind.TEXT_ENCODER, "t5xxl_fp16", None, None)),
        ("TE: a.gguf, TE: b.gguf", (ModelKind.TEXT_ENCODER, "b.gguf", None, None)),
    ],
)
def test_other_models_are_named(line: str, use: tuple[ModelKind, str, str | None, float | None]) -> None:
    assert ModelUse(*use) in settings(line).models


def test_latent_upscalers_are_no_models() -> None:
    assert settings("Hires upscaler: Latent (nearest-exact)").models == ()


def test_forge_names_its_vae_among_its_modules() -> None:
    assert settings("Module 1: ae, Module 2: t5xxl_fp16, Distilled CFG Scale: 3.5").vae == "ae"
    assert settings("Module 1: ae, Distilled CFG Scale: 3.5").guidance == 3.5


@pytest.mark.parametrize(
    ("line", "relation", "image"),
    [
        ("Hires upscale: 2", None, None),
        ("Mask blur: 4", "inpaint", None),
        (f"Init image hash: {'a' * 32}", "img2img", (None, "a" * 32, "pixels_md5")),
        ("Init image hash: fd2a86eb", "img2img", (None, "fd2a86eb", "pixels_sha256")),
        (
            'Civitai metadata: {"images": [{"url": "https://x/y.jpg?sig=z"}]}',
            "img2img",
            ("https://x/y.jpg", None, None),
        ),
        ('Civitai metadata: {"images": 5}', None, None),
    ],
)
def test_where_an_image_began(
    line: str, relation: str | None, image: tuple[str | None, str | None, str | None] | None
) -> None:
    recipe = settings(f"Denoising strength: 0.5, {line}")
    assert recipe.parent_relation == relation
    assert recipe.inputs == ((InputImage(InputRole.SOURCE, *image),) if image else ())


def test_numbers_that_are_none_are_left_out() -> None:
    recipe = settings("CFG scale: nan, Seed: １２３, Denoising strength: inf, Clip skip: 99999999999")
    assert (recipe.cfg_scale, recipe.seed, recipe.denoise, recipe.clip_skip) == (None, None, None, None)


def test_stable_diffusion_cpp_writes_method_and_schedule_as_one() -> None:
    recipe = settings("Model: , Unet: flux.gguf, Sampler: euler discrete, Version: stable-diffusion.cpp")
    assert (recipe.model, recipe.sampler, recipe.scheduler) == ("flux.gguf", "euler", "discrete")


def test_the_record_of_newer_versions_of_stable_diffusion_cpp_is_read() -> None:
    record = (
        '{"generator":{"version":"master-782"},"sampling":{"method":"dpm++2m","scheduler":"karras"},'
        '"loras":[{"name":"film","multiplier":0.5,"is_high_noise":false}]}'
    )
    recipe = settings(f"Sampler: euler, Version: stable-diffusion.cpp, SDCPP: {record}")
    assert (recipe.tool_version, recipe.sampler, recipe.scheduler) == ("master-782", "dpm++2m", "karras")
    assert recipe.loras == (LoraUse("film", 0.5),)


def test_saves_beside_a_graph_of_comfyui_are_comfyuis() -> None:
    graph = {"1": {"class_type": "SaveImage", "inputs": {}}}
    assert read({"parameters": "a\nSteps: 20, Seed: 1", "prompt": graph}).tool == "ComfyUI"


def test_stability_matrix_is_known_by_its_project() -> None:
    recipe = read({"parameters": "a\n\nSteps: 20, Sampler: Euler Ancestral Karras", "smproj": "{}"})
    assert (recipe.tool, recipe.sampler) == ("StabilityMatrix", "Euler Ancestral Karras")


def test_an_upscale_in_extras_names_its_upscaler_and_no_prompt() -> None:
    recipe = read({"postprocessing": "Postprocess upscale by: 4, Postprocess upscaler: R-ESRGAN 4x+"})
    assert (recipe.tool, recipe.prompt) == ("A1111", None)
    assert recipe.parent_relation is ParentRelation.UPSCALE
    assert recipe.models == (ModelUse(ModelKind.UPSCALER, "R-ESRGAN 4x+"),)


def test_the_date_that_civitai_writes_is_taken() -> None:
    recipe = settings("Created Date: 2025-03-15T18:17:42.7115736Z, Civitai resources: []")
    assert recipe.created_ms == 1_742_062_662_712
