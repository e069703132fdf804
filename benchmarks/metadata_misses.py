"""Why a field of the real files is not read as expected: (path, field) to the reason.

Each has been looked up in the file itself; none is a field that MystiCanvas reads wrong and knows it.
"""

_SDCPP = "The file holds an infotext of stable-diffusion.cpp, prompt in braces; the expectation took it for JSON."
_A1111 = "The file holds an infotext whose prompt begins with a brace; the expectation took it for JSON."
_CONTEXT = "The graph leads there through contexts of rgthree; the expectation did not follow them."
_STRENGTH = "The command in Dream has -f, the strength with which its image was drawn over; sd-metadata lacks it."
_PARTS = "Several encoders feed the pass: their texts are joined by line breaks, and each is in the params."

KNOWN: dict[tuple[str, str], str] = {
    **{
        ("none/leejet__example.png", name): _SDCPP
        for name in ("tool", "prompt", "seed", "steps", "cfg_scale", "sampler", "model", "tool_version", "scheduler")
    },
    **{
        ("none/wyrde__example.png", name): _A1111
        for name in (
            "tool",
            "prompt",
            "negative_prompt",
            "seed",
            "steps",
            "cfg_scale",
            "sampler",
            "model",
            "model_hash",
        )
    },
    **{
        ("comfyui/DavidDragonsage__rgthree_advanced_metadata.png", name): _CONTEXT
        for name in ("prompt", "negative_prompt", "seed")
    },
    **{("comfyui/receyuki__sdxl_example.png", name): _PARTS for name in ("prompt", "negative_prompt")},
    ("comfyui/cubiq__timestepping.png", "prompt"): _PARTS,
    ("comfyui/nerdyrodent__SSD1B-SDXL-8GB.png", "prompt"): _PARTS,
    ("comfyui/comfyanonymous__gligen_textbox_example.png", "prompt"): (
        "The prompt is in the CLIPTextEncode; the expectation took the phrase of one GLIGEN box for it."
    ),
    ("comfyui/enslo__krea2.png", "model"): "The UNETLoader stands behind a switch whose setting is in the graph.",
    ("comfyui/nerdyrodent__SDXL_Turbo_Basic.png", "steps"): "SDTurboScheduler's first widget is its steps.",
    ("comfyui/nerdyrodent__SDXL_Turbo_Basic.png", "scheduler"): "A node that is one schedule is the choice of it.",
    **{
        (f"invokeai/lstein__{name}.png", "denoise"): _STRENGTH
        for name in ("000024.801380492", "000035.1592514025", "000045.1592514025", "000046.1592514025")
    },
    ("comfyui/wyrde__compare-prompt-diff-x4_00020_.png", "negative_prompt"): (
        "The images of this graph differ in their prompts; their negative prompt is the same text."
    ),
    ("comfyui-subgraph/image_omnigen2_t2i.png", "cfg_scale"): "DualCFGGuider's first widget is its CFG.",
    ("comfyui-subgraph/image-qwen_image_edit_2511_lora_inflation.png", "loras"): (
        "The strength that the expectation leaves open stands in the widget of the LoraLoaderModelOnly."
    ),
}
