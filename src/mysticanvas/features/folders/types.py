"""The task that scans a whole folder."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.task import Task

JOB_KIND = "rescan"


@dataclass(frozen=True, slots=True)
class RootRescanned:
    """`message` is shown to the user, "" when the scan succeeded."""

    message: str


@dataclass(frozen=True, slots=True)
class RescanRoot(Task):
    """Scan a whole root for new, moved and missing files. Runs in the Orchestrator, which sends single files to
    workers."""

    answer_type: ClassVar[type] = RootRescanned
    root_id: int
