"""Models: checkpoints, LoRAs and the like."""

from dataclasses import dataclass
from enum import StrEnum


class ModelKind(StrEnum):
    """What a model is, and the role that it plays for an image."""

    CHECKPOINT = "checkpoint"
    LORA = "lora"
    VAE = "vae"
    REFINER = "refiner"
    EMBEDDING = "embedding"
    CONTROLNET = "controlnet"
    UPSCALER = "upscaler"
    TEXT_ENCODER = "text_encoder"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model that made an image; `name` and `hash` as its file writes them, one of them given."""

    role: ModelKind
    name: str | None
    hash: str | None = None
    weight: float | None = None
