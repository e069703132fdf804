"""Hooks, their deliveries, and the task that delivers."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mysticanvas.domain.event import EventKind
from mysticanvas.domain.task import Task

JOB_KIND = "hook"
# A delivery lists at most this many images, or ended edits, jobs or imports.
MAX_PER_DELIVERY = 1_000


@dataclass(frozen=True, slots=True)
class Hook:
    """Either `command`, a program with its arguments, which runs in `folder`, or `url`."""

    id: str
    event: EventKind
    created_at: int
    command: list[str] | None = None
    folder: str | None = None
    url: str | None = None

    @property
    def target(self) -> str:
        """What is called, for display."""
        return self.url or " ".join(self.command or [])


@dataclass(frozen=True, slots=True)
class Delivered:
    """`target` is what was called. `output` is the end of what a command printed, or the beginning of a response."""

    target: str
    output: str


@dataclass(frozen=True, slots=True)
class DeliverHook(Task):
    """`body` is sent to the hook as JSON. It contains the ID of the delivery, which a repeated delivery repeats."""

    answer_type: ClassVar[type] = Delivered
    hook: Hook
    body: dict[str, Any]
