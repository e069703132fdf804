"""What a feature provides to the Orchestrator. Each feature defines `FEATURE` in its `feature.py`."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from mysticanvas.db.database import Database
from mysticanvas.db.page_damage import Check
from mysticanvas.domain.task import Answer, Task
from mysticanvas.edits.background import BackgroundSlices
from mysticanvas.edits.kinds import Edit, RecordedTables
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.repairs import Cleanup, Repair
from mysticanvas.jobs.backfill import Backfill
from mysticanvas.jobs.kinds import JobKind


@dataclass(frozen=True, slots=True)
class Loop:
    """`start` returns a context manager that stays open until the Orchestrator closes; the value it enters with
    becomes a part. `only_serving`: not started for a single command of the CLI. `early`: starts before the other
    loops and ends after them, which a loop that records every commit needs."""

    start: Callable[..., AbstractContextManager[Any]]
    only_serving: bool = False
    early: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What a feature registers.

    `routes`, `parts`, `background` and the values of `in_process` are called with parts that match the types of
    their parameters (`app/parts.py`). `parts` create further parts, `background` runs until the Orchestrator
    closes, `in_process` runs tasks that need no worker process, by type.
    `edits` are the undoable changes, `recorded` the tables that they change, and `slices` derived updates that
    are too large for one transaction. `import_hooks` run during imports, `backfills` queue missing work at each
    start of the gallery. `doctor` runs `checks` besides those of `db/checks.py`, and `doctor --fix` runs `repairs` and
    `cleanups`.
    Commands are in `add_commands` of `commands.py`, and tasks in `RUN` of `task.py`: the command line and the
    workers import nothing else.
    """

    routes: Sequence[Callable[..., APIRouter]] = ()
    jobs: Sequence[JobKind] = ()
    edits: Sequence[type[Edit]] = ()
    recorded: Sequence[RecordedTables] = ()
    slices: Sequence[BackgroundSlices] = ()
    import_hooks: ImportHooks | None = None
    backfills: Sequence[Backfill] = ()
    checks: Sequence[Callable[[Database], Check]] = ()
    repairs: Sequence[Repair] = ()
    cleanups: Sequence[Cleanup] = ()
    parts: Sequence[Callable[..., Any]] = ()
    background: Sequence[Loop] = ()
    in_process: Mapping[type[Task], Callable[..., Callable[[Any], Future[Answer]]]] | None = None
