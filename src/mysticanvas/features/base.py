"""What a feature brings to the Orchestrator. `feature.py` of each feature holds its `FEATURE`."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from mysticanvas.domain.task import Answer, Task
from mysticanvas.edits.background import BackgroundSlices
from mysticanvas.edits.kinds import Edit, Recorded
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.repairs import Cleanup, Repair
from mysticanvas.jobs.backfill import Backfill
from mysticanvas.jobs.kinds import JobKind


@dataclass(frozen=True, slots=True)
class Loop:
    """`start` makes a context manager that runs until the Orchestrator closes; what entering it returns
    becomes a part. `only_serving`: a single command of the CLI does without it. `early`: it starts before the
    loops that are not, and ends after them, as what records every commit must."""

    start: Callable[..., AbstractContextManager[Any]]
    only_serving: bool = False
    early: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Everything that the kernels learn of a feature.

    `routes`, `parts`, `background` and the values of `in_process` are called with the parts that their
    parameters name by type (`app/parts.py`). `parts` make further parts, `background` runs until the
    Orchestrator closes, `in_process` runs the tasks that need no worker process, by their type.
    `edits` are its undoable changes, `recorded` the tables that they change, and `slices` the work that follows
    from them and is too large for one transaction. `import_hooks` is what the feature does with what an import
    brings, `backfills` queue at each start of the gallery what is missing, and `repairs` and `cleanups` are what
    `doctor --fix` does.
    The commands of a feature are `add_commands` of its `commands.py`, and its tasks `RUN` of its `task.py`:
    the command line and the workers load nothing else.
    """

    routes: Sequence[Callable[..., APIRouter]] = ()
    jobs: Sequence[JobKind] = ()
    edits: Sequence[type[Edit]] = ()
    recorded: Sequence[Recorded] = ()
    slices: Sequence[BackgroundSlices] = ()
    import_hooks: ImportHooks | None = None
    backfills: Sequence[Backfill] = ()
    repairs: Sequence[Repair] = ()
    cleanups: Sequence[Cleanup] = ()
    parts: Sequence[Callable[..., Any]] = ()
    background: Sequence[Loop] = ()
    in_process: Mapping[type[Task], Callable[..., Callable[[Any], Future[Answer]]]] | None = None
