"""Generators that write a JSON object, labels, or one text a setting; and what only provenance says."""

import json
from typing import Any

import pytest
from tests.unit.formats.reading import read

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.formats.containers import c2pa

# -- InvokeAI -----------------------------------------------------------------------------------------------

INVOKE = {
    "app_version": "5.1",
    "positive_prompt": "a cat",
    "seed": 1,
    "steps": 30,
    "model": {"name": "m", "hash": "blake3:ab"},
}


@pytest.mark.parametrize(
    ("said", "loras"),
    [
        ([{"model": {"name": "a", "hash": "blake3:cd"}, "weight": 0.5}], LoraUse("a", 0.5, "blake3:cd")),
        ([{"lora": {"model_name": "a", "base_model": "sdxl"}, "weight": 0.5}], LoraUse("a", 0.5)),
    ],
)
def test_loras_of_both_invokeai_generations(said: Any, loras: LoraUse) -> None:
    assert read({"invokeai_metadata": INVOKE | {"loras": said}}).loras == (loras,)


def test_invokeai_names_its_adapters_and_the_images_they_were_given() -> None:
    recipe = read(
        {
            "invokeai_metadata": INVOKE
            | {
                "generation_mode": "sdxl_img2img",
                "strength": 0.6,
                "init_image": "start.png",
                "controlnets": [
                    {"control_model": {"name": "canny"}, "image": {"image_name": "c.png"}, "control_weight": 0.7}
                ],
                "ipAdapters": [{"ip_adapter_model": {"name": "ip"}, "image": {"image_name": "i.png"}, "weight": 1}],
                "refiner_model": {"name": "refiner"},
                "vae": {"name": "v", "hash": "blake3:ef"},
                "t5_encoder": {"name": "t5"},
            }
        }
    )
    assert (recipe.parent, recipe.parent_relation, recipe.denoise) == ("start.png", ParentRelation.IMG2IMG, 0.6)
    assert recipe.inputs == (
        InputImage(InputRole.SOURCE, "start.png"),
        InputImage(InputRole.CONTROL, "c.png"),
        InputImage(InputRole.REFERENCE, "i.png"),
    )
    assert set(recipe.models) == {
        ModelUse(ModelKind.VAE, "v", "blake3:ef"),
        ModelUse(ModelKind.REFINER, "refiner"),
        ModelUse(ModelKind.TEXT_ENCODER, "t5"),
        ModelUse(ModelKind.CONTROLNET, "canny", None, 0.7),
        ModelUse(ModelKind.OTHER, "ip", None, 1.0),
    }


@pytest.mark.parametrize(
    ("dream", "prompt", "negative", "seed", "parent"),
    [
        ('"a cat, blue" -s50 -S123 -W512 -H512 -C7.5 -Ak_lms', "a cat, blue", "", 123, None),
        ("a cat -s 50 -S 123 -I path/to.png -f0.75", "a cat", "", 123, "path/to.png"),
        ("a man picking apricots- from a tree -s 20 -S5", "a man picking apricots- from a tree", "", 5, None),
        ("a horse [saddle] by [woman] night -s 20", "a horse [saddle] by [woman] night", "saddle woman", None, None),
        ("a cat -S1 -I data:image/png;base64,AAAA", "a cat", "", 1, None),
    ],
)
def test_the_command_line_of_the_first_invokeai(
    dream: str, prompt: str, negative: str, seed: int | None, parent: str | None
) -> None:
    recipe = read({"Dream": dream})
    assert (recipe.prompt, recipe.negative_prompt, recipe.seed, recipe.parent) == (prompt, negative, seed, parent)


@pytest.mark.parametrize("dream", ["!mask ./curly.png", "<too lazy to implement>"])
def test_a_command_that_is_no_prompt_is_none(dream: str) -> None:
    recipe = read({"Dream": dream})
    assert (recipe.tool, recipe.prompt, recipe.params) == ("InvokeAI", None, {"Dream": dream})


# -- Fooocus and its forks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"loras": [["film", 0.5, "48526861"]]},
        {"lora_combined_1": "film : 0.5"},
    ],
)
def test_both_ways_in_which_fooocus_names_loras(said: dict[str, Any]) -> None:
    recipe = read({"parameters": {"base_model": "m", "performance": "Speed", "seed": "6952411511246973023"} | said})
    assert (recipe.loras[0].name, recipe.loras[0].weight) == ("film", 0.5)
    assert recipe.seed == 6952411511246973023


@pytest.mark.parametrize(
    ("version", "tool"),
    [("FooocusPlus 1.0", "FooocusPlus"), ("SimpleSDXL2 1.2", "SimpleSDXL"), ("v2.1.865", "Fooocus")],
)
def test_a_fork_is_told_by_its_version(version: str, tool: str) -> None:
    said = {
        "Prompt": "a cat",
        "Base Model": "m",
        "Resolution": "(832, 1216)",
        "LoRA 1": "film : 0.5",
        "Version": version,
    }
    recipe = read({"Comment": said})
    assert (recipe.tool, recipe.width, recipe.loras) == (tool, 832, (LoraUse("film", 0.5),))


def test_loras_of_early_ruinedfooocus_are_one_text() -> None:
    said = {
        "Prompt": "x",
        "base_model_name": "a/m",
        "sampler_name": "lcm",
        "loras": "<None:1>,<film:0.5>",
        "software": "RuinedFooocus",
    }
    assert read({"parameters": said}).loras == (LoraUse("film", 0.5),)


# -- NovelAI ------------------------------------------------------------------------------------------------


def test_the_first_novelai_kept_its_prompt_in_the_description() -> None:
    comment = {
        "steps": 28,
        "sampler": "k_euler_ancestral",
        "seed": 5,
        "strength": 0.69,
        "noise": 0.667,
        "scale": 11.0,
        "uc": "bad",
    }
    recipe = read(
        {"Description": "a cat", "Software": "NovelAI", "Source": "Stable Diffusion 81274D13", "Comment": comment}
    )
    assert (recipe.prompt, recipe.negative_prompt, recipe.model, recipe.model_hash) == (
        "a cat",
        "bad",
        "Stable Diffusion",
        "81274D13",
    )
    assert (recipe.denoise, recipe.parent_relation) == (0.69, ParentRelation.IMG2IMG)


def test_novelais_characters_are_kept_and_a_strength_without_an_image_is_none() -> None:
    comment = {
        "prompt": "2girls",
        "uc": "",
        "steps": 28,
        "sampler": "k_euler",
        "seed": 5,
        "strength": 0.7,
        "request_type": "PromptGenerateRequest",
        "v4_prompt": {"caption": {"base_caption": "2girls", "char_captions": [{"char_caption": "girl, miku"}]}},
    }
    recipe = read({"Comment": comment, "Source": "NovelAI Diffusion V4.5 4BDE2A90"})
    assert (recipe.tool, recipe.model, recipe.denoise) == ("NovelAI", "NovelAI Diffusion V4.5", None)
    assert recipe.params["character_prompts"] == ["girl, miku"]


def test_what_is_hidden_in_pixels_is_read_like_what_stands_in_texts() -> None:
    hidden = {
        "Software": "NovelAI",
        "Source": "X 4BDE2A90",
        "Comment": json.dumps({"uc": "", "steps": 1, "sampler": "k", "seed": 2}),
    }
    assert read({"stealth": hidden}).tool == "NovelAI"
    assert read({"stealth": "a cat\nSteps: 20, Seed: 3"}).seed == 3
    assert read({"stealth": {"sui_image_params": {"prompt": "a cat", "seed": 4}}}).tool == "SwarmUI"
    assert read({"stealth": "a cat\nSteps: 20, Seed: 3", "parameters": "b\nSteps: 1, Seed: 9"}).seed == 9


# -- SwarmUI ------------------------------------------------------------------------------------------------


def test_swarmui_may_write_numbers_and_lists_as_texts() -> None:
    said = {
        "prompt": "a cat",
        "seed": "5",
        "steps": "20",
        "cfgscale": "7",
        "loras": "a,b",
        "loraweights": "0.5,1",
        "vae": "v",
        "refinermodel": "r",
        "initimagecreativity": 0.6,
        "clipstopatlayer": -2,
        "fluxguidancescale": 3.5,
    }
    models = [
        {"name": "a.safetensors", "param": "loras", "hash": "0xab"},
        {"name": "v.safetensors", "param": "vae", "hash": "0xcd"},
    ]
    recipe = read(
        {
            "parameters": {
                "sui_image_params": said,
                "sui_models": models,
                "sui_extra_data": {"generation_time": "0.02 (prep) and 7.70 (gen) seconds"},
            }
        }
    )
    assert (recipe.seed, recipe.steps, recipe.cfg_scale, recipe.denoise) == (5, 20, 7.0, 0.6)
    assert recipe.loras == (LoraUse("a", 0.5, "0xab"), LoraUse("b", 1.0))
    assert recipe.models == (ModelUse(ModelKind.VAE, "v", "0xcd"), ModelUse(ModelKind.REFINER, "r"))
    assert (recipe.clip_skip, recipe.guidance, recipe.vae, recipe.generation_time_ms) == (2, 3.5, "v", 7700)


def test_a_grid_of_swarmui_assigns_its_object() -> None:
    text = 'all_metadata["x"] = {"sui_image_params": {"prompt": "a cat", "seed": 5}}\n'
    assert read({}, beside={"x.metadata.js": text}).seed == 5


# -- others -------------------------------------------------------------------------------------------------


def test_midjourney_keeps_its_flags_out_of_the_prompt() -> None:
    text = (
        "https://x/a.png a cat --niji 6 --ar 3:2 --no dogs, birds --seed 5 Job ID: 996de4a8-647f-4a65-8b03-a65cdfdbf22f"
    )
    recipe = read({"Description": text, "Creation Time": "Thu, 06 Mar 2025 08:49:39 GMT"})
    assert (recipe.tool, recipe.tool_version, recipe.seed) == ("Midjourney", "niji 6", 5)
    assert (recipe.prompt, recipe.negative_prompt) == ("https://x/a.png a cat", "dogs, birds")
    assert recipe.params["ar"] == "3:2"
    assert recipe.created_ms == 1_741_250_979_000
    assert recipe.inputs == (InputImage(InputRole.REFERENCE, "https://x/a.png"),)


def test_both_records_of_mochi_diffusion() -> None:
    first = "Include in Image: a; b; Exclude from Image: ; Model: m; Steps: 8; Generator: Mochi Diffusion 5.2"
    second = (
        "Metadata Version: 2\nInclude in Image: a\\n b; c\\\\d\nModel: m\nSize: 64 x 32\nSeed: 42\n"
        "Generator: Mochi Diffusion 6.0"
    )
    assert read({"dc:description": first}).prompt == "a; b"
    recipe = read({"Caption-Abstract": second})
    assert (recipe.prompt, recipe.width, recipe.seed, recipe.tool_version) == ("a\n b; c\\d", 64, 42, "6.0")


def test_a_line_of_a_prompt_of_mochi_diffusion_may_begin_like_a_label() -> None:
    text = "Include in Image: a\nSteps: b; Model: m; Steps: 8; Generator: Mochi Diffusion 5.2"
    recipe = read({"dc:description": text})
    assert (recipe.prompt, recipe.model, recipe.steps) == ("a\nSteps: b", "m", 8)


def test_early_koboldcpp_wrote_the_number_of_its_sampler() -> None:
    text = (
        "Prompt: a | b | NegativePrompt: c | Steps: 20 | CFGScale: 7.000000 | Seed: 5 | Size: 64x32| Sampler: 0| "
        "Clip skip: -1 | Model: m | Version: KoboldCpp"
    )
    recipe = read({"parameters": text})
    assert (recipe.prompt, recipe.negative_prompt, recipe.sampler, recipe.clip_skip) == ("a | b", "c", "0", None)
    assert (recipe.width, recipe.model) == (64, "m")


def test_easy_diffusion_embeds_one_text_a_setting() -> None:
    said = {
        "prompt": "a cat",
        "seed": "5",
        "use_stable_diffusion_model": "m",
        "num_inference_steps": "20",
        "clip_skip": "True",
        "use_lora_model": "['a', 'b']",
        "lora_alpha": "[0.5, 1.0]",
        "use_vae_model": "None",
        "guidance_scale": "6.5",
    }
    recipe = read(said)
    assert (recipe.tool, recipe.steps, recipe.vae, recipe.clip_skip) == ("Easy Diffusion", 20, None, None)
    assert recipe.loras == (LoraUse("a", 0.5), LoraUse("b", 1.0))


def test_settings_under_names_that_speak_for_themselves() -> None:
    recipe = read({"SD:prompt": "a cat", "SD:seed": "5", "SD:steps": "20", "SD:cfg_scale": "7.5", "SD:width": "512"})
    assert (recipe.tool, recipe.prompt, recipe.seed, recipe.width) == ("SD", "a cat", 5, 512)
    recipe = read({"Description": "a cat\nSeed: 5\nSteps: 20\nGuidance Scale: 7.5\nSize: 512x768"})
    assert (recipe.prompt, recipe.seed, recipe.cfg_scale, recipe.height) == ("a cat", 5, 7.5, 768)


@pytest.mark.parametrize(
    "texts",
    [
        {"Comment": "Created with GIMP"},
        {"Description": "Our holiday. Model: Anna"},
        {"Software": "NovelAI"},
        {"Comment": '{"a": 1}'},
        {"parameters": ""},
        {"Title": "Steps", "Author": "me"},
        {"Description": "Width: 3\nHeight: 4\nModel: bicycle"},
    ],
)
def test_what_is_no_metadata_stays_none(texts: dict[str, Any]) -> None:
    recipe = read(texts)
    assert (recipe.tool, recipe.prompt, recipe.seed, recipe.params) == (None, None, None, {})


# -- provenance ---------------------------------------------------------------------------------------------


def manifest(kind: str, agent: str) -> bytes:
    address = f"http://cv.iptc.org/newscodes/digitalsourcetype/{kind}".encode()
    return (
        b"\0\0\0\xffjumb c2pa \x66action\x6cc2pa.created\x6dsoftwareAgent"
        + bytes((0x60 + len(agent),))
        + agent.encode()
        + b"\x71digitalSourceType\x78"
        + bytes((len(address),))
        + address
        + b"\x6fclaim_generator\x6cSomeone/1.0x"
    )


@pytest.mark.parametrize(
    ("kind", "agent", "tool"),
    [
        ("trainedAlgorithmicMedia", "Adobe Firefly", "Adobe Firefly"),
        ("trainedAlgorithmicMedia", "gpt-image", "OpenAI"),
        ("compositeWithTrainedAlgorithmicMedia", "Google Imagen", "Google"),
    ],
)
def test_a_manifest_names_the_maker_of_the_model_but_never_a_prompt(kind: str, agent: str, tool: str) -> None:
    recipe = read({"C2PA": c2pa.summarize(manifest(kind, agent))})
    assert (recipe.tool, recipe.prompt, recipe.seed) == (tool, None, None)
    assert recipe.params["digital_source_types"] == [kind]


@pytest.mark.parametrize("kind", ["digitalCapture", "computationalCapture", "humanEdits", "algorithmicMedia"])
def test_the_manifest_of_a_camera_says_nothing_of_models(kind: str) -> None:
    assert read({"C2PA": c2pa.summarize(manifest(kind, "Nikon Z6"))}).tool is None


def test_xmp_may_say_the_same() -> None:
    xmp = (
        '<rdf:Description Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/'
        'trainedAlgorithmicMedia" photoshop:Credit="Made with Google AI"/>'
    )
    assert read({"XML:com.adobe.xmp": xmp}).tool == "Google"
    assert read({"XMP": xmp.replace("trainedAlgorithmicMedia", "digitalCapture")}).tool is None


def test_newer_images_of_midjourney_say_it_in_xmp_alone() -> None:
    xmp = (
        '<rdf:Description iptcExt:DigImageGUID="bb27f758-ddc0-4eab-a682-8df0bb4c4396" iptcExt:DigitalSourceType='
        '"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/>'
    )
    assert read({"XML:com.adobe.xmp": xmp}).tool == "Midjourney"


def test_what_a_manifest_says_does_not_hide_how_an_image_was_made() -> None:
    said = c2pa.summarize(manifest("trainedAlgorithmicMedia", "gpt-image"))
    assert read({"C2PA": said, "parameters": "a\nSteps: 20, Seed: 1"}).tool == "A1111"
