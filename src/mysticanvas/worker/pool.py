"""The pool of worker processes: starts them, sends tasks, and replaces processes that crash or exceed limits.

Tasks are sent ahead, so that a worker never waits for the next one; it runs them in order. When a worker dies, the
task it was running fails and its other tasks go to another worker. A worker whose running task is cancelled is
killed. One additional process only runs urgent tasks, so that a user's scan never waits for thumbnails.
See docs/adr/0003-workers-are-pure.md.
"""

import contextlib
import io
import itertools
import logging
import os
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
from mysticanvas.worker import memory
from mysticanvas.worker.isolation import module_command, safe_environment, safe_folder
from mysticanvas.worker.protocol import BrokenFrameError, decode_answer, encode_task, read_frame

log = logging.getLogger(__name__)

MAX_TASKS_PER_WORKER = 2
MAX_STDERR_BYTES = 4_000
# Prevents a tight loop when workers crash at startup.
MAX_RESTART_WAIT_S = 10.0
# Short, because a process can fill gigabytes within a second.
WATCH_INTERVAL_S = 0.1


@dataclass(slots=True)
class _SentTask:
    number: int
    task: Task
    urgent: bool
    done: Future[Answer]


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    urgent_only: bool
    sent: deque[_SentTask] = field(default_factory=deque)
    outbox: SimpleQueue[bytes | None] = field(default_factory=SimpleQueue)
    busy_since_s: float = 0.0
    timed_out: bool = False
    cancelled: bool = False
    oversized: bool = False
    stderr: deque[bytes] = field(default_factory=lambda: deque(maxlen=60))


class WorkerPool:
    """An `Executor` and a context manager: `size` processes for all tasks and one for urgent tasks.

    Limits apply to each process. `when_needed`: start the processes with the first task instead of with the pool.
    """

    def __init__(self, size: int, *, memory_bytes: int, task_limit_s: float, when_needed: bool = False) -> None:
        self._memory_bytes = memory_bytes
        self._task_limit_s = task_limit_s
        self._waiting: deque[_SentTask] = deque()
        self._urgent: deque[_SentTask] = deque()
        self._state = threading.Condition()
        self._closing = False
        self._is_started = not when_needed
        # Set while tasks are running, so that the watch thread sleeps otherwise.
        self._busy = threading.Event()
        self._closed = threading.Event()
        self._numbers = itertools.count()
        self._workers: list[_Worker | None] = [None] * (size + 1)
        self._threads = [
            *(
                threading.Thread(target=self._supervise, args=(i,), name=f"worker-{i}", daemon=True)
                for i in range(size + 1)
            ),
            threading.Thread(target=self._watch_limits, name="worker-watch", daemon=True),
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
        """Queue a task. `urgent` tasks run before others.

        The future fails with a `TaskError`, or is cancelled when the pool closes.
        """
        sent = _SentTask(next(self._numbers), task, urgent, Future())
        sent.done.add_done_callback(self._on_done)
        with self._state:
            if self._closing:
                sent.done.cancel()
            else:
                (self._urgent if urgent else self._waiting).append(sent)
            self._feed()
            if not self._is_started:
                self._is_started = True
                self._state.notify_all()
        return sent.done

    @property
    def process_ids(self) -> list[int]:
        """Process ids of the running workers."""
        with self._state:
            return [w.process.pid for w in self._workers if w is not None and w.process.poll() is None]

    def _on_done(self, done: Future[Answer]) -> None:
        if not done.cancelled():
            return
        with self._state:
            for worker in self._workers:
                if worker is not None and worker.sent and worker.sent[0].done is done:
                    self._kill_cancelled(worker)

    def _kill_cancelled(self, worker: _Worker) -> None:
        """Kill a worker because its running task was cancelled. The caller holds the lock."""
        worker.cancelled = True
        worker.process.kill()

    # -- feeding ------------------------------------------------------------------------------

    def _feed(self) -> None:
        """Send waiting tasks to the workers with the fewest tasks. The caller holds the lock."""
        alive = [worker for worker in self._workers if worker is not None]
        self._feed_from(self._urgent, alive)
        self._feed_from(self._waiting, [worker for worker in alive if not worker.urgent_only])

    def _feed_from(self, queue: deque[_SentTask], workers: list[_Worker]) -> None:
        while queue and workers:
            worker = min(workers, key=lambda w: len(w.sent))
            if len(worker.sent) >= MAX_TASKS_PER_WORKER:
                return
            sent = queue.popleft()
            if sent.done.cancelled():
                continue
            if not worker.sent:
                worker.busy_since_s = time.monotonic()
                self._busy.set()
            worker.sent.append(sent)
            worker.outbox.put(encode_task(sent.number, sent.task))

    # -- one thread per worker ----------------------------------------------------------------

    def _supervise(self, index: int) -> None:
        with self._state:
            self._state.wait_for(lambda: self._is_started or self._closing)
        wait_s = 0.0
        while not self._is_closing():
            urgent_only = index == 0
            worker = _Worker(self._start(in_background=not urgent_only), urgent_only)
            beside = [
                threading.Thread(target=_read_stderr, args=(worker,), name=f"worker-{index}-errors", daemon=True),
                threading.Thread(target=_send_frames, args=(worker,), name=f"worker-{index}-tasks", daemon=True),
            ]
            for thread in beside:
                thread.start()
            with self._state:
                self._workers[index] = worker
                if self._closing:
                    worker.process.kill()
                self._feed()
            answered = self._read_results(worker)
            worker.process.kill()
            worker.process.wait()
            worker.outbox.put(None)
            for thread in beside:
                thread.join()
            with self._state:
                self._workers[index] = None
                self._handle_exit(worker)
            expected = answered or worker.timed_out or worker.oversized or worker.cancelled
            wait_s = 0.0 if expected else min(MAX_RESTART_WAIT_S, wait_s * 2 + 0.1)
            with self._state:
                self._state.wait_for(lambda: self._closing, wait_s)

    def _is_closing(self) -> bool:
        return self._closing

    def _start(self, *, in_background: bool) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            module_command("mysticanvas.worker.main", str(self._memory_bytes), str(int(in_background))),
            cwd=safe_folder(),
            env=safe_environment(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=sys.platform != "win32",
            creationflags=_creation_flags(in_background=in_background),
        )

    def _read_results(self, worker: _Worker) -> int:
        """Resolve futures until the worker exits; returns the number of results."""
        assert worker.process.stdout is not None
        answers = io.BufferedReader(worker.process.stdout)  # type: ignore[type-var]
        answered = 0
        with contextlib.suppress(BrokenFrameError, OSError):
            while (frame := read_frame(answers)) is not None:
                with self._state:
                    if not worker.sent or worker.sent[0].number != frame.id:
                        break
                    sent = worker.sent.popleft()
                    worker.busy_since_s = time.monotonic()
                    if worker.sent and worker.sent[0].done.cancelled():
                        self._kill_cancelled(worker)
                    self._feed()
                answered += 1
                _resolve_future(sent.done, decode_answer(frame, type(sent.task)))
        return answered

    def _handle_exit(self, worker: _Worker) -> None:
        """Fail the running task of a dead worker and queue its other tasks again. The caller holds the lock."""
        if self._closing:
            for sent in worker.sent:
                sent.done.cancel()
            return
        if not worker.sent:
            return
        # A worker killed for a cancellation may already have started the next task, which must not fail.
        blamed = None if worker.cancelled else worker.sent.popleft()
        for sent in reversed(worker.sent):
            (self._urgent if sent.urgent else self._waiting).appendleft(sent)
        if blamed is None:
            return
        tail = b"".join(worker.stderr)[-MAX_STDERR_BYTES:].decode("utf-8", "replace")
        log.warning("worker process died", extra={"code": worker.process.returncode, "timed_out": worker.timed_out})
        error: TaskError
        if worker.oversized:
            error = TaskFailedError(memory.MESSAGE)
        elif worker.timed_out:
            error = TaskTimedOutError(f"Processing exceeded the time limit of {self._task_limit_s:.0f} s.")
        else:
            error = WorkerCrashedError(
                f"The worker crashed during processing (exit code {worker.process.returncode}).", tail
            )
        with contextlib.suppress(InvalidStateError):
            blamed.done.set_exception(error)

    # -- limits -------------------------------------------------------------------------------

    def _watch_limits(self) -> None:
        while not self._closed.is_set():
            self._busy.wait()
            with self._state:
                overdue_s = time.monotonic() - self._task_limit_s
                working = [worker for worker in self._workers if worker is not None and worker.sent]
                for worker in working:
                    worker.timed_out |= worker.busy_since_s < overdue_s
                    worker.oversized |= memory.is_oversized(worker.process.pid, self._memory_bytes)
                    if worker.timed_out or worker.oversized:
                        worker.process.kill()
                if not working and not self._closing:
                    self._busy.clear()
            self._closed.wait(WATCH_INTERVAL_S)


def _creation_flags(*, in_background: bool) -> int:
    """On Windows, a worker without a console is not killed when the console is closed. None elsewhere."""
    priority = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0) if in_background else 0
    return int(priority | getattr(subprocess, "CREATE_NO_WINDOW", 0))


def _resolve_future(done: Future[Answer], answer: Answer | str) -> None:
    with contextlib.suppress(InvalidStateError):
        if isinstance(answer, str):
            done.set_exception(TaskFailedError(answer))
        else:
            done.set_result(answer)


def _get_stdin(worker: _Worker) -> BinaryIO:
    assert worker.process.stdin is not None
    return worker.process.stdin  # type: ignore[return-value]


def _send_frames(worker: _Worker) -> None:
    """Send frames from the outbox until it contains None.

    This needs its own thread: a pipe holds about 64 kB, and blocking on it while holding the pool's lock would keep
    results from being read, for which the worker waits.
    """
    pipe = _get_stdin(worker)
    # The supervising thread detects a dead worker and queues its tasks again.
    with contextlib.suppress(OSError):
        while (frame := worker.outbox.get()) is not None:
            rest = memoryview(frame)
            while rest:
                rest = rest[pipe.write(rest) :]


def _read_stderr(worker: _Worker) -> None:
    assert worker.process.stderr is not None
    while block := worker.process.stderr.read(4096):
        worker.stderr.append(block)
