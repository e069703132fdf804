"""Work that waits in the database."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NewType

JobId = NewType("JobId", int)


class JobStatus(StrEnum):
    """QUEUED → RUNNING → DONE | ERROR | CANCELLED; RUNNING → QUEUED when its owner is gone.

    "Parked" is ERROR with its attempts used up; "paused" is a setting of its kind.
    """

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"


class JobPriority:
    """Higher goes first."""

    IDLE = 0
    BEHIND = 50
    NORMAL = 100
    SOON = 200
    IN_VIEW = 1000


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job: `token` must be shown again for its result to be believed."""

    id: JobId
    kind: str
    payload: dict[str, Any]
    attempts: int
    crashes: int
    priority: int
    token: str
