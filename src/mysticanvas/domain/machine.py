"""What a model says of an image, before anybody has agreed."""

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
    """`name` is clean, lower case, one to three words. `confidence` is 0 to 1."""

    name: str
    category: MachineTagCategory
    confidence: float


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which model said so, asked how, and in which run, so that a run can be taken back."""

    model: str
    prompt_version: int
    run: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server. `base_url` is what comes before `/v1`, or ends with it. With
    `allow_remote` it may be another machine than this one."""

    base_url: str
    model: str
    allow_remote: bool = False
