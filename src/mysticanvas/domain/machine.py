"""What a model says of an image, before anybody has agreed, and how it is asked."""

from dataclasses import dataclass
from enum import StrEnum


class MachineTagCategory(StrEnum):
    SUBJECT = "subject"
    STYLE = "style"
    MOOD = "mood"
    LIGHTING = "lighting"
    PALETTE = "palette"


@dataclass(frozen=True, slots=True)
class MachineTag:
    """`category` is a `MachineTagCategory`, or one of the model's own; None: it has none. `confidence` is 0 to 1."""

    name: str
    category: str | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server. `base_url` is what comes before `/v1`, or ends with it. With
    `allow_remote` it may be another machine than this one."""

    base_url: str
    model: str
    allow_remote: bool = False


class LookAt(StrEnum):
    """What a model is shown of an image."""

    PROMPT = "prompt"
    PICTURE = "picture"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Autotagging:
    """How the person wants images to be tagged; with `after_import`, each as it comes in."""

    endpoint: Endpoint
    look_at: LookAt = LookAt.PROMPT
    after_import: bool = False
