"""Tasks that the Orchestrator sends to worker processes, and their answers.

A task is a frozen dataclass of plain values, defined in the package of the feature that sends it and run by
`RUN` of the `task.py` beside it. Tasks and answers travel as MessagePack. `root` is the absolute path of a
watched folder in the encoding of the file system; `path_bytes` is relative to it. A worker opens `path_bytes`
component by component and never follows a link.
"""

from concurrent.futures import Future
from enum import Enum, auto
from typing import Any, ClassVar, Protocol


class Travel(Enum):
    """Whether a cluster may run a task. WITH_FILE: it needs the file at its `root` and `path_bytes`."""

    NEVER = auto()
    SELF_CONTAINED = auto()
    WITH_FILE = auto()


class Task:
    """Base of every task. `answer_type` is a dataclass, or a class with `to_wire` and `from_wire`."""

    __slots__ = ()
    answer_type: ClassVar[type]
    travel: ClassVar[Travel] = Travel.NEVER


# Of the task's `answer_type`.
Answer = Any


class Executor(Protocol):
    """Runs tasks: a worker pool, a cluster, or the Orchestrator itself."""

    def submit(self, task: Task, *, urgent: bool = False) -> Future[Answer]:
        """`urgent` tasks run first. The future fails with a `TaskError`; canceling it early drops the task."""
        ...
