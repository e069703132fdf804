"""The dispatcher: claims jobs, submits their tasks to executors, commits their results.

One thread. It sleeps until a commit adds jobs, an executor answers, or a retry is due.
"""

import errno
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from mysticanvas.db.database import ChangeSet, Database
from mysticanvas.db.halving import store_by_halves
from mysticanvas.domain.errors import (
    ExecutorUnavailableError,
    LibraryError,
    MystiCanvasError,
    TaskError,
    TaskTimedOutError,
    WorkerCrashedError,
)
from mysticanvas.domain.task import Answer
from mysticanvas.jobs import control, queue
from mysticanvas.jobs.kinds import KINDS
from mysticanvas.jobs.lanes import Executors, Lanes, Running, Slot
from mysticanvas.jobs.outcomes import Failed, Finished, Outcome, Returned, apply_all
from mysticanvas.jobs.progress import JobProgress
from mysticanvas.jobs.types import Job, JobPriority

log = logging.getLogger(__name__)

# Results that arrive together are committed together; a single result does not wait for others.
BATCH_RESULTS = 64
# Pause after the database refused a claim (disk full, busy), or after a cluster was unreachable.
PAUSE_AFTER_ERROR_S = 5.0
# Smaller corrections of the system clock are normal.
CLOCK_SET_BACK_MS = 1_000
PRUNE_EVERY_S = 3_600.0
PRUNE_EVERY_JOBS = 10_000


@dataclass(frozen=True, slots=True)
class _Cancelled:
    """These jobs were cancelled while they ran."""

    jobs: list[int]


_Message = Outcome | _Cancelled | None


class _PruneSchedule:
    """When to prune finished jobs: after `PRUNE_EVERY_JOBS` of them, or after `PRUNE_EVERY_S`."""

    def __init__(self) -> None:
        self._finished = PRUNE_EVERY_JOBS
        self._pruned_s = time.monotonic()

    def count(self, finished: int) -> None:
        self._finished += finished

    def is_due(self) -> bool:
        """Whether to prune now. True resets the count."""
        now_s = time.monotonic()
        if self._finished < PRUNE_EVERY_JOBS and now_s - self._pruned_s < PRUNE_EVERY_S:
            return False
        self._finished, self._pruned_s = 0, now_s
        return True


class Dispatcher:
    """Runs while the context is open; closing it returns claimed jobs to the queue without counting an attempt."""

    def __init__(
        self,
        database: Database,
        executors: Executors,
        *,
        progress: JobProgress | None = None,
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._lanes = Lanes(executors)
        self._progress = progress or JobProgress()
        self._now_ms = now_ms
        self._inbox: SimpleQueue[_Message] = SimpleQueue()
        self._closing = False
        self._pruning = _PruneSchedule()
        # The last time read from the clock.
        self._last_ms = 0
        self._thread = Thread(target=self._work, name="dispatcher")

    def __enter__(self) -> "Dispatcher":
        self._last_ms = self._now_ms()
        self._database.write_bulk(queue.requeue_orphaned, owner_id=self._database.owner_id, now_ms=self._last_ms)
        self._database.write_bulk(queue.adjust_to_clock, now_ms=self._last_ms)
        self._database.after_commit(self._on_commit)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._inbox.put(None)
        self._thread.join()
        self._database.write_bulk(queue.return_claims, claims=list(self._lanes.running), now_ms=self._now_ms())

    def _on_commit(self, changes: ChangeSet) -> None:
        if changes.cancelled:
            self._inbox.put(_Cancelled(list(changes.cancelled)))
        elif changes.jobs:
            self._inbox.put(None)

    def _work(self) -> None:
        outcomes: list[Outcome] = []
        while not self._closing:
            try:
                if outcomes:
                    self._commit(outcomes)
                    if any(isinstance(outcome, Returned) for outcome in outcomes):
                        self._lanes.pause(PAUSE_AFTER_ERROR_S)
                    outcomes = []
                wait_s = self._claim_all()
            except MystiCanvasError as error:
                # Such as a full disk: keeps the results, and claims no jobs until they are stored.
                log.warning("jobs are waiting for the database", extra={"reason": str(error)})
                wait_s = PAUSE_AFTER_ERROR_S
            except Exception:
                # All background work needs this thread.
                log.exception("jobs could not be claimed or committed")
                wait_s = PAUSE_AFTER_ERROR_S
            outcomes += self._outcomes(wait_s)

    # -- claiming -----------------------------------------------------------------------------

    def _claim_all(self) -> float | None:
        """Claims jobs. Returns the seconds until the next claim; None: wait for a message."""
        if self._pruning.is_due():
            control.prune(self._database, now_ms=self._now_ms())
        pause_s = self._lanes.paused_until_s - time.monotonic()
        if pause_s > 0:
            return pause_s
        now_ms = self._check_clock()
        self._lanes.claim_next(self._database.read(queue.list_ready, now_ms=now_ms), self._claim)
        if self._lanes.are_full:
            return None
        due_ms = self._database.read(queue.get_next_run_at, after_ms=now_ms)
        return None if due_ms is None else max(0.0, (due_ms - now_ms) / 1000)

    def _check_clock(self) -> int:
        """The current time. When the clock was set back, reschedules retries."""
        now_ms = self._now_ms()
        if now_ms < self._last_ms - CLOCK_SET_BACK_MS:
            self._database.write_bulk(queue.adjust_to_clock, now_ms=now_ms)
        self._last_ms = now_ms
        return now_ms

    def _claim(self, limit: int, names: Sequence[str], slot: Slot) -> int:
        if limit <= 0:
            return 0
        claimed = self._database.write_bulk(
            queue.claim,
            owner_id=self._database.owner_id,
            limit=limit,
            kinds=names,
            at_least=JobPriority.IN_VIEW if slot is Slot.IN_VIEW else JobPriority.IDLE,
            now_ms=self._now_ms(),
        )
        for job in claimed:
            self._start(job, slot)
        return len(claimed)

    def _start(self, job: Job, slot: Slot) -> None:
        running = self._lanes.running[job.id, job.token] = Running(job, slot)
        try:
            task = self._database.read(KINDS[job.kind].prepare, job.payload)
        except MystiCanvasError as error:
            self._inbox.put(Failed(job, str(error), crashed=False))
            return
        except Exception as error:
            # Such as a payload of a newer version. It must not end the thread, and with it all background work.
            log.exception("a job could not be prepared", extra={"job": job.id})
            self._inbox.put(Failed(job, f"The job could not be prepared: {error!r}", crashed=False))
            return
        if task is None:
            self._inbox.put(Finished(job, None))
            return
        running.answer = self._lanes.executors.of(job.kind).submit(task, urgent=slot is Slot.IN_VIEW)
        running.answer.add_done_callback(lambda done: self._on_answer(job, done))

    def _on_answer(self, job: Job, future: Future[Answer]) -> None:
        try:
            self._inbox.put(Finished(job, future.result()))
        except CancelledError:
            # The job was cancelled, or the executor is closing: `__exit__` then returns the claim to the queue.
            return
        except ExecutorUnavailableError:
            self._inbox.put(Returned(job))
        except WorkerCrashedError as error:
            self._inbox.put(Failed(job, f"{error}\n{error.stderr_tail}".strip(), crashed=True))
        except TaskError as error:
            self._inbox.put(Failed(job, str(error), crashed=isinstance(error, TaskTimedOutError)))

    def _cancel_running(self, cancelled: Sequence[int]) -> None:
        """Stops the tasks of cancelled jobs, whose results would be ignored."""
        for key in [key for key in self._lanes.running if key[0] in cancelled]:
            running = self._lanes.running.pop(key)
            if running.answer is not None:
                running.answer.cancel()

    # -- committing ---------------------------------------------------------------------------

    def _outcomes(self, wait_s: float | None) -> list[Outcome]:
        """Waits for a message, then also takes the others that have arrived, up to `BATCH_RESULTS` outcomes."""
        outcomes: list[Outcome] = []
        try:
            message = self._inbox.get(timeout=wait_s)
            while True:
                if isinstance(message, _Cancelled):
                    self._cancel_running(message.jobs)
                elif message is not None:
                    outcomes.append(message)
                if len(outcomes) >= BATCH_RESULTS:
                    return outcomes
                message = self._inbox.get_nowait()
        except Empty:
            return outcomes

    def _commit(self, outcomes: list[Outcome]) -> None:
        """Stores the outcomes. Raises `LibraryError` when the database cannot be written; call again with the same
        outcomes then."""
        for refused, error in store_by_halves(self._store, [self._with_files(outcome) for outcome in outcomes]):
            self._fail(Failed(refused.job, f"The result could not be stored: {error}", crashed=False))
        for outcome in outcomes:
            self._lanes.running.pop((outcome.job.id, outcome.job.token), None)
            if not isinstance(outcome, Returned):
                self._progress.record(outcome.job.kind)
        self._pruning.count(len(outcomes))

    def _store(self, outcomes: Sequence[Outcome]) -> None:
        self._database.write_bulk(apply_all, outcomes, now_ms=self._now_ms())

    def _fail(self, failed: Failed) -> None:
        # If the failure is refused too, the job stays claimed until the next start.
        store_by_halves(self._store, [failed])

    def _with_files(self, outcome: Outcome) -> Outcome:
        """Writes the files of a result before its rows are committed. Raises `LibraryError` when the disk is full."""
        save_files = KINDS[outcome.job.kind].save_files
        if save_files is not None and isinstance(outcome, Finished) and outcome.answer is not None:
            try:
                save_files(self._database.folder, outcome.answer)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise LibraryError(
                        "The disk is full, so the results of jobs cannot be stored. Free some disk space."
                    ) from error
                return Failed(outcome.job, f"The result could not be written: {error}", crashed=False)
            except Exception as error:
                log.exception("the files of a job result were rejected", extra={"job": outcome.job.id})
                return Failed(outcome.job, f"The result could not be written: {error!r}", crashed=False)
        return outcome
