"""Kind and family of a model by its folder, in the layouts of A1111, Forge, ComfyUI and InvokeAI."""

import re
from itertools import pairwise

from mysticanvas.domain.model import ModelKind

# Folder names in lower case, without spaces, dashes and underscores.
_KINDS: dict[str, ModelKind] = {
    **dict.fromkeys(("stablediffusion", "checkpoints", "checkpoint", "unet", "diffusionmodels", "main"),
                    ModelKind.CHECKPOINT),
    **dict.fromkeys(("lora", "loras", "lycoris", "locon"), ModelKind.LORA),
    **dict.fromkeys(("vae", "vaes", "vaeapprox"), ModelKind.VAE),
    **dict.fromkeys(("embeddings", "embedding", "textualinversion"), ModelKind.EMBEDDING),
    **dict.fromkeys(("controlnet", "controlnets", "t2iadapter", "controllora"), ModelKind.CONTROLNET),
    **dict.fromkeys(("esrgan", "realesrgan", "swinir", "dat", "ldsr", "scunet", "upscalemodels", "upscalers",
                     "upscaler", "spandrelimagetoimage"), ModelKind.UPSCALER),
    **dict.fromkeys(("textencoders", "textencoder", "clip", "clipembed", "t5encoder"), ModelKind.TEXT_ENCODER),
    **dict.fromkeys(("hypernetworks", "clipvision", "ipadapter", "stylemodels", "gligen", "photomaker"),
                    ModelKind.OTHER),
}  # fmt: skip
# InvokeAI sorts its models by family first.
_FAMILIES = {"sd1": "SD1", "sd2": "SD2", "sd3": "SD3", "sdxl": "SDXL", "flux": "Flux"}


def detect_kind(path: str) -> ModelKind | None:
    """The kind that the innermost known folder stands for; None when no folder is known."""
    return next((_KINDS[folder] for folder in _list_folders(path) if folder in _KINDS), None)


def detect_family(path: str) -> str | None:
    """The family of a path such as `sdxl/lora/…`, as in InvokeAI. A family counts only directly above a kind."""
    folders = _list_folders(path)
    pairs = pairwise(folders)
    return next((_FAMILIES[above] for inner, above in pairs if inner in _KINDS and above in _FAMILIES), None)


def _list_folders(path: str) -> list[str]:
    """Innermost first."""
    return [re.sub(r"[\s_\-]", "", part).lower() for part in re.split(r"[\\/]", path)[:-1]][::-1]
