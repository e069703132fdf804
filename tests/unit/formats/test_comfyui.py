"""Graphs of ComfyUI, traced to the pass that made the image (M4)."""

from typing import Any

import pytest
from tests.unit.formats.reading import read

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse

Graph = dict[str, dict[str, Any]]


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def basic(**more: dict[str, Any]) -> Graph:
    """Text to image; a node in `more` comes in place of, or in addition to, those here."""
    return {
        "4": node("CheckpointLoaderSimple", ckpt_name="sd/m.safetensors"),
        "5": node("EmptyLatentImage", width=512, height=768, batch_size=1),
        "6": node("CLIPTextEncode", text="a cat", clip=["4", 1]),
        "7": node("CLIPTextEncode", text="ugly", clip=["4", 1]),
        "3": sampler(),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", filename_prefix="ComfyUI", images=["8", 0]),
    } | {key.lstrip("n"): value for key, value in more.items()}


def sampler(**inputs: Any) -> dict[str, Any]:
    said = {
        "seed": 7,
        "steps": 20,
        "cfg": 8.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
        "model": ["4", 0],
        "positive": ["6", 0],
        "negative": ["7", 0],
        "latent_image": ["5", 0],
    }
    return node("KSampler", **(said | inputs))


def traced(graph: Graph, file_name: str = "x.png") -> Recipe:
    return read({"prompt": graph}, file_name=file_name)


def test_a_plain_graph_says_everything() -> None:
    recipe = traced(basic())
    assert (recipe.tool, recipe.prompt, recipe.negative_prompt) == ("ComfyUI", "a cat", "ugly")
    assert (recipe.seed, recipe.steps, recipe.cfg_scale, recipe.denoise) == (7, 20, 8.0, 1.0)
    assert (recipe.sampler, recipe.scheduler, recipe.model) == ("euler", "normal", "sd/m.safetensors")
    assert (recipe.width, recipe.height, recipe.vae, recipe.problems) == (512, 768, None, ())


@pytest.mark.parametrize("key", ["UserComment", "ImageDescription", "Make", "Model", "Comment"])
def test_the_graph_may_stand_in_exif_with_a_label_or_inside_an_object(key: str) -> None:
    for text in (basic(), {"prompt": basic(), "workflow": {"nodes": []}}):
        assert read({key: text}).seed == 7


def test_custom_sampling_is_put_together_from_its_parts() -> None:
    recipe = traced(
        basic(
            n3=node(
                "SamplerCustomAdvanced",
                noise=["20", 0],
                guider=["21", 0],
                sampler=["22", 0],
                sigmas=["23", 0],
                latent_image=["5", 0],
            ),
            n20=node("RandomNoise", noise_seed=99),
            n21=node("BasicGuider", model=["4", 0], conditioning=["24", 0]),
            n22=node("KSamplerSelect", sampler_name="dpmpp_2m"),
            n23=node("SplitSigmas", sigmas=["25", 0], step=3),
            n25=node("BasicScheduler", scheduler="beta", steps=30, denoise=0.8, model=["4", 0]),
            n24=node("FluxGuidance", conditioning=["6", 0], guidance=3.5),
        )
    )
    assert (recipe.seed, recipe.steps, recipe.denoise) == (99, 30, 0.8)
    assert (recipe.sampler, recipe.scheduler) == ("dpmpp_2m", "beta")
    assert (recipe.cfg_scale, recipe.guidance) == (None, 3.5)
    assert (recipe.prompt, recipe.negative_prompt) == ("a cat", None)


def test_a_class_that_is_the_choice_is_named() -> None:
    recipe = traced(
        basic(
            n3=node(
                "SamplerCustom",
                noise_seed=1,
                cfg=2.0,
                model=["4", 0],
                positive=["6", 0],
                negative=["7", 0],
                sampler=["22", 0],
                sigmas=["23", 0],
                latent_image=["5", 0],
            ),
            n22=node("SamplerEulerAncestral", eta=1.0),
            n23=node("SDTurboScheduler", steps=1, denoise=1.0, model=["4", 0]),
        )
    )
    assert (recipe.sampler, recipe.scheduler, recipe.steps) == ("SamplerEulerAncestral", "SDTurboScheduler", 1)


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ({"n10": node("PrimitiveString", value="deep")}, "deep"),
        ({"n10": node("Reroute", **{"": ["11", 0]}), "n11": node("CR Text", text="deep")}, "deep"),
        ({"n10": node("ShowText|pysssss", text=["11", 0], text_0="shown"), "n11": node("X", text="deep")}, "deep"),
        ({"n10": node("ShowText|pysssss", text=["404", 0], text_0="shown")}, "shown"),
        ({"n10": node("ImpactWildcardProcessor", wildcard_text="__a__", populated_text="deep", seed=1)}, "deep"),
        (
            {
                "n10": node("StringConcatenate", string_a="a", string_b=["11", 0], delimiter=", "),
                "n11": node("PrimitiveString", value="b"),
            },
            "a, b",
        ),
        (
            {
                "n10": node("Text Concatenate", delimiter="\\n", text_a=["11", 0], text_b=["12", 0]),
                "n11": node("X", text="a"),
                "n12": node("JoinStrings", string1="b", string2="c", delimiter=" "),
            },
            "a\nb c",
        ),
        (
            {
                "n10": node("ComfySwitchNode", switch=True, on_true=["11", 0], on_false=["12", 0]),
                "n11": node("X", text="yes"),
                "n12": node("X", text="no"),
            },
            "yes",
        ),
        (
            {
                "n10": node("ComfySwitchNode", switch=["13", 0], on_true=["11", 0], on_false=["12", 0]),
                "n11": node("X", text="yes"),
                "n12": node("X", text="no"),
                "n13": node("PrimitiveBoolean", value=False),
            },
            "no",
        ),
        (
            {
                "n10": node("ImpactSwitch", select=2, input1=["11", 0], input2=["12", 0]),
                "n11": node("X", text="a"),
                "n12": node("X", text="b"),
            },
            "b",
        ),
        (
            {
                "n10": node("Any Switch (rgthree)", any_01=None, any_02=["11", 0], any_03=["12", 0]),
                "n11": node("X", text="a"),
                "n12": node("X", text="b"),
            },
            "a",
        ),
        ({"n10": node("DF_Text_Box", Text="deep")}, "deep"),
    ],
)
def test_a_text_is_followed_to_where_it_was_written(nodes: dict[str, Any], text: str) -> None:
    assert traced(basic(n6=node("CLIPTextEncode", text=["10", 0], clip=["4", 1]), **nodes)).prompt == text


@pytest.mark.parametrize("kind", ["OllamaGenerate", "Florence2Run", "TextGenerate", "MathExpression|pysssss"])
def test_a_text_that_a_node_computed_is_unknown_and_said_so(kind: str) -> None:
    recipe = traced(basic(n6=node("CLIPTextEncode", text=["10", 0]), n10=node(kind, prompt="describe", text="x")))
    assert recipe.prompt is None
    assert recipe.problems == ("A node generated the prompt when the workflow ran, so the file does not contain it.",)


@pytest.mark.parametrize(
    ("encoder", "prompt"),
    [
        (node("CLIPTextEncodeSDXL", text_g="a", text_l="b", width=1, height=1), "a\nb"),
        (node("CLIPTextEncodeSDXL", text_g="a", text_l="a", width=1, height=1), "a"),
        (node("CLIPTextEncodeFlux", clip_l="a", t5xxl="a", guidance=3.5), "a"),
        (node("CLIPTextEncodeSD3", clip_l="a", clip_g="", t5xxl="b"), "a\nb"),
        (node("TextEncodeQwenImageEditPlus", prompt="a", clip=["4", 1]), "a"),
        (node("CLIPTextEncodeLumina2", system_prompt="superior", user_prompt="a"), "a"),
        (node("smZ CLIPTextEncode", text="a", text_g="", text_l=""), "a"),
        (node("ConditioningCombine", conditioning_1=["20", 0], conditioning_2=["21", 0]), "a\nb"),
        (node("ControlNetApplyAdvanced", positive=["20", 0], negative=["21", 0], strength=1), "a"),
        (node("ConditioningZeroOut", conditioning=["20", 0]), ""),
    ],
)
def test_the_texts_of_the_encoders_are_the_prompt(encoder: dict[str, Any], prompt: str) -> None:
    more = {"n6": encoder, "n20": node("CLIPTextEncode", text="a"), "n21": node("CLIPTextEncode", text="b")}
    recipe = traced(basic(**more))
    assert recipe.prompt == prompt
    assert recipe.params.get("prompt_parts") == (prompt.split("\n") if "\n" in prompt else None)


@pytest.mark.parametrize(
    ("seed", "nodes"),
    [
        (["10", 0], {"n10": node("PrimitiveInt", value=7)}),
        (["10", 0], {"n10": node("Seed (rgthree)", seed=7)}),
        (["10", 3], {"n10": node("CR Seed", seed=["11", 0]), "n11": node("INTConstant", value=7)}),
        ("7", {}),
    ],
)
def test_a_seed_may_come_from_another_node(seed: Any, nodes: dict[str, Any]) -> None:
    assert traced(basic(n3=sampler(seed=seed), **nodes)).seed == 7


def test_a_number_that_a_node_computed_is_unknown() -> None:
    recipe = traced(
        basic(n3=sampler(steps=["10", 0]), n10=node("MathExpression|pysssss", expression="a*2", a=5, value=1))
    )
    assert recipe.steps is None


@pytest.mark.parametrize(
    ("nodes", "loras"),
    [
        (
            {"n10": node("LoraLoader", lora_name="a", strength_model=0.5, strength_clip=1, model=["4", 0])},
            [LoraUse("a", 0.5)],
        ),
        (
            {
                "n10": node("LoraLoaderModelOnly", lora_name="b", strength_model=1, model=["11", 0]),
                "n11": node("LoraLoader", lora_name="a", strength_model=0.5, model=["4", 0]),
            },
            [LoraUse("a", 0.5), LoraUse("b", 1.0)],
        ),
        (
            {
                "n10": node(
                    "Power Lora Loader (rgthree)",
                    model=["4", 0],
                    lora_1={"on": True, "lora": "a", "strength": 0.5},
                    lora_2={"on": False, "lora": "b", "strength": 1},
                )
            },
            [LoraUse("a", 0.5)],
        ),
        (
            {
                "n10": node("CR Apply LoRA Stack", model=["4", 0], lora_stack=["11", 0]),
                "n11": node(
                    "CR LoRA Stack",
                    switch_1="On",
                    lora_name_1="a",
                    model_weight_1=0.5,
                    switch_2="Off",
                    lora_name_2="b",
                    model_weight_2=1,
                ),
            },
            [LoraUse("a", 0.5)],
        ),
        (
            {
                "n10": node("Efficient Loader", model=["4", 0], lora_stack=["11", 0]),
                "n11": node("LoRA Stacker", lora_count=1, lora_name_1="a", lora_wt_1=0.5, lora_name_2="b", lora_wt_2=1),
            },
            [LoraUse("a", 0.5)],
        ),
        (
            {
                "n10": node(
                    "Lora Loader Stack (rgthree)",
                    model=["4", 0],
                    lora_01="a",
                    strength_01=0.5,
                    lora_02="None",
                    strength_02=1,
                )
            },
            [LoraUse("a", 0.5)],
        ),
        ({"n10": node("ImpactWildcardEncode", model=["4", 0], populated_text="x <lora:a:0.5>")}, [LoraUse("a", 0.5)]),
    ],
)
def test_loras_are_found_along_the_model(nodes: dict[str, Any], loras: list[LoraUse]) -> None:
    recipe = traced(basic(n3=sampler(model=["10", 0]), **nodes))
    assert list(recipe.loras) == loras
    assert recipe.model == "sd/m.safetensors"


def test_what_is_put_onto_a_model_is_not_the_model() -> None:
    recipe = traced(
        basic(
            n3=sampler(model=["10", 0]),
            n10=node("ADE_AnimateDiffLoaderWithContext", model=["11", 0], model_name="mm_sd_v15.ckpt"),
            n11=node("ModelSamplingFlux", model=["4", 0], max_shift=1.15),
        )
    )
    assert recipe.model == "sd/m.safetensors"


@pytest.mark.parametrize(
    ("loader", "model"),
    [
        (node("UNETLoader", unet_name="flux.sft"), "flux.sft"),
        (node("UnetLoaderGGUF", unet_name="flux.gguf"), "flux.gguf"),
        (node("CheckpointLoader|pysssss", ckpt_name={"content": "m.ckpt", "image": None}), "m.ckpt"),
        (node("DiffusersLoader", model_path="a/b"), "a/b"),
    ],
)
def test_every_loader_names_its_model(loader: dict[str, Any], model: str) -> None:
    assert traced(basic(n4=loader)).model == model


def test_contexts_hand_on_what_was_put_into_them() -> None:
    recipe = traced(
        basic(
            n3=sampler(seed=["12", 8], model=["12", 1], positive=["12", 4], negative=["12", 5], latent_image=["12", 6]),
            n10=node("Context (rgthree)", model=["4", 0], latent=["5", 0], seed=["11", 0], positive=["7", 0]),
            n11=node("Seed (rgthree)", seed=5),
            n12=node("Context Switch (rgthree)", ctx_02=["13", 0]),
            n13=node("Context (rgthree)", base_ctx=["10", 0], positive=["6", 0], negative=["7", 0]),
        )
    )
    assert (recipe.seed, recipe.prompt, recipe.negative_prompt) == (5, "a cat", "ugly")
    assert (recipe.model, recipe.width) == ("sd/m.safetensors", 512)


def test_a_basic_pipe_carries_the_model_and_the_prompts() -> None:
    pipe = node("ToBasicPipe", model=["4", 0], clip=["4", 1], vae=["4", 2], positive=["6", 0], negative=["7", 0])
    direct = node(
        "ImpactKSamplerBasicPipe",
        basic_pipe=["10", 0],
        seed=7,
        steps=9,
        cfg=1,
        sampler_name="lcm",
        latent_image=["5", 0],
    )
    unpacked = sampler(model=["11", 0], positive=["11", 3], negative=["11", 4])
    for made in (direct, unpacked):
        recipe = traced(basic(n3=made, n10=pipe, n11=node("FromBasicPipe", basic_pipe=["10", 0])))
        assert (recipe.prompt, recipe.negative_prompt, recipe.model) == ("a cat", "ugly", "sd/m.safetensors")


def test_the_efficient_loader_holds_prompts_size_and_model() -> None:
    recipe = traced(
        {
            "1": node(
                "Efficient Loader",
                ckpt_name="m.ckpt",
                positive="a cat",
                negative="ugly",
                clip_skip=-2,
                lora_name="a",
                lora_model_strength=0.5,
                empty_latent_width=512,
                empty_latent_height=768,
            ),
            "2": node(
                "KSampler (Efficient)",
                seed=7,
                steps=20,
                cfg=8,
                sampler_name="euler",
                scheduler="normal",
                denoise=1,
                model=["1", 0],
                positive=["1", 1],
                negative=["1", 2],
                latent_image=["1", 3],
            ),
            "3": node("SaveImage", images=["2", 5]),
        }
    )
    assert (recipe.prompt, recipe.negative_prompt, recipe.model) == ("a cat", "ugly", "m.ckpt")
    assert (recipe.width, recipe.height, recipe.clip_skip) == (512, 768, 2)
    assert recipe.loras == (LoraUse("a", 0.5),)


def test_later_passes_do_not_hide_the_first_and_name_their_models() -> None:
    recipe = traced(
        basic(
            n10=node("LatentUpscale", samples=["3", 0], width=1024, height=1536),
            n12=node("CheckpointLoaderSimple", ckpt_name="refiner.safetensors"),
            n11=sampler(seed=8, steps=10, denoise=0.5, latent_image=["10", 0], model=["12", 0]),
            n8=node("VAEDecode", samples=["11", 0], vae=["4", 2]),
        )
    )
    assert (recipe.seed, recipe.steps, recipe.width) == (7, 20, 512)
    assert ModelUse(ModelKind.REFINER, "refiner.safetensors") in recipe.models
    assert [(one["node"], one.get("base", False)) for one in recipe.params["passes"]] == [("3", True), ("11", False)]


def two_outputs() -> Graph:
    return basic(
        n13=sampler(seed=777),
        n18=node("VAEDecode", samples=["13", 0]),
        n19=node("SaveImage", filename_prefix="other/%date:yyyy%_b", images=["18", 0]),
    )


def test_what_two_images_of_a_graph_differ_in_is_left_open() -> None:
    recipe = traced(two_outputs())
    assert (recipe.seed, recipe.steps, recipe.prompt) == (None, 20, "a cat")
    assert {one["seed"] for one in recipe.params["passes"]} == {7, 777}
    assert recipe.problems


@pytest.mark.parametrize(("name", "seed"), [("ComfyUI_00012_.png", 7), ("2026_b_00001_.png", 777), ("x.png", None)])
def test_the_file_name_tells_which_output_it_is(name: str, seed: int | None) -> None:
    assert traced(two_outputs(), name).seed == seed


def test_a_preview_is_no_output_where_something_was_saved() -> None:
    preview = {"n13": sampler(seed=777), "n18": node("PreviewImage", images=["13", 0])}
    assert traced(basic(**preview)).seed == 7
    assert traced({k: v for k, v in basic(**preview).items() if k != "9"}).seed == 777


def test_images_that_went_in_have_their_roles() -> None:
    recipe = traced(
        basic(
            n3=sampler(latent_image=["10", 0], positive=["14", 0], negative=["14", 1], denoise=0.6, model=["18", 0]),
            n10=node("SetLatentNoiseMask", samples=["11", 0], mask=["13", 0]),
            n11=node("VAEEncode", pixels=["12", 0], vae=["4", 2]),
            n12=node("LoadImage", image="photo.png"),
            n13=node("LoadImageMask", image="mask.png"),
            n14=node(
                "ControlNetApplyAdvanced",
                positive=["6", 0],
                negative=["7", 0],
                control_net=["15", 0],
                image=["16", 0],
                strength=0.7,
            ),
            n15=node("ControlNetLoader", control_net_name="canny.pth"),
            n16=node("CannyEdgePreprocessor", image=["17", 0]),
            n17=node("LoadImage", image="pose.png"),
            n18=node("IPAdapterAdvanced", model=["4", 0], image=["19", 0]),
            n19=node("LoadImage", image="style.png"),
        )
    )
    assert (recipe.parent, recipe.parent_relation) == ("photo.png", ParentRelation.INPAINT)
    assert recipe.inputs[0] == InputImage(InputRole.SOURCE, "photo.png")
    assert set(recipe.inputs[1:]) == {
        InputImage(InputRole.MASK, "mask.png"),
        InputImage(InputRole.CONTROL, "pose.png"),
        InputImage(InputRole.REFERENCE, "style.png"),
    }
    assert ModelUse(ModelKind.CONTROLNET, "canny.pth") in recipe.models


def test_embeddings_in_the_prompt_and_upscalers_are_models() -> None:
    recipe = traced(
        basic(
            n6=node("CLIPTextEncode", text="a cat, (embedding:Easy:1.2)", clip=["4", 1]),
            n20=node("UpscaleModelLoader", model_name="4x.pth"),
            n21=node("ImageUpscaleWithModel", upscale_model=["20", 0], image=["8", 0]),
            n9=node("SaveImage", images=["21", 0]),
        )
    )
    assert {ModelUse(ModelKind.EMBEDDING, "Easy"), ModelUse(ModelKind.UPSCALER, "4x.pth")} <= set(recipe.models)


def test_an_upscale_without_a_sampler_names_what_it_came_from() -> None:
    recipe = traced(
        {
            "1": node("LoadImage", image="small.png"),
            "2": node("UpscaleModelLoader", model_name="4x.pth"),
            "3": node("ImageUpscaleWithModel", upscale_model=["2", 0], image=["1", 0]),
            "4": node("SaveImage", images=["3", 0]),
        }
    )
    assert (recipe.prompt, recipe.seed, recipe.parent) == (None, None, "small.png")
    assert recipe.parent_relation is ParentRelation.UPSCALE


# -- the editor's graph -------------------------------------------------------------------------------------


def slot(name: str, link: int | None, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": more.pop("type", "X"), "link": link, **more}


def edited(nodes: list[dict[str, Any]], links: list[list[Any]], **more: Any) -> Recipe:
    return read({"workflow": {"nodes": nodes, "links": links, **more}})


def editor_nodes() -> list[dict[str, Any]]:
    inputs = [slot("model", 1), slot("positive", 2), slot("negative", 3), slot("latent_image", 4)]
    return [
        {"id": 1, "type": "CheckpointLoaderSimple", "widgets_values": ["m.ckpt"]},
        {"id": 2, "type": "CLIPTextEncode", "widgets_values": ["a cat"]},
        {"id": 3, "type": "CLIPTextEncode", "widgets_values": ["ugly"]},
        {"id": 4, "type": "EmptyLatentImage", "widgets_values": [512, 768, 1]},
        {"id": 5, "type": "KSampler", "widgets_values": [7, "fixed", 20, 8, "euler", "normal", 1], "inputs": inputs},
        {"id": 6, "type": "SaveImage", "widgets_values": ["x"], "inputs": [slot("images", 5)]},
    ]


def editor_links(**other: list[int]) -> list[list[Any]]:
    origins = {1: [1, 0], 2: [2, 0], 3: [3, 0], 4: [4, 0], 5: [5, 0]} | {int(k[1:]): v for k, v in other.items()}
    return [[number, *origin, 0, 0, "X"] for number, origin in origins.items()]


def test_the_editors_graph_is_read_where_the_other_is_missing() -> None:
    recipe = edited(editor_nodes(), editor_links())
    assert (recipe.prompt, recipe.negative_prompt, recipe.seed) == ("a cat", "ugly", 7)
    assert (recipe.steps, recipe.sampler, recipe.model, recipe.width) == (20, "euler", "m.ckpt", 512)


def test_a_muted_node_is_not_there_and_a_bypassed_one_hands_on() -> None:
    nodes = editor_nodes()
    nodes.append(
        {
            "id": 7,
            "type": "LoraLoaderModelOnly",
            "mode": 4,
            "widgets_values": ["a", 1],
            "inputs": [slot("clip", 9, type="CLIP"), slot("model", 8, type="MODEL")],
            "outputs": [{"type": "MODEL"}],
        }
    )
    nodes.append({"id": 8, "type": "SaveImage", "mode": 2, "inputs": [slot("images", 5)]})
    recipe = edited(nodes, editor_links(n1=[7, 0], n8=[1, 0], n9=[1, 1]))
    assert (recipe.model, recipe.loras) == ("m.ckpt", ())


def test_what_is_set_under_a_name_is_got_by_it() -> None:
    nodes = editor_nodes()
    nodes.append({"id": 7, "type": "SetNode", "widgets_values": ["the prompt"], "inputs": [slot("X", 8)]})
    nodes.append({"id": 8, "type": "GetNode", "widgets_values": ["the prompt"], "inputs": []})
    assert edited(nodes, editor_links(n2=[8, 0], n8=[2, 0])).prompt == "a cat"


def test_a_node_of_others_tells_nothing_by_the_order_of_its_widgets() -> None:
    nodes = editor_nodes()
    nodes[4] |= {"type": "SomebodysSampler"}
    recipe = edited(nodes, editor_links())
    assert (recipe.seed, recipe.steps) == (None, None)


def test_newer_editors_name_every_widget() -> None:
    nodes = editor_nodes()
    named = ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise")
    nodes[4]["type"] = "SomebodysSampler"
    nodes[4]["inputs"] += [slot(name, None, widget={"name": name}) for name in named]
    assert edited(nodes, editor_links()).seed == 7


def test_a_subgraph_is_laid_open_with_the_values_that_were_set_outside() -> None:
    inner = editor_nodes()[:5]
    inner[1]["inputs"] = [slot("text", 9, widget={"name": "text"})]
    subgraph = {
        "id": "uuid-1",
        "nodes": inner,
        "inputs": [{"name": "text"}],
        "links": [
            *({"id": n, "origin_id": n, "origin_slot": 0, "target_id": 5, "target_slot": 0} for n in (1, 2, 3, 4)),
            {"id": 9, "origin_id": -10, "origin_slot": 0, "target_id": 2, "target_slot": 0},
            {"id": 10, "origin_id": 5, "origin_slot": 0, "target_id": -20, "target_slot": 0},
        ],
    }
    outer = [
        {"id": 1, "type": "PrimitiveStringMultiline", "widgets_values": ["from outside"]},
        {
            "id": 2,
            "type": "uuid-1",
            "inputs": [slot("text", 1)],
            "properties": {"proxyWidgets": [["5", "seed"]]},
            "widgets_values": [42],
        },
        {"id": 3, "type": "SaveImage", "inputs": [slot("images", 2)]},
    ]
    links = [[1, 1, 0, 2, 0, "STRING"], [2, 2, 0, 3, 0, "IMAGE"]]
    recipe = edited(outer, links, definitions={"subgraphs": [subgraph]})
    assert (recipe.prompt, recipe.seed, recipe.steps) == ("from outside", 42, 20)


def group(instance: list[Any], *, external: list[Any]) -> Recipe:
    """Nodes 2 and 5 of the editor's graph as one."""
    inner = [
        {"type": "CLIPTextEncode", "widgets_values": ["old"], "inputs": [{"name": "clip"}], "outputs": [{}]},
        {
            "type": "KSampler",
            "widgets_values": [1, "fixed", 1, 1.0, "old", "old", 1],
            "inputs": [{"name": name} for name in ("model", "positive", "negative", "latent_image")],
            "outputs": [{}],
        },
    ]
    made = {"nodes": inner, "links": [[0, 0, 1, 1, 2, "CONDITIONING"]], "external": external}
    first, _, third, fourth, _, sixth = editor_nodes()[:6]
    inputs = [slot("clip", 9), slot("model", 1), slot("negative", 3), slot("latent_image", 4)]
    own = {"id": 5, "type": "workflow>both", "widgets_values": instance, "inputs": inputs}
    out = 1 if external else 0
    links = editor_links(n9=[1, 1], n5=[5, out])
    return edited([first, third, fourth, own, sixth], links, extra={"groupNodes": {"both": made}})


SET_OUTSIDE = ["a dog", 42, "randomize", 30, 6.5, "dpmpp_2m", "karras", 1]


def test_a_group_node_is_laid_open_with_the_values_that_its_instance_has() -> None:
    recipe = group(SET_OUTSIDE, external=[])
    assert (recipe.prompt, recipe.negative_prompt, recipe.seed) == ("a dog", "ugly", 42)
    assert (recipe.steps, recipe.sampler, recipe.model, recipe.width) == (30, "dpmpp_2m", "m.ckpt", 512)


def test_an_output_that_was_also_taken_outside_has_a_slot_of_its_own() -> None:
    for place in (0, {"index": 0}):
        assert group(SET_OUTSIDE, external=[[place, 0, "CONDITIONING"]]).seed == 42


def test_values_of_a_group_node_that_do_not_fit_its_widgets_are_none() -> None:
    recipe = group([*SET_OUTSIDE, "one more"], external=[])
    assert (recipe.prompt, recipe.seed, recipe.steps) == (None, None, None)


# -- Civitai ------------------------------------------------------------------------------------------------


def test_a_job_of_civitai_says_what_was_asked_where_its_graph_is_silent() -> None:
    job = {
        "1": node("LoadImage", image="https://x/small.jpeg?sig=1"),
        "2": node("SaveImage", images=["1", 0]),
        "extra": {"airs": ["urn:air:sdxl:checkpoint:civitai:1@2"]},
        "extraMetadata": '{"prompt": "a cat", "negativePrompt": "ugly", "seed": 5, "steps": 25, "sampler": "Euler a"}',
    }
    recipe = read({"UserComment": job})
    assert (recipe.tool, recipe.prompt, recipe.seed, recipe.sampler) == ("Civitai", "a cat", 5, "Euler a")
    assert recipe.inputs[0].name == "https://x/small.jpeg"
