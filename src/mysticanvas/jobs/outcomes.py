"""The outcomes of tasks: a job is finished, retried, split, parked, or returned to the queue.

`apply_all` runs in the writer: a result and the end of its job are one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db import event_log
from mysticanvas.db.database import WriteTx
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.domain.event import JobDone
from mysticanvas.domain.task import Answer
from mysticanvas.jobs import queries, queue
from mysticanvas.jobs.kinds import KINDS
from mysticanvas.jobs.types import Job


@dataclass(frozen=True, slots=True)
class Finished:
    """`answer` is None when there was nothing left to do."""

    job: Job
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Failed:
    """`crashed`: the worker crashed, or was killed at its time limit. The first line of `error` is the
    reason; the others are the end of the worker's output."""

    job: Job
    error: str
    crashed: bool


@dataclass(frozen=True, slots=True)
class Returned:
    """The executor became unavailable: the job returns to the queue, and no attempt is counted."""

    job: Job


Outcome = Finished | Failed | Returned


def apply_all(tx: WriteTx, outcomes: Sequence[Outcome], *, now_ms: int) -> None:
    for outcome in outcomes:
        match outcome:
            case Finished():
                _finish(tx, outcome, now_ms=now_ms)
            case Failed():
                _fail(tx, outcome, now_ms=now_ms)
            case Returned():
                queue.return_claims(tx, claims=[(outcome.job.id, outcome.job.token)], now_ms=now_ms)


def _finish(tx: WriteTx, finished: Finished, *, now_ms: int) -> None:
    # Only a claim that is still valid may change anything.
    if not queue.finish(tx, finished.job, now_ms=now_ms):
        return
    tx.changes.ended.append(JobDone(finished.job.id, finished.job.kind, "done"))
    if finished.answer is not None:
        KINDS[finished.job.kind].apply(tx, finished.job.payload, finished.answer)


def _fail(tx: WriteTx, failed: Failed, *, now_ms: int) -> None:
    job, kind = failed.job, KINDS[failed.job.kind]
    parked = False
    if failed.crashed and (parts := kind.split(job.payload)):
        queue.replace(tx, job, parts, now_ms=now_ms)
    else:
        parked = queue.fail(
            tx, job, error=failed.error, crashed=failed.crashed, now_ms=now_ms, most_attempts=kind.attempts
        )
    if parked:
        tx.changes.ended.append(JobDone(job.id, job.kind, "error"))
        kind.give_up(tx, job.payload, failed.error.partition("\n")[0])
    if failed.crashed or parked:
        _log_failure(tx, failed, parked=parked, now_ms=now_ms)


def _log_failure(tx: WriteTx, failed: Failed, *, parked: bool, now_ms: int) -> None:
    """Records a crash or a parked job in the event log."""
    job = failed.job
    try:
        file = queries.find(tx, job.id).job.file
    except NotFoundError:
        file = ""
    reason, _, output = failed.error.partition("\n")
    data = {"job": job.id, "of": job.kind, "reason": reason, "said": output, "parked": parked}
    kind = "crash" if failed.crashed else "job.parked"
    event_log.append(tx, level="warning", kind=kind, subject=file or None, data=data, now_ms=now_ms)
