"""ComfyUI: widget names by node class, for editor graphs that store only the values.

Source: the inputs that ComfyUI's own nodes declare, in order. The editor adds a "control after generate" widget
after each seed. Custom nodes are read only when the graph names their widgets.
"""

from typing import Any

_AFTER = "control_after_generate"
_SIZE = "width height batch_size"
_SCHEDULE = "scheduler steps denoise"
_BY_CLASS = {
    name: tuple(words.split())
    for name, words in {
        "KSampler": f"seed {_AFTER} steps cfg sampler_name scheduler denoise",
        "KSamplerAdvanced": f"add_noise noise_seed {_AFTER} steps cfg sampler_name scheduler start_at_step "
        "end_at_step return_with_leftover_noise",
        "SamplerCustom": f"add_noise noise_seed {_AFTER} cfg",
        "KSamplerSelect": "sampler_name",
        "BasicScheduler": _SCHEDULE,
        "KarrasScheduler": "steps sigma_max sigma_min rho",
        "ExponentialScheduler": "steps sigma_max sigma_min",
        "PolyexponentialScheduler": "steps sigma_max sigma_min rho",
        "VPScheduler": "steps beta_d beta_min eps_s",
        "BetaSamplingScheduler": "steps alpha beta",
        "LaplaceScheduler": "steps sigma_max sigma_min mu beta",
        "SDTurboScheduler": "steps denoise",
        "AlignYourStepsScheduler": "model_type steps denoise",
        "GITSScheduler": "coeff steps denoise",
        "OptimalStepsScheduler": "model_type steps denoise",
        "LTXVScheduler": "steps max_shift base_shift stretch terminal",
        "Flux2Scheduler": "steps width height",
        "SplitSigmas": "step",
        "SplitSigmasDenoise": "denoise",
        "RandomNoise": f"noise_seed {_AFTER}",
        "CFGGuider": "cfg",
        "DualCFGGuider": "cfg_conds cfg_cond2_negative style",
        "PerpNegGuider": "cfg neg_scale",
        "FluxGuidance": "guidance",
        "CLIPTextEncode": "text",
        "CLIPTextEncodeSDXL": "width height crop_w crop_h target_width target_height text_g text_l",
        "CLIPTextEncodeSDXLRefiner": "ascore width height text",
        "CLIPTextEncodeFlux": "clip_l t5xxl guidance",
        "CLIPTextEncodeSD3": "clip_l clip_g t5xxl empty_padding",
        "CLIPTextEncodeHunyuanDiT": "bert mt5xl",
        "CLIPTextEncodeHiDream": "clip_l clip_g t5xxl llama",
        "CLIPTextEncodeLumina2": "system_prompt user_prompt",
        "TextEncodeQwenImageEdit": "prompt",
        "TextEncodeQwenImageEditPlus": "prompt",
        "CLIPSetLastLayer": "stop_at_clip_layer",
        "CheckpointLoaderSimple": "ckpt_name",
        "CheckpointLoader": "config_name ckpt_name",
        "unCLIPCheckpointLoader": "ckpt_name",
        "ImageOnlyCheckpointLoader": "ckpt_name",
        "DiffusersLoader": "model_path",
        "UNETLoader": "unet_name weight_dtype",
        "UnetLoaderGGUF": "unet_name",
        "CLIPLoader": "clip_name type device",
        "DualCLIPLoader": "clip_name1 clip_name2 type device",
        "TripleCLIPLoader": "clip_name1 clip_name2 clip_name3",
        "QuadrupleCLIPLoader": "clip_name1 clip_name2 clip_name3 clip_name4",
        "CLIPVisionLoader": "clip_name",
        "StyleModelLoader": "style_model_name",
        "ControlNetLoader": "control_net_name",
        "DiffControlNetLoader": "control_net_name",
        "ModelPatchLoader": "name",
        "VAELoader": "vae_name",
        "UpscaleModelLoader": "model_name",
        "GLIGENLoader": "gligen_name",
        "LoraLoader": "lora_name strength_model strength_clip",
        "LoraLoaderModelOnly": "lora_name strength_model",
        "HypernetworkLoader": "hypernetwork_name strength",
        "EmptyLatentImage": _SIZE,
        "EmptySD3LatentImage": _SIZE,
        "EmptyFlux2LatentImage": _SIZE,
        "EmptyHunyuanLatentVideo": "width height length batch_size",
        "EmptyLTXVLatentVideo": "width height length batch_size",
        "EmptyMochiLatentVideo": "width height length batch_size",
        "EmptyCosmosLatentVideo": "width height length batch_size",
        "StableCascade_EmptyLatentImage": "width height compression batch_size",
        "WanImageToVideo": "width height length batch_size",
        "SVD_img2vid_Conditioning": "width height video_frames motion_bucket_id fps augmentation_level",
        "LatentUpscale": "upscale_method width height crop",
        "LatentUpscaleBy": "upscale_method scale_by",
        "ImageScale": "upscale_method width height crop",
        "ImageScaleBy": "upscale_method scale_by",
        "ImageScaleToTotalPixels": "upscale_method megapixels",
        "ModelSamplingFlux": "max_shift base_shift width height",
        "ModelSamplingSD3": "shift",
        "ModelSamplingAuraFlow": "shift",
        "ModelSamplingDiscrete": "sampling zsnr",
        "RescaleCFG": "multiplier",
        "FreeU": "b1 b2 s1 s2",
        "FreeU_V2": "b1 b2 s1 s2",
        "ConditioningSetArea": "width height x y strength",
        "ConditioningSetTimestepRange": "start end",
        "ConditioningAverage": "conditioning_to_strength",
        "ConditioningSetMask": "strength set_cond_area",
        "ControlNetApply": "strength",
        "ControlNetApplyAdvanced": "strength start_percent end_percent",
        "unCLIPConditioning": "strength noise_augmentation",
        "GLIGENTextBoxApply": "text width height x y",
        "VAEEncodeForInpaint": "grow_mask_by",
        "ImagePadForOutpaint": "left top right bottom feathering",
        "SaveImage": "filename_prefix",
        "LoadImage": "image upload",
        "LoadImageMask": "image channel upload",
        "PrimitiveNode": f"value {_AFTER}",
        "PrimitiveInt": f"value {_AFTER}",
        "PrimitiveFloat": "value",
        "PrimitiveBoolean": "value",
        "PrimitiveString": "value",
        "PrimitiveStringMultiline": "value",
        "StringConcatenate": "string_a string_b delimiter",
        "ComfySwitchNode": "switch",
        "SetNode": "name",
        "GetNode": "name",
        "Seed (rgthree)": "seed",
    }.items()
}
_SEEDS = ("seed", "noise_seed")
_CONTROLS = ("fixed", "randomize", "increment", "decrement")


def read_widgets(raw: dict[str, Any]) -> dict[str, Any]:
    """Map widget names to values. Values with an unknown name get the placeholder name `widget_<index>`."""
    values = raw.get("widgets_values")
    if isinstance(values, dict):
        return values
    if not isinstance(values, list):
        return {}
    known = _BY_CLASS.get(raw["type"])
    if known is not None:
        return dict(zip(known, values, strict=False))
    listed = raw.get("inputs")
    slots = [slot for slot in listed if isinstance(slot, dict)] if isinstance(listed, list) else []
    names = [str(slot["widget"].get("name")) for slot in slots if isinstance(slot.get("widget"), dict)]
    with_controls = [word for name in names for word in ((name, _AFTER) if name in _SEEDS else (name,))]
    for order in (names, with_controls):
        if len(order) == len(values):
            return dict(zip(order, values, strict=True))
    if names and any("localized_name" in slot for slot in slots):
        # These editors name every widget, so surplus values are not settings.
        is_controlled = any(one in _CONTROLS for one in values if isinstance(one, str))
        return dict(zip(with_controls if is_controlled else names, values, strict=False))
    if len(values) == 1 or (len(values) == 2 and values[1] in _CONTROLS):
        return {"value": values[0]}
    return {f"widget_{index}": value for index, value in enumerate(values)}
