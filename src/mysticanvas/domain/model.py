"""Models: checkpoints, LoRAs and the like."""

from dataclasses import dataclass
from enum import StrEnum


class ModelKind(StrEnum):
    """The type of a model, which is also its role in making an image."""

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
    """A model used to make an image; `name` and `hash` as the file records them, at least one of them given."""

    role: ModelKind
    name: str | None
    hash: str | None = None
    weight: float | None = None
