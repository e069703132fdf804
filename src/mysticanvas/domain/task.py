"""What the Orchestrator asks of worker processes, and what they answer.

Every task and every answer travels as MessagePack, so they are plain dataclasses of plain values.
`root` is the absolute path of a watched folder as the system spells it; `path_bytes` is relative to
it. A worker opens `path_bytes` part by part and never follows a link.
"""

from concurrent.futures import Future
from typing import Any, Protocol

# A frozen dataclass of plain values: `types.py` of the feature that sends it defines it.
Task = Any
Answer = Any


class Executor(Protocol):
    """Whatever can run a task somewhere else."""

    def submit(self, task: Task, *, urgent: bool = False) -> Future[Answer]:
        """The future fails with a `TaskError`; cancelling one that has not started drops it."""
        ...
