"""Controls the queue: retry, discard, cancel, prune; pause and resume; start and stop.

Each function handles any number of jobs in slices, one transaction each, so that a million rows block nothing.
"""

from collections.abc import Callable

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.jobs import queries, queue
from mysticanvas.jobs.kinds import KINDS
from mysticanvas.jobs.queries import JobSelection

SLICE = 1_000
# Done and cancelled jobs are kept for a day, at most this many of each kind.
KEPT_MS = 24 * 3_600_000
KEPT_JOBS = 10_000


def retry(database: Database, chosen: JobSelection, *, now_ms: int) -> int:
    return _in_slices(database.write, lambda tx: queries.retry(tx, chosen, limit=SLICE, now_ms=now_ms))


def discard(database: Database, chosen: JobSelection) -> int:
    return _in_slices(database.write, lambda tx: queries.discard(tx, chosen, limit=SLICE))


def cancel(database: Database, chosen: JobSelection, *, now_ms: int) -> int:
    return _in_slices(database.write, lambda tx: queries.cancel(tx, chosen, limit=SLICE, now_ms=now_ms))


def forget_all(database: Database) -> int:
    """Forgets all done and cancelled jobs. Returns how many."""
    return _in_slices(database.write_bulk, lambda tx: queries.prune(tx, before_ms=1 << 62, keep=0, limit=SLICE))


def prune(database: Database, *, now_ms: int) -> int:
    """Forgets done and cancelled jobs beyond `KEPT_MS` or `KEPT_JOBS`. Returns how many."""
    before_ms = now_ms - KEPT_MS
    return _in_slices(
        database.write_bulk, lambda tx: queries.prune(tx, before_ms=before_ms, keep=KEPT_JOBS, limit=SLICE)
    )


def pause(database: Database, kind: str | None) -> int:
    """None: every kind. Returns the number of kinds."""
    database.write(queue.set_paused, kind=kind, value=True)
    return len(KINDS) if kind is None else 1


def resume(database: Database, kind: str | None) -> int:
    database.write(queue.set_paused, kind=kind, value=False)
    return len(KINDS) if kind is None else 1


def start(database: Database, kind: str | None, *, now_ms: Callable[[], int]) -> int:
    """Starts a kind that runs only on request. Returns how many jobs were queued. Raises `InvalidInputError`."""
    start_kind = None if kind is None else KINDS[kind].start
    if start_kind is None:
        startable = [one.name for one in KINDS.values() if one.start is not None]
        raise InvalidInputError(f"Only these job kinds can be started: {', '.join(startable)}.")
    return start_kind(database, now_ms)


def stop(database: Database, kind: str | None, *, now_ms: int) -> int:
    """Stops a kind that runs only on request. Returns how many jobs were cancelled. Raises `InvalidInputError`."""
    stop_kind = None if kind is None else KINDS[kind].stop
    if stop_kind is None:
        stoppable = [one.name for one in KINDS.values() if one.stop is not None]
        raise InvalidInputError(
            f"Only these job kinds can be stopped: {', '.join(stoppable)}. Cancel or pause the others."
        )
    database.write(stop_kind)
    return cancel(database, JobSelection(kind=kind), now_ms=now_ms)


def _in_slices(write: Callable[[Callable[[WriteTx], int]], int], slice_: Callable[[WriteTx], int]) -> int:
    changed = 0
    while True:
        now_changed = write(slice_)
        changed += now_changed
        if now_changed < SLICE:
            return changed
