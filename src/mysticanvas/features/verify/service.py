"""The check of all files: begun, stopped, and what is done about what it found (I5).

A check changes nothing but its own report. What the person accepts is left to a scan, which knows how to
tell a file that is gone from a drive that is away, and asks before it marks very many.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mysticanvas.db import event_log
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.features.folders import job as folder_job
from mysticanvas.features.verify import job, queries
from mysticanvas.features.verify.queries import VerifyState
from mysticanvas.features.verify.types import JOB_KIND
from mysticanvas.jobs import control as job_control
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs.queries import Chosen

SLICE = 1_000


def start(database: Database, *, bytes_per_s: int | None, bytes_per_day: int | None, now_ms: int) -> None:
    """Check every file, within the budget (None: no limit); go on where a check was stopped. Asked for while
    one is under way, it has the new budget from the next batch on."""
    database.write(_start, bytes_per_s, bytes_per_day, now_ms=now_ms)


def stop(database: Database, *, now_ms: int) -> int:
    """The check goes on from here when it is started again. How many jobs were cancelled."""
    database.write(lambda tx: queries.keep_state(tx, replace(queries.state(tx), on=False)))
    return job_control.cancel(database, Chosen(kind=JOB_KIND), now_ms=now_ms)


def accept(database: Database, *, ids: Sequence[int] | None, finding: str | None) -> int:
    """What was found is how it is: the files are read anew, and the missing are looked for, by scans that
    are queued. How many findings."""
    return _in_slices(database, lambda tx: _accept(tx, ids, finding))


def dismiss(database: Database, *, ids: Sequence[int] | None, finding: str | None) -> int:
    """Forget findings; what is still so is found again by the next check."""
    return _in_slices(database, lambda tx: queries.forget_findings(tx, [one for one, _ in _chosen(tx, ids, finding)]))


def _in_slices(database: Database, change: Callable[[WriteTx], int]) -> int:
    changed = 0
    while slice_ := database.write(change):
        changed += slice_
    return changed


def _start(tx: WriteTx, bytes_per_s: int | None, bytes_per_day: int | None, *, now_ms: int) -> None:
    state = queries.state(tx)
    job_queries.cancel(tx, Chosen(kind=JOB_KIND), limit=SLICE, now_ms=now_ms)
    begins = state.started_at is None or state.finished_at is not None
    if begins:
        files, of_bytes = queries.size_of_all(tx)
        state = replace(state, checked=0, files=files, bytes=0, of_bytes=of_bytes, started_at=now_ms, finished_at=None)
        event_log.append(tx, level="info", kind="verify", subject=None, data={"files": files}, now_ms=now_ms)
    state = replace(
        state,
        on=True,
        bytes_per_s=bytes_per_s,
        bytes_per_day=bytes_per_day,
        last_bytes=0,
        resumed_at=now_ms,
        resumed_bytes=state.bytes,
        updated_at=now_ms,
    )
    queries.keep_state(tx, job.enqueue_next(tx, state))


@dataclass(frozen=True, slots=True)
class Report:
    """`rate_bytes_per_s` and `eta_s` are None while nothing moves; a budget is part of the rate."""

    state: VerifyState
    counts: dict[str, int]
    rate_bytes_per_s: float | None
    eta_s: float | None


def report(tx: ReadTx) -> Report:
    state = queries.state(tx)
    rate_per_s = None
    if state.on and state.resumed_at is not None and state.updated_at is not None:
        spent_ms, spent_bytes = state.updated_at - state.resumed_at, state.bytes - state.resumed_bytes
        rate_per_s = spent_bytes * 1000 / spent_ms if spent_ms > 0 and spent_bytes else None
    left_bytes = max(0, state.of_bytes - state.bytes)
    return Report(state, queries.counts(tx), rate_per_s, left_bytes / rate_per_s if rate_per_s else None)


def _accept(tx: WriteTx, ids: Sequence[int] | None, finding: str | None) -> int:
    chosen = _chosen(tx, ids, finding)
    files = [file_id for file_id, _ in chosen]
    queries.forget_dates(tx, files)
    for root_id in sorted({root_id for _, root_id in chosen}):
        folder_job.enqueue(tx, root_id)
    return queries.forget_findings(tx, files)


def _chosen(tx: WriteTx, ids: Sequence[int] | None, finding: str | None) -> list[tuple[int, int]]:
    return queries.chosen(tx, ids=ids, finding=finding, limit=SLICE)
