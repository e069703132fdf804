"""The parent side of the workers: processes that are fed, watched, killed and replaced.

Tasks are sent ahead, so that a worker never waits for its next one; it does them in order. When one
dies, the task it was at is to blame; the others are given to the next worker (J6). One that is at a
task whose future is cancelled is killed, too (J10). One process more
than asked for takes urgent tasks only: a person's scan never waits behind a hundred thumbnails (J9).
"""

import contextlib
import io
import itertools
import logging
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import BinaryIO

from mysticanvas.domain.errors import TaskError, TaskFailedError, TaskTimedOutError, WorkerCrashedError
from mysticanvas.domain.task import Answer, Task
from mysticanvas.worker.protocol import BrokenPipeFrameError, answer_of, read_frame, task_frame

log = logging.getLogger(__name__)

TASKS_AHEAD = 2
STDERR_KEPT_BYTES = 4_000
# A worker that cannot even start must not be started in a tight loop.
LONGEST_RESTART_WAIT_S = 10.0
WATCH_EVERY_S = 0.5


@dataclass(slots=True)
class _Sent:
    number: int
    task: Task
    urgent: bool
    done: Future[Answer]


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    urgent_only: bool
    sent: deque[_Sent] = field(default_factory=deque)
    outbox: SimpleQueue[bytes | None] = field(default_factory=SimpleQueue)
    busy_since_s: float = 0.0
    timed_out: bool = False
    broken_off: bool = False
    stderr: deque[bytes] = field(default_factory=lambda: deque(maxlen=60))


class WorkerPool:
    """`size` processes for everything and one for what is urgent, with a memory and a time limit
    each; an `Executor`. A context manager.

    `when_needed`: the processes start with the first task, not with the pool.
    """

    def __init__(self, size: int, *, memory_bytes: int, task_limit_s: float, when_needed: bool = False) -> None:
        self._memory_bytes = memory_bytes
        self._task_limit_s = task_limit_s
        self._waiting: deque[_Sent] = deque()
        self._urgent: deque[_Sent] = deque()
        self._state = threading.Condition()
        self._closing = False
        self._needed = not when_needed
        # Set while there is a task whose time is to be watched; the watch sleeps otherwise.
        self._busy = threading.Event()
        self._closed = threading.Event()
        self._numbers = itertools.count()
        self._workers: list[_Worker | None] = [None] * (size + 1)
        self._threads = [
            *(threading.Thread(target=self._keep, args=(i,), name=f"worker-{i}", daemon=True) for i in range(size + 1)),
            threading.Thread(target=self._watch_times, name="worker-watch", daemon=True),
        ]

    def __enter__(self) -> "WorkerPool":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._state:
            self._closing = True
            for queue in (self._urgent, self._waiting):
                for sent in queue:
                    sent.done.cancel()
                queue.clear()
            for worker in self._workers:
                if worker is not None:
                    worker.process.kill()
            self._state.notify_all()
        self._closed.set()
        self._busy.set()
        for thread in self._threads:
            thread.join()

    def submit(self, task: Task, *, urgent: bool = False) -> Future[Answer]:
        """The future fails with a `TaskError`, or is cancelled when the pool closes. What is `urgent`
        goes ahead of what is not."""
        sent = _Sent(next(self._numbers), task, urgent, Future())
        sent.done.add_done_callback(self._on_done)
        with self._state:
            if self._closing:
                sent.done.cancel()
            else:
                (self._urgent if urgent else self._waiting).append(sent)
            self._feed()
            if not self._needed:
                self._needed = True
                self._state.notify_all()
        return sent.done

    @property
    def process_ids(self) -> list[int]:
        """Of the workers that are alive."""
        with self._state:
            return [w.process.pid for w in self._workers if w is not None and w.process.poll() is None]

    def _on_done(self, done: Future[Answer]) -> None:
        if not done.cancelled():
            return
        with self._state:
            for worker in self._workers:
                if worker is not None and worker.sent and worker.sent[0].done is done:
                    self._break_off(worker)

    def _break_off(self, worker: _Worker) -> None:
        """Nobody wants what the worker is at; the state's lock is held."""
        worker.broken_off = True
        worker.process.kill()

    # -- feeding ------------------------------------------------------------------------------

    def _feed(self) -> None:
        """Send waiting tasks to the worker with the fewest; the state's lock is held."""
        alive = [worker for worker in self._workers if worker is not None]
        self._feed_from(self._urgent, alive)
        self._feed_from(self._waiting, [worker for worker in alive if not worker.urgent_only])

    def _feed_from(self, queue: deque[_Sent], workers: list[_Worker]) -> None:
        while queue and workers:
            worker = min(workers, key=lambda w: len(w.sent))
            if len(worker.sent) >= TASKS_AHEAD:
                return
            sent = queue.popleft()
            if sent.done.cancelled():
                continue
            if not worker.sent:
                worker.busy_since_s = time.monotonic()
                self._busy.set()
            worker.sent.append(sent)
            worker.outbox.put(task_frame(sent.number, sent.task))

    # -- one thread a worker ------------------------------------------------------------------

    def _keep(self, index: int) -> None:
        with self._state:
            self._state.wait_for(lambda: self._needed or self._closing)
        wait_s = 0.0
        while not self._is_closing():
            urgent_only = index == 0
            worker = _Worker(self._start(in_background=not urgent_only), urgent_only)
            beside = [
                threading.Thread(target=_drain, args=(worker,), name=f"worker-{index}-errors", daemon=True),
                threading.Thread(target=_post, args=(worker,), name=f"worker-{index}-tasks", daemon=True),
            ]
            for thread in beside:
                thread.start()
            with self._state:
                self._workers[index] = worker
                if self._closing:
                    worker.process.kill()
                self._feed()
            answered = self._listen(worker)
            worker.process.kill()
            worker.process.wait()
            worker.outbox.put(None)
            for thread in beside:
                thread.join()
            with self._state:
                self._workers[index] = None
                self._bury(worker)
            expected = answered or worker.timed_out or worker.broken_off
            wait_s = 0.0 if expected else min(LONGEST_RESTART_WAIT_S, wait_s * 2 + 0.1)
            with self._state:
                self._state.wait_for(lambda: self._closing, wait_s)

    def _is_closing(self) -> bool:
        return self._closing

    def _start(self, *, in_background: bool) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "mysticanvas.worker.main", str(self._memory_bytes), str(int(in_background))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0) if in_background else 0,
        )

    def _listen(self, worker: _Worker) -> int:
        """Settle futures until the worker is gone; how many it answered."""
        assert worker.process.stdout is not None
        answers = io.BufferedReader(worker.process.stdout)  # type: ignore[type-var]
        answered = 0
        with contextlib.suppress(BrokenPipeFrameError, OSError):
            while (frame := read_frame(answers)) is not None:
                with self._state:
                    if not worker.sent or worker.sent[0].number != frame.id:
                        break
                    sent = worker.sent.popleft()
                    worker.busy_since_s = time.monotonic()
                    if worker.sent and worker.sent[0].done.cancelled():
                        self._break_off(worker)
                    self._feed()
                answered += 1
                _settle(sent.done, answer_of(frame, type(sent.task)))
        return answered

    def _bury(self, worker: _Worker) -> None:
        """Blame the task at the head, keep the others; the state's lock is held."""
        if self._closing:
            for sent in worker.sent:
                sent.done.cancel()
            return
        if not worker.sent:
            return
        # One that was stopped on purpose may have been at the next task by then, which is not to blame.
        blamed = None if worker.broken_off else worker.sent.popleft()
        for sent in reversed(worker.sent):
            (self._urgent if sent.urgent else self._waiting).appendleft(sent)
        if blamed is None:
            return
        tail = b"".join(worker.stderr)[-STDERR_KEPT_BYTES:].decode("utf-8", "replace")
        log.warning("a worker died", extra={"code": worker.process.returncode, "timed_out": worker.timed_out})
        error: TaskError
        if worker.timed_out:
            error = TaskTimedOutError(f"Reading this file took longer than {self._task_limit_s:.0f} s.")
        else:
            error = WorkerCrashedError(
                f"Reading this file crashed the reader (exit code {worker.process.returncode}).", tail
            )
        with contextlib.suppress(InvalidStateError):
            blamed.done.set_exception(error)

    # -- the clock ----------------------------------------------------------------------------

    def _watch_times(self) -> None:
        while not self._closed.is_set():
            self._busy.wait()
            with self._state:
                overdue_s = time.monotonic() - self._task_limit_s
                working = [worker for worker in self._workers if worker is not None and worker.sent]
                for worker in working:
                    if worker.busy_since_s < overdue_s:
                        worker.timed_out = True
                        worker.process.kill()
                if not working and not self._closing:
                    self._busy.clear()
            self._closed.wait(WATCH_EVERY_S)


def _settle(done: Future[Answer], answer: Answer | str) -> None:
    with contextlib.suppress(InvalidStateError):
        if isinstance(answer, str):
            done.set_exception(TaskFailedError(answer))
        else:
            done.set_result(answer)


def _stdin(worker: _Worker) -> BinaryIO:
    assert worker.process.stdin is not None
    return worker.process.stdin  # type: ignore[return-value]


def _post(worker: _Worker) -> None:
    """Send what is in the outbox. A pipe holds some 64 kB: whoever waited for room in it with the pool's lock
    would keep the answers from being read for which the worker waits."""
    pipe = _stdin(worker)
    # A dead worker's thread notices and gives its tasks to the next.
    with contextlib.suppress(OSError):
        while (frame := worker.outbox.get()) is not None:
            rest = memoryview(frame)
            while rest:
                rest = rest[pipe.write(rest) :]


def _drain(worker: _Worker) -> None:
    assert worker.process.stderr is not None
    while block := worker.process.stderr.read(4096):
        worker.stderr.append(block)
