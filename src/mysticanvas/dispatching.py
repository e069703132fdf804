"""The dispatcher: claims jobs, hands their tasks to workers, commits their results.

One thread. It sleeps until a commit brings new jobs, a worker answers, or a retry falls due (J13).
"""

import errno
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from mysticanvas.domain.errors import LibraryError, MystiCanvasError, TaskError, TaskTimedOutError, WorkerCrashedError
from mysticanvas.domain.job import Job, JobKind
from mysticanvas.domain.task import Answer, Executor, ThumbsMade
from mysticanvas.library.jobs.kinds import KINDS, SLOW
from mysticanvas.library.thumb_cache import ThumbCache
from mysticanvas.store import jobs
from mysticanvas.store.database import ChangeSet, Database, WriteTx

log = logging.getLogger(__name__)

# Results are committed together, but a result that is alone does not wait.
BATCH_RESULTS = 64
# How long to leave the database alone after it refused a claim (disk full, busy).
PAUSE_AFTER_ERROR_S = 5.0


@dataclass(frozen=True, slots=True)
class _Finished:
    job: Job
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class _Failed:
    job: Job
    error: str
    crashed: bool


_Result = _Finished | _Failed


class Dispatcher:
    """Runs while the context is open; closing it gives claimed jobs back without an attempt."""

    def __init__(
        self,
        database: Database,
        executor: Executor,
        cache: ThumbCache,
        *,
        slow_executor: Executor,
        in_flight: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._executor = executor
        self._slow_executor = slow_executor
        self._cache = cache
        self._limit = in_flight
        self._now_ms = now_ms
        self._running: dict[int, Job] = {}
        self._inbox: SimpleQueue[_Result | None] = SimpleQueue()
        self._closing = False
        self._thread = Thread(target=self._work, name="dispatcher")

    def __enter__(self) -> "Dispatcher":
        self._database.write_bulk(jobs.take_back, boot=self._database.boot_id, now_ms=self._now_ms())
        self._database.after_commit(self._on_commit)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._inbox.put(None)
        self._thread.join()
        self._database.write_bulk(
            jobs.give_back,
            claims=[(job.id, job.token) for job in self._running.values()],
            now_ms=self._now_ms(),
        )

    def _on_commit(self, changes: ChangeSet) -> None:
        if changes.jobs:
            self._inbox.put(None)

    def _work(self) -> None:
        results: list[_Result] = []
        while not self._closing:
            try:
                if results:
                    self._commit(results)
                    results = []
                self._claim()
                wait_s = self._until_next_retry()
            except MystiCanvasError as error:
                # Full disk or the like: results are kept, and no work is claimed until they are stored (J13).
                log.warning("jobs wait for the database", extra={"reason": str(error)})
                wait_s = PAUSE_AFTER_ERROR_S
            results += self._results(wait_s)

    # -- claiming -----------------------------------------------------------------------------

    def _claim(self) -> None:
        free = self._limit - len(self._running)
        if free <= 0 or not self._database.read(jobs.any_ready, now_ms=self._now_ms()):
            return
        claimed = self._claim_some(free, leave=SLOW)
        if not claimed and not self._running:
            claimed = self._claim_some(1, leave=())
        for job in claimed:
            self._running[job.id] = job
            self._start(job)

    def _claim_some(self, limit: int, *, leave: Sequence[JobKind]) -> list[Job]:
        return self._database.write_bulk(
            jobs.claim, boot=self._database.boot_id, limit=limit, leave=leave, now_ms=self._now_ms()
        )

    def _start(self, job: Job) -> None:
        try:
            task = self._database.read(KINDS[job.kind].prepare, job.payload)
        except MystiCanvasError as error:
            self._inbox.put(_Failed(job, str(error), crashed=False))
            return
        if task is None:
            self._inbox.put(_Finished(job, None))
            return
        executor = self._slow_executor if job.kind in SLOW else self._executor
        future = executor.submit(task)
        future.add_done_callback(lambda done: self._on_answer(job, done))

    def _on_answer(self, job: Job, future: Future[Answer]) -> None:
        try:
            self._inbox.put(_Finished(job, future.result()))
        except CancelledError:
            # The pool is closing; the claim is given back, which burns no attempt.
            return
        except WorkerCrashedError as error:
            self._inbox.put(_Failed(job, f"{error}\n{error.stderr_tail}".strip(), crashed=True))
        except TaskError as error:
            self._inbox.put(_Failed(job, str(error), crashed=isinstance(error, TaskTimedOutError)))

    def _until_next_retry(self) -> float | None:
        due_ms = self._database.read(jobs.next_run_at)
        return None if due_ms is None else max(0.0, (due_ms - self._now_ms()) / 1000)

    # -- committing ---------------------------------------------------------------------------

    def _results(self, wait_s: float | None) -> list[_Result]:
        """What has arrived: at least one message is waited for, then whatever is there."""
        results: list[_Result] = []
        try:
            message = self._inbox.get(timeout=wait_s)
            while True:
                if message is not None:
                    results.append(message)
                if len(results) >= BATCH_RESULTS:
                    return results
                message = self._inbox.get_nowait()
        except Empty:
            return results

    def _commit(self, results: list[_Result]) -> None:
        """Raises `LibraryError` when nothing can be stored for now; then nothing is lost."""
        kept = [self._with_files(result) for result in results]
        try:
            self._database.write_bulk(_apply_all, kept, now_ms=self._now_ms())
        except MystiCanvasError:
            raise
        except Exception:
            log.exception("a batch of results was refused; applying them one by one")
            self._commit_singly(kept)
        for result in results:
            self._running.pop(result.job.id, None)

    def _commit_singly(self, results: list[_Result]) -> None:
        for result in results:
            try:
                self._database.write_bulk(_apply_all, [result], now_ms=self._now_ms())
            except Exception as error:
                log.exception("a result was refused", extra={"job": result.job.id})
                failed = _Failed(result.job, f"Its result could not be stored: {error}", crashed=False)
                self._database.write_bulk(_apply_all, [failed], now_ms=self._now_ms())

    def _with_files(self, result: _Result) -> _Result:
        """Thumbnails are on disk before a row says so. Raises `LibraryError` when the disk is full."""
        if isinstance(result, _Finished) and isinstance(result.answer, ThumbsMade):
            try:
                self._cache.keep(result.answer)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise LibraryError("The disk is full: thumbnails wait for room.") from error
                return _Failed(result.job, f"The thumbnail could not be written: {error}", crashed=False)
        return result


def _apply_all(tx: WriteTx, results: list[_Result], *, now_ms: int) -> None:
    for result in results:
        if (
            isinstance(result, _Failed)
            and result.crashed
            and (parts := KINDS[result.job.kind].split(result.job.payload))
        ):
            jobs.replace(tx, result.job, parts, now_ms=now_ms)
        elif isinstance(result, _Failed):
            jobs.fail(tx, result.job, error=result.error, crashed=result.crashed, now_ms=now_ms)
        elif jobs.finish(tx, result.job, now_ms=now_ms) and result.answer is not None:
            # Only a claim that is still ours may change anything.
            KINDS[result.job.kind].apply(tx, result.job.payload, result.answer)
