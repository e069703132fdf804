"""The settings of auto-tagging, the task `AskForTags` and its answer."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from mysticanvas.domain.tag import MachineTag
from mysticanvas.domain.task import Task

JOB_KIND = "autotag"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server with an OpenAI-compatible API. `base_url` is the URL with or without the final `/v1`. Servers on other
    machines require `allow_remote`."""

    base_url: str
    model: str
    allow_remote: bool = False


class LookAt(StrEnum):
    """What is sent to the model about an image."""

    PROMPT = "prompt"
    PICTURE = "picture"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class AutotagSettings:
    """The settings of auto-tagging. `look_at` is what is sent to the model: the prompt, the picture or both. With
    `after_import`, new images are tagged after import."""

    endpoint: Endpoint
    look_at: LookAt = LookAt.PROMPT
    after_import: bool = False


@dataclass(frozen=True, slots=True)
class TagsSuggested:
    tags: list[MachineTag]


@dataclass(frozen=True, slots=True)
class AskForTags(Task):
    """Request tags for one image from a model server.

    This is the only task that uses the network, and it connects only to `endpoint`. `picture` is a WebP thumbnail for
    a vision model. The model is asked to prefer the names of `vocabulary` that are most similar to the prompt. `key`,
    the API key, is never stored with the task.
    """

    answer_type: ClassVar[type] = TagsSuggested
    endpoint: Endpoint
    prompt: str | None
    picture: bytes | None = None
    vocabulary: list[str] = field(default_factory=list)
    limit_s: float = 120.0
    key: str | None = field(default=None, repr=False)
