"""Jobs: units of background work stored in the database."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NewType

JobId = NewType("JobId", int)


class JobStatus(StrEnum):
    """QUEUED → RUNNING → DONE | ERROR | CANCELLED; RUNNING → QUEUED for a retry, or when its owner is gone.

    A parked job is in ERROR: its attempts are used up. Pausing is a setting of the kind.
    """

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"


class JobPriority:
    """Higher runs first."""

    IDLE = 0
    BEHIND = 50
    NORMAL = 100
    SOON = 200
    IN_VIEW = 1000


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. Its result is accepted only with the `token` of the current claim."""

    id: JobId
    kind: str
    payload: dict[str, Any]
    attempts: int
    crashes: int
    priority: int
    token: str
