"""The dispatcher: claims jobs, hands their tasks to workers, commits their results.

One thread. It sleeps until a commit brings new jobs, a worker answers, or a retry falls due (J13).
"""

import errno
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from enum import Enum, auto
from itertools import cycle
from queue import Empty, SimpleQueue
from threading import Thread

from mysticanvas.db.database import ChangeSet, Database
from mysticanvas.domain.errors import (
    LibraryError,
    MystiCanvasError,
    NobodyDidItError,
    TaskError,
    TaskTimedOutError,
    WorkerCrashedError,
)
from mysticanvas.domain.task import Answer, Executor, Task
from mysticanvas.features.folders.rescan import Rescan
from mysticanvas.features.folders.types import RescanRoot
from mysticanvas.features.thumbnails.types import ThumbsMade
from mysticanvas.imaging.thumbnail_cache import ThumbCache
from mysticanvas.jobs import control, queue
from mysticanvas.jobs.kinds import APART, INSIDE, KINDS, SLOW, UNHURRIED
from mysticanvas.jobs.outcomes import Failed, Finished, GivenBack, Outcome, apply_all
from mysticanvas.jobs.progress import JobProgress
from mysticanvas.jobs.queue import Ready
from mysticanvas.jobs.types import Job, JobKind, JobPriority

log = logging.getLogger(__name__)

# Results are committed together, but a result that is alone does not wait.
BATCH_RESULTS = 64
# How long to leave the database alone after it refused a claim (disk full, busy), or a cluster after it
# was not there.
PAUSE_AFTER_ERROR_S = 5.0
# One job in so many is the next kind's in turn, whatever its priority, so that none starves (J9).
FAIR_EVERY = 16
# One that is done and one that waits for its worker.
APART_AT_A_TIME = 2
# A clock is put right by less than this all the time.
CLOCK_SET_BACK_MS = 1_000
_ELSEWHERE = (*SLOW, *INSIDE, *APART)
PRUNE_EVERY_S = 3_600.0
PRUNE_EVERY_JOBS = 10_000


class _Lane(Enum):
    """Each has its own number of jobs that run at a time."""

    NORMAL = auto()
    IN_VIEW = auto()
    INSIDE = auto()
    APART = auto()


@dataclass(slots=True)
class _Running:
    job: Job
    lane: _Lane
    answer: Future[Answer] | None = None


@dataclass(frozen=True, slots=True)
class _BrokenOff:
    """These jobs were cancelled while they ran."""

    jobs: list[int]


_Message = Outcome | _BrokenOff | None


class Dispatcher:
    """Runs while the context is open; closing it gives claimed jobs back without an attempt.

    `in_flight` jobs are claimed at a time; `in_view` more of those that show what is on screen, which
    executors put ahead of the others (J9). `rescan` does what the Orchestrator does itself, `apart` what needs
    workers of its own; without one of them its jobs wait.
    """

    def __init__(
        self,
        database: Database,
        executor: Executor,
        cache: ThumbCache,
        *,
        slow_executor: Executor,
        in_flight: int,
        in_view: int = 2,
        rescan: Rescan | None = None,
        apart: Executor | None = None,
        progress: JobProgress | None = None,
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._executor = executor
        self._slow_executor = slow_executor
        self._cache = cache
        self._limit = in_flight
        self._in_view_limit = in_view
        self._rescan = rescan
        self._apart = apart
        self._progress = progress or JobProgress()
        self._now_ms = now_ms
        # By token too: a job that is cancelled and queued again may run before the first try has ended.
        self._running: dict[tuple[int, str], _Running] = {}
        self._inbox: SimpleQueue[_Message] = SimpleQueue()
        self._closing = False
        self._turns = cycle(JobKind)
        self._since_fair = 0
        # Set when a cluster has given work back.
        self._rests_until_s = 0.0
        self._since_pruned = PRUNE_EVERY_JOBS
        self._pruned_s = time.monotonic()
        # What the clock said last.
        self._told_ms = 0
        self._thread = Thread(target=self._work, name="dispatcher")

    def __enter__(self) -> "Dispatcher":
        self._told_ms = self._now_ms()
        self._database.write_bulk(queue.take_back, boot=self._database.boot_id, now_ms=self._told_ms)
        self._database.write_bulk(queue.mind_the_clock, now_ms=self._told_ms)
        self._database.after_commit(self._on_commit)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._inbox.put(None)
        self._thread.join()
        self._database.write_bulk(queue.give_back, claims=list(self._running), now_ms=self._now_ms())

    def _on_commit(self, changes: ChangeSet) -> None:
        if changes.broken_off:
            self._inbox.put(_BrokenOff(list(changes.broken_off)))
        elif changes.jobs:
            self._inbox.put(None)

    def _work(self) -> None:
        outcomes: list[Outcome] = []
        while not self._closing:
            try:
                if outcomes:
                    self._commit(outcomes)
                    if any(isinstance(outcome, GivenBack) for outcome in outcomes):
                        self._rests_until_s = time.monotonic() + PAUSE_AFTER_ERROR_S
                    outcomes = []
                wait_s = self._claim_all()
            except MystiCanvasError as error:
                # Full disk or the like: results are kept, and no work is claimed until they are stored (J13).
                log.warning("jobs wait for the database", extra={"reason": str(error)})
                wait_s = PAUSE_AFTER_ERROR_S
            outcomes += self._outcomes(wait_s)

    # -- claiming -----------------------------------------------------------------------------

    def _claim_all(self) -> float | None:
        """How long until there may be more to claim by itself; None: not before something happens."""
        self._prune()
        rest_s = self._rests_until_s - time.monotonic()
        if rest_s > 0:
            return rest_s
        now_ms = self._now_ms()
        if now_ms < self._told_ms - CLOCK_SET_BACK_MS:
            self._database.write_bulk(queue.mind_the_clock, now_ms=now_ms)
        self._told_ms = now_ms
        ready = self._database.read(queue.ready, now_ms=now_ms)
        if any(one.priority >= JobPriority.IN_VIEW for one in ready):
            free = self._in_view_limit - self._count(_Lane.IN_VIEW)
            self._claim(free, kinds=[kind for kind in JobKind if kind not in _ELSEWHERE], lane=_Lane.IN_VIEW)
        if self._rescan is not None and any(one.kind in INSIDE for one in ready):
            self._claim(1 - self._count(_Lane.INSIDE), kinds=INSIDE, lane=_Lane.INSIDE)
        if self._apart is not None and any(one.kind in APART for one in ready):
            self._claim(APART_AT_A_TIME - self._count(_Lane.APART), kinds=APART, lane=_Lane.APART)
        free = self._limit - self._count(_Lane.NORMAL)
        if ready and free > 0:
            self._claim_behind(ready, free)
        if self._count(_Lane.NORMAL) >= self._limit:
            return None
        due_ms = self._database.read(queue.next_run_at, after_ms=now_ms)
        return None if due_ms is None else max(0.0, (due_ms - now_ms) / 1000)

    def _claim_behind(self, ready: list[Ready], free: int) -> None:
        kinds = [one.kind for one in ready if one.kind not in _ELSEWHERE]
        if len(kinds) > 1 and self._since_fair >= FAIR_EVERY:
            self._since_fair = 0
            free -= self._claim(1, kinds=[next(kind for kind in self._turns if kind in kinds)])
        if kinds and free > 0:
            self._since_fair += self._claim(free, kinds=kinds)
        is_hurried = any(one.job.kind not in (*UNHURRIED, *INSIDE, *APART) for one in self._running.values())
        if not is_hurried and any(one.kind in SLOW for one in ready):
            self._claim(1, kinds=SLOW)

    def _claim(self, limit: int, *, kinds: Sequence[JobKind], lane: _Lane = _Lane.NORMAL) -> int:
        if limit <= 0:
            return 0
        claimed = self._database.write_bulk(
            queue.claim,
            boot=self._database.boot_id,
            limit=limit,
            kinds=kinds,
            at_least=JobPriority.IN_VIEW if lane is _Lane.IN_VIEW else JobPriority.IDLE,
            now_ms=self._now_ms(),
        )
        for job in claimed:
            self._start(job, lane)
        return len(claimed)

    def _count(self, lane: _Lane) -> int:
        return sum(1 for one in self._running.values() if one.lane is lane)

    def _start(self, job: Job, lane: _Lane) -> None:
        running = self._running[job.id, job.token] = _Running(job, lane)
        try:
            task = self._database.read(KINDS[job.kind].prepare, job.payload)
        except MystiCanvasError as error:
            self._inbox.put(Failed(job, str(error), crashed=False))
            return
        if task is None:
            self._inbox.put(Finished(job, None))
            return
        running.answer = self._submit(job.kind, task, urgent=lane is _Lane.IN_VIEW)
        running.answer.add_done_callback(lambda done: self._on_answer(job, done))

    def _submit(self, kind: JobKind, task: Task | RescanRoot, *, urgent: bool) -> Future[Answer]:
        if isinstance(task, RescanRoot):
            assert self._rescan is not None, "nobody claims a scan where none can be made"
            return self._rescan(task)
        executor = self._apart if kind in APART else self._slow_executor if kind in SLOW else self._executor
        assert executor is not None, "nobody claims a job that has no worker"
        return executor.submit(task, urgent=urgent)

    def _on_answer(self, job: Job, future: Future[Answer]) -> None:
        try:
            self._inbox.put(Finished(job, future.result()))
        except CancelledError:
            # The job was cancelled, or who does it is closing: then the claim is given back, which burns no attempt.
            return
        except NobodyDidItError:
            self._inbox.put(GivenBack(job))
        except WorkerCrashedError as error:
            self._inbox.put(Failed(job, f"{error}\n{error.stderr_tail}".strip(), crashed=True))
        except TaskError as error:
            self._inbox.put(Failed(job, str(error), crashed=isinstance(error, TaskTimedOutError)))

    def _break_off(self, cancelled: Sequence[int]) -> None:
        """Their results would not be believed; the workers that are at them are stopped."""
        for key in [key for key in self._running if key[0] in cancelled]:
            running = self._running.pop(key)
            if running.answer is not None:
                running.answer.cancel()

    def _prune(self) -> None:
        now_s = time.monotonic()
        if self._since_pruned < PRUNE_EVERY_JOBS and now_s - self._pruned_s < PRUNE_EVERY_S:
            return
        self._since_pruned, self._pruned_s = 0, now_s
        control.prune(self._database, now_ms=self._now_ms())

    # -- committing ---------------------------------------------------------------------------

    def _outcomes(self, wait_s: float | None) -> list[Outcome]:
        """What has arrived: at least one message is waited for, then whatever is there."""
        outcomes: list[Outcome] = []
        try:
            message = self._inbox.get(timeout=wait_s)
            while True:
                if isinstance(message, _BrokenOff):
                    self._break_off(message.jobs)
                elif message is not None:
                    outcomes.append(message)
                if len(outcomes) >= BATCH_RESULTS:
                    return outcomes
                message = self._inbox.get_nowait()
        except Empty:
            return outcomes

    def _commit(self, outcomes: list[Outcome]) -> None:
        """Raises `LibraryError` when nothing can be stored for now; then nothing is lost."""
        kept = [self._with_files(outcome) for outcome in outcomes]
        try:
            self._database.write_bulk(apply_all, kept, now_ms=self._now_ms())
        except MystiCanvasError:
            raise
        except Exception:
            log.exception("a batch of results was refused; applying them one by one")
            self._commit_singly(kept)
        for outcome in outcomes:
            self._running.pop((outcome.job.id, outcome.job.token), None)
            if not isinstance(outcome, GivenBack):
                self._progress.note(outcome.job.kind)
        self._since_pruned += len(outcomes)

    def _commit_singly(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            try:
                self._database.write_bulk(apply_all, [outcome], now_ms=self._now_ms())
            except Exception as error:
                log.exception("a result was refused", extra={"job": outcome.job.id})
                failed = Failed(outcome.job, f"Its result could not be stored: {error}", crashed=False)
                self._database.write_bulk(apply_all, [failed], now_ms=self._now_ms())

    def _with_files(self, outcome: Outcome) -> Outcome:
        """Thumbnails are on disk before a row says so. Raises `LibraryError` when the disk is full."""
        if isinstance(outcome, Finished) and isinstance(outcome.answer, ThumbsMade):
            try:
                self._cache.keep(outcome.answer)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise LibraryError("The disk is full: thumbnails wait for room.") from error
                return Failed(outcome.job, f"The thumbnail could not be written: {error}", crashed=False)
        return outcome
