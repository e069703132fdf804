"""A scan of one folder as a job."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.task import Task

JOB_KIND = "rescan"


@dataclass(frozen=True, slots=True)
class RootRescanned:
    """`message` is what the person should know, "" when all went well."""

    message: str


@dataclass(frozen=True, slots=True)
class RescanRoot(Task):
    """Look through a whole root for what is new, moved or missing. Done by the Orchestrator itself, which
    asks workers for each file."""

    answer_type: ClassVar[type] = RootRescanned
    root_id: int
