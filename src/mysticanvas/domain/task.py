"""What the Orchestrator asks of worker processes, and what they answer.

A task is a frozen dataclass of plain values, defined in the package of the feature that sends it and run by
`RUN` of the `task.py` beside it. Tasks and answers travel as MessagePack. `root` is the absolute path of a
watched folder as the system spells it; `path_bytes` is relative to it. A worker opens `path_bytes` part by
part and never follows a link.
"""

from concurrent.futures import Future
from enum import Enum, auto
from typing import Any, ClassVar, Protocol


class Travel(Enum):
    """Whether a cluster may run a task. WITH_FILE: it needs the one file that its `root` and `path_bytes` name."""

    NEVER = auto()
    SELF_CONTAINED = auto()
    WITH_FILE = auto()


class Task:
    """Base of every task. `answer_type` is a dataclass too, or a class with `to_wire` and `from_wire`."""

    __slots__ = ()
    answer_type: ClassVar[type]
    travel: ClassVar[Travel] = Travel.NEVER


# Of the task's `answer_type`.
Answer = Any


class Executor(Protocol):
    """Whatever can run a task somewhere else."""

    def submit(self, task: Task, *, urgent: bool = False) -> Future[Answer]:
        """The future fails with a `TaskError`; cancelling one that has not started drops it."""
        ...
