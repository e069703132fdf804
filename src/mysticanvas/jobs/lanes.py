"""The lanes of the dispatcher: where each kind runs, how many jobs at a time, and which are claimed next."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import cycle
from typing import Any

from mysticanvas.domain.task import Answer, Executor, Task
from mysticanvas.jobs.kinds import KINDS, Lane, kind_names, kind_names_in
from mysticanvas.jobs.queue import Ready
from mysticanvas.jobs.types import Job, JobPriority

# One job in this many goes to the next kind in turn regardless of priority, so that no kind starves.
FAIR_EVERY = 16
# One that runs and one that waits for the worker.
GPU_AT_A_TIME = 2


class Slot(Enum):
    """The limit that a running job counts toward."""

    NORMAL = auto()
    IN_VIEW = auto()
    IN_PROCESS = auto()
    HOOKS = auto()
    GPU = auto()


# `claim(limit, kinds, slot)` claims and starts at most `limit` jobs of these kinds, and returns how many.
Claim = Callable[[int, Sequence[str], Slot], int]


@dataclass(slots=True)
class Running:
    job: Job
    slot: Slot
    answer: Future[Answer] | None = None


class InProcessExecutor:
    """Runs tasks in the Orchestrator itself, with the function registered for their type."""

    def __init__(self, runs: Mapping[type[Task], Callable[[Any], Future[Answer]]]) -> None:
        self._runs = runs

    def submit(self, task: Task, *, urgent: bool = False) -> Future[Answer]:
        return self._runs[type(task)](task)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executors:
    """The executor of each lane. Jobs of a lane without an executor are not claimed.

    At most `in_flight` jobs of the normal lane are claimed at a time, plus `in_view` jobs for images on screen,
    which executors run first.
    """

    workers: Executor
    slow: Executor
    gpu: Executor | None = None
    in_process: Executor | None = None
    in_flight: int
    in_view: int = 2

    def of(self, kind: str) -> Executor:
        executor = {
            Lane.SLOW: self.slow,
            Lane.GPU: self.gpu,
            Lane.IN_PROCESS: self.in_process,
            Lane.HOOKS: self.in_process,
        }.get(KINDS[kind].lane, self.workers)
        assert executor is not None, "jobs of a lane without an executor are not claimed"
        return executor


@dataclass(slots=True)
class Lanes:
    """Decides which jobs are claimed next."""

    executors: Executors
    # Also keyed by token: a job that is cancelled and retried may run before its first task has ended.
    running: dict[tuple[int, str], Running] = field(default_factory=dict)
    paused_until_s: float = 0.0
    _turn: "cycle[str] | None" = None
    _since_fair: int = 0

    def pause(self, seconds: float) -> None:
        """Claims nothing for this long."""
        self.paused_until_s = time.monotonic() + seconds

    @property
    def are_full(self) -> bool:
        return self._count(Slot.NORMAL) >= self.executors.in_flight

    def claim_next(self, ready: Sequence[Ready], claim: Claim) -> None:
        executors = self.executors
        names = [one.kind for one in ready]
        if any(one.priority >= JobPriority.IN_VIEW for one in ready):
            claim(
                executors.in_view - self._count(Slot.IN_VIEW), kind_names_in(Lane.NORMAL, Lane.BACKGROUND), Slot.IN_VIEW
            )
        if executors.in_process is not None and (in_process := _in_lane(names, Lane.IN_PROCESS)):
            claim(1 - self._count(Slot.IN_PROCESS), in_process, Slot.IN_PROCESS)
        # One at a time: a crash then repeats at most one delivery.
        if executors.in_process is not None and (hooks := _in_lane(names, Lane.HOOKS)):
            claim(1 - self._count(Slot.HOOKS), hooks, Slot.HOOKS)
        if executors.gpu is not None and (on_gpu := _in_lane(names, Lane.GPU)):
            claim(GPU_AT_A_TIME - self._count(Slot.GPU), on_gpu, Slot.GPU)
        free = executors.in_flight - self._count(Slot.NORMAL)
        if ready and free > 0:
            self._claim_normal(names, free, claim)

    def _claim_normal(self, names: Sequence[str], free: int, claim: Claim) -> None:
        normal = _in_lane(names, Lane.NORMAL, Lane.BACKGROUND)
        if len(normal) > 1 and self._since_fair >= FAIR_EVERY:
            self._since_fair = 0
            free -= claim(1, [self._next_in_turn(normal)], Slot.NORMAL)
        if normal and free > 0:
            self._since_fair += claim(free, normal, Slot.NORMAL)
        slow = _in_lane(names, Lane.SLOW)
        if slow and not self._is_hurried():
            claim(1, slow, Slot.NORMAL)

    def _next_in_turn(self, normal: Sequence[str]) -> str:
        if self._turn is None:
            self._turn = cycle(kind_names())
        return next(kind for kind in self._turn if kind in normal)

    def _is_hurried(self) -> bool:
        """Whether a job runs that a slow one must not delay."""
        return any(KINDS[one.job.kind].lane in (Lane.NORMAL, Lane.SLOW) for one in self.running.values())

    def _count(self, slot: Slot) -> int:
        return sum(1 for one in self.running.values() if one.slot is slot)


def _in_lane(names: Sequence[str], *lanes: Lane) -> list[str]:
    return [name for name in names if KINDS[name].lane in lanes]
