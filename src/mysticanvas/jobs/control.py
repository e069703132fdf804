"""What a person does with the queue: retry, discard, cancel, forget; pause and resume; start and stop.

Any number of jobs: each slice is a transaction of its own, so that nobody waits behind a million rows.
"""

from collections.abc import Callable

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import folders
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.features.file_hashes import service as file_hash_service
from mysticanvas.features.folders import job as folder_job
from mysticanvas.jobs import queries, queue
from mysticanvas.jobs.queries import Chosen
from mysticanvas.jobs.types import JobKind

SLICE = 1_000
# Done and cancelled jobs are kept for a day, and of each kind this many, to be looked at.
KEPT_MS = 24 * 3_600_000
KEPT_JOBS = 10_000


def kind_named(name: str | None) -> JobKind | None:
    """None for None. Raises `InvalidInputError`."""
    if name is None:
        return None
    try:
        return JobKind(name)
    except ValueError as error:
        known = ", ".join(kind.value for kind in JobKind)
        raise InvalidInputError(f"There is no kind of work called “{name}”; there are {known}.") from error


def retry(database: Database, chosen: Chosen, *, now_ms: int) -> int:
    return _in_slices(database.write, lambda tx: queries.retry(tx, chosen, limit=SLICE, now_ms=now_ms))


def discard(database: Database, chosen: Chosen) -> int:
    return _in_slices(database.write, lambda tx: queries.discard(tx, chosen, limit=SLICE))


def cancel(database: Database, chosen: Chosen, *, now_ms: int) -> int:
    return _in_slices(database.write, lambda tx: queries.cancel(tx, chosen, limit=SLICE, now_ms=now_ms))


def forget_all(database: Database) -> int:
    """Everything that is done or cancelled, however new."""
    return _in_slices(database.write_bulk, lambda tx: queries.prune(tx, before_ms=1 << 62, keep=0, limit=SLICE))


def prune(database: Database, *, now_ms: int) -> int:
    """What is done or cancelled and old, or one of very many."""
    before_ms = now_ms - KEPT_MS
    return _in_slices(
        database.write_bulk, lambda tx: queries.prune(tx, before_ms=before_ms, keep=KEPT_JOBS, limit=SLICE)
    )


def pause(database: Database, kind: JobKind | None) -> int:
    """None: everything. How many kinds."""
    database.write(queue.set_paused, kind=kind, value=True)
    return len(JobKind) if kind is None else 1


def resume(database: Database, kind: JobKind | None) -> int:
    database.write(queue.set_paused, kind=kind, value=False)
    return len(JobKind) if kind is None else 1


def start(database: Database, kind: JobKind | None, *, now_ms: Callable[[], int]) -> int:
    """Kinds that do nothing until they are asked for. How many jobs were queued."""
    if kind is JobKind.SHA256:
        return file_hash_service.start(database, now_ms=now_ms)
    if kind is JobKind.RESCAN:
        return database.write(_rescan_all)
    raise InvalidInputError(
        "Only sha256 and rescan are started; verify has a command of its own, the rest is always on."
    )


def stop(database: Database, kind: JobKind | None, *, now_ms: int) -> int:
    """How many jobs were cancelled."""
    if kind is JobKind.SHA256:
        database.write(file_hash_service.stop)
        return cancel(database, Chosen(kind=JobKind.SHA256), now_ms=now_ms)
    raise InvalidInputError("Only sha256 is stopped; anything else is cancelled or paused.")


def _rescan_all(tx: WriteTx) -> int:
    known = [root.id for root in folders.all_roots(tx) if root.id is not None]
    for root_id in known:
        folder_job.enqueue(tx, root_id)
    return len(known)


def _in_slices(write: Callable[[Callable[[WriteTx], int]], int], slice_: Callable[[WriteTx], int]) -> int:
    changed = 0
    while True:
        now_changed = write(slice_)
        changed += now_changed
        if now_changed < SLICE:
            return changed
