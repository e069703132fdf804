"""Starts and stops the verification of all files, and accepts or dismisses its findings.

Verification changes only its own report. Accepted findings are handled by a scan, which distinguishes a missing
file from an offline drive and asks before it marks many files as missing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

from mysticanvas.db import event_log
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.features.folders import job as folder_job
from mysticanvas.features.verify import job, queries
from mysticanvas.features.verify.queries import VerifyState
from mysticanvas.features.verify.types import JOB_KIND
from mysticanvas.jobs import control as job_control
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs.queries import JobSelection

SLICE = 1_000


def start(database: Database, *, bytes_per_s: int | None, bytes_per_day: int | None, now_ms: int) -> None:
    """Verify every file within the budget (None: no limit). Continues a stopped verification. If one is running, the
    new budget applies from the next batch on."""
    database.write(_start, bytes_per_s, bytes_per_day, now_ms=now_ms)


def stop(database: Database, *, now_ms: int) -> int:
    """Stop the verification; `start` continues it from here. Returns the number of cancelled jobs."""
    database.write(lambda tx: queries.save_state(tx, replace(queries.get_state(tx), on=False)))
    return job_control.cancel(database, JobSelection(kind=JOB_KIND), now_ms=now_ms)


def accept(database: Database, *, ids: Sequence[int] | None, finding: str | None) -> int:
    """Accept findings: queue scans that read the changed files again and look for the missing ones. Returns the
    number of findings."""
    return _run_slices(database, lambda tx: _accept(tx, ids, finding))


def dismiss(database: Database, *, ids: Sequence[int] | None, finding: str | None) -> int:
    """Delete findings. The next verification reports them again if they persist. Returns the number of findings."""
    return _run_slices(database, lambda tx: queries.delete_findings(tx, [one for one, _ in _select(tx, ids, finding)]))


def _run_slices(database: Database, change: Callable[[WriteTx], int]) -> int:
    changed = 0
    while slice_ := database.write(change):
        changed += slice_
    return changed


def _start(tx: WriteTx, bytes_per_s: int | None, bytes_per_day: int | None, *, now_ms: int) -> None:
    state = queries.get_state(tx)
    job_queries.cancel(tx, JobSelection(kind=JOB_KIND), limit=SLICE, now_ms=now_ms)
    is_new = state.started_at is None or state.finished_at is not None
    if is_new:
        files, of_bytes = queries.count_files(tx)
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
    queries.save_state(tx, job.enqueue_next(tx, state))


@dataclass(frozen=True, slots=True)
class VerifyProgress:
    """`on`: verification is running. `checked` of `files` files and `bytes` of `of_bytes` bytes have been checked.
    `bytes_per_s` and `bytes_per_day` are the limits, null for none. `started_at` is null before the first verification,
    `finished_at` until it is finished."""

    on: bool
    checked: int
    files: int
    bytes: int
    of_bytes: int
    bytes_per_s: int | None
    bytes_per_day: int | None
    started_at: int | None
    updated_at: int | None
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class VerifyStatus:
    """`counts` is the number of findings by kind. `rate_bytes_per_s` and `eta_s` include the waits of a budget; they
    are null until there is progress."""

    state: VerifyProgress
    counts: dict[str, int]
    rate_bytes_per_s: float | None
    eta_s: float | None


def get_status(tx: ReadTx) -> VerifyStatus:
    state = queries.get_state(tx)
    rate_per_s = None
    if state.on and state.resumed_at is not None and state.updated_at is not None:
        spent_ms, spent_bytes = state.updated_at - state.resumed_at, state.bytes - state.resumed_bytes
        rate_per_s = spent_bytes * 1000 / spent_ms if spent_ms > 0 and spent_bytes else None
    left_bytes = max(0, state.of_bytes - state.bytes)
    eta_s = left_bytes / rate_per_s if rate_per_s else None
    return VerifyStatus(_build_progress(state), queries.count_findings(tx), rate_per_s, eta_s)


def _build_progress(state: VerifyState) -> VerifyProgress:
    return VerifyProgress(**{one.name: getattr(state, one.name) for one in fields(VerifyProgress)})


def _accept(tx: WriteTx, ids: Sequence[int] | None, finding: str | None) -> int:
    selected = _select(tx, ids, finding)
    files = [file_id for file_id, _ in selected]
    queries.clear_dates(tx, files)
    for root_id in sorted({root_id for _, root_id in selected}):
        folder_job.enqueue(tx, root_id)
    return queries.delete_findings(tx, files)


def _select(tx: WriteTx, ids: Sequence[int] | None, finding: str | None) -> list[tuple[int, int]]:
    return queries.select_findings(tx, ids=ids, finding=finding, limit=SLICE)
