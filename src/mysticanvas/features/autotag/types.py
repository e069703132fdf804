"""What a model says of an image, before anybody has agreed, and how it is asked."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from mysticanvas.domain.tag import MachineTag
from mysticanvas.domain.task import Task

JOB_KIND = "autotag"


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


@dataclass(frozen=True, slots=True)
class TagsSuggested:
    tags: list[MachineTag]


@dataclass(frozen=True, slots=True)
class AskForTags(Task):
    """Ask a model server for the tags of one image: the one task that uses the network, and only the
    endpoint that it names. `picture` is a small WebP for a model that sees; of `vocabulary`, the names
    that are nearest to the prompt are offered. `key` is never stored."""

    answer_type: ClassVar[type] = TagsSuggested
    endpoint: Endpoint
    prompt: str | None
    picture: bytes | None = None
    vocabulary: list[str] = field(default_factory=list)
    limit_s: float = 120.0
    key: str | None = field(default=None, repr=False)
