"""An executor that hands tasks to a Dask cluster; those that belong at home stay there.

A lost worker is Dask's to replace. A lost scheduler fails every task with `NobodyDidItError`: their jobs go
back to the queue unharmed, and a new connection is tried for as long as there is work.
"""

import io
import logging
import threading
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from mysticanvas import __version__
from mysticanvas.domain.errors import (
    InvalidInputError,
    NobodyDidItError,
    TaskError,
    TaskFailedError,
    TaskTimedOutError,
    UnreadableFileError,
    WorkerCrashedError,
)
from mysticanvas.domain.task import Answer, Executor, Task, Travel
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.worker import cluster_node
from mysticanvas.worker.protocol import MAX_FRAME_BYTES, answer_of, read_frame, task_frame

log = logging.getLogger(__name__)

SCHEMES = {"dask://": "tcp://", "dask+tls://": "tls://"}
CONNECT_LIMIT_S = 5.0
LOOK_EVERY_S = 0.5
FIRST_FETCH_LIMIT_S = 2.0
# Files are read and answers fetched by so many threads at a time.
THREADS = 8
# Enough that each of some dozens of workers always has a next task.
IN_FLIGHT = 256


class _TooLargeError(Exception):
    """A file that no message holds."""


def scheduler_address(executor: str) -> str:
    """`dask://HOST:PORT` as Dask spells it. Raises `InvalidInputError`, also without the extra."""
    scheme = next((ours for ours in SCHEMES if executor.startswith(ours)), "")
    place = executor.removeprefix(scheme)
    host, _, port = place.rpartition(":")
    if not (scheme and host and port.isdecimal()):
        raise InvalidInputError(f"An executor is local or dask://HOST:PORT; not “{executor}”.")
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise InvalidInputError("A cluster needs an extra: pip install 'mysticanvas[cluster]'") from error
    return SCHEMES[scheme] + place


class ClusterExecutor:
    """An `Executor` and a context manager. `local` does what is urgent and what belongs at home.
    `send_files`: the bytes of images travel with their tasks, for machines that do not see the folders."""

    def __init__(
        self, address: str, local: Executor, *, send_files: bool, memory_bytes: int, task_limit_s: float
    ) -> None:
        self._address = address
        self._local = local
        self._send_files = send_files
        self._limits = (memory_bytes, task_limit_s)
        self._client: Any = None
        # Ours to Dask's, for each task that is under way.
        self._under_way: dict[Future[Answer], Any] = {}
        self._state = threading.Condition()
        self._wanted = False
        self._closing = False
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="cluster")
        self._keeper = threading.Thread(target=self._keep_connected, name="cluster-keeper")

    def __enter__(self) -> "ClusterExecutor":
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._state:
            self._closing = True
            client, self._client = self._client, None
            left = list(self._under_way)
            self._state.notify_all()
        for answer in left:
            answer.cancel()
        _closed(client)
        self._keeper.join()
        self._threads.shutdown(cancel_futures=True)

    def submit(self, task: Task, *, urgent: bool = False) -> Future[Answer]:
        if urgent or task.travel is Travel.NEVER:
            return self._local.submit(task, urgent=urgent)
        answer: Future[Answer] = Future()
        answer.add_done_callback(self._forget)
        with self._state:
            client = self._client
            if client is None:
                self._wanted = True
                self._state.notify_all()
            else:
                self._under_way[answer] = None
        if client is None:
            answer.set_exception(NobodyDidItError(f"The cluster at {self._address} is not there."))
        else:
            self._threads.submit(self._send, client, task, answer)
        return answer

    # -- on the threads -----------------------------------------------------------------------

    def _send(self, client: Any, task: Task, answer: Future[Answer]) -> None:
        try:
            content, mtime_ns = self._content(task)
            frame = task_frame(0, task)
            theirs = client.submit(
                cluster_node.run_frame, __version__, frame, content, mtime_ns, *self._limits, pure=False, retries=0
            )
        except _TooLargeError:
            self._do_at_home(task, answer)
            return
        except UnreadableFileError as error:
            _settle(answer, TaskFailedError(str(error)))
            return
        except Exception as error:  # noqa: BLE001 - a cluster fails in ways of its own
            log.warning("a task could not be sent to the cluster", extra={"reason": str(error)})
            _settle(answer, NobodyDidItError(f"The cluster at {self._address} does not take work."))
            return
        with self._state:
            if answer in self._under_way:
                self._under_way[answer] = theirs
            self._state.notify_all()
        if answer.cancelled():
            theirs.cancel()
        theirs.add_done_callback(lambda done: self._threads.submit(self._fetch, task, done, answer))

    def _do_at_home(self, task: Task, answer: Future[Answer]) -> None:
        def settle(done: Future[Answer]) -> None:
            if done.cancelled():
                answer.cancel()
            else:
                _settle(answer, done.exception() or done.result())

        self._local.submit(task).add_done_callback(settle)

    def _content(self, task: Task) -> tuple[bytes | None, int]:
        if not self._send_files or task.travel is not Travel.WITH_FILE:
            return None, 0
        file_task: Any = task
        with open_beneath(file_task.root, file_task.path_bytes) as source:
            stat = source.stat()
            if stat.bytes > MAX_FRAME_BYTES:
                raise _TooLargeError
            return source.read(0, stat.bytes), stat.mtime_ns

    def _fetch(self, task: Task, theirs: Any, answer: Future[Answer]) -> None:
        if theirs.status not in ("finished", "error"):
            # Cancelled or lost: the keeper says so.
            return
        limit_s = FIRST_FETCH_LIMIT_S
        while not answer.done():
            try:
                _settle(answer, _outcome(type(task), *theirs.result(timeout=limit_s)))
            except TimeoutError:
                # The scheduler may be knocking at a worker that is gone, half a minute for each answer it held:
                # asked again, it says who has the answer now.
                limit_s *= 2
            except Exception as error:  # noqa: BLE001 - a cluster fails in ways of its own
                _settle(answer, self._blame(error))

    def _blame(self, error: Exception) -> TaskError:
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            return WorkerCrashedError("Several machines of the cluster died while they were at this file.")
        log.warning("an answer of the cluster is lost", extra={"reason": str(error)})
        return NobodyDidItError(f"The cluster at {self._address} lost the answer.")

    def _forget(self, answer: Future[Answer]) -> None:
        with self._state:
            theirs = self._under_way.pop(answer, None)
        if theirs is not None and answer.cancelled():
            with suppress(Exception):
                theirs.cancel()

    # -- the connection -----------------------------------------------------------------------

    def _keep_connected(self) -> None:
        """Connects when there is work, and looks after the connection while there is."""
        self._connect()
        while True:
            with self._state:
                self._state.wait_for(lambda: self._closing or self._wanted or bool(self._under_way))
                if self._closing:
                    return
                connected = self._client is not None
            if not connected:
                self._connect()
            self._give_up_lost()
            with self._state:
                self._state.wait_for(lambda: self._closing, LOOK_EVERY_S)

    def _connect(self) -> None:
        from distributed import Client

        try:
            client = Client(  # type: ignore[no-untyped-call]
                self._address, timeout=CONNECT_LIMIT_S, set_as_default=False, name="mysticanvas"
            )
        except Exception as error:  # noqa: BLE001 - a cluster fails in ways of its own
            log.warning("the cluster is not there", extra={"address": self._address, "reason": str(error)})
            return
        with self._state:
            self._wanted = False
            is_late = self._closing
            if not is_late:
                self._client = client
        if is_late:
            _closed(client)

    def _give_up_lost(self) -> None:
        """Dask keeps quiet about what a lost scheduler knew."""
        with self._state:
            client = self._client
            is_lost = client is not None and client.status != "running"
            if is_lost:
                self._client = None
            lost = [
                answer
                for answer, theirs in self._under_way.items()
                if is_lost or (theirs is not None and theirs.status in ("lost", "cancelled"))
            ]
        for answer in lost:
            _settle(answer, NobodyDidItError(f"The cluster at {self._address} went away."))
        if is_lost:
            log.warning("the cluster went away", extra={"address": self._address, "tasks": len(lost)})
            _closed(client)


def _outcome(task_type: type[Task], what: str, frame: bytes, sentence: str) -> Answer | TaskError:
    if what == cluster_node.CRASHED:
        said, _, tail = sentence.partition("\n")
        return WorkerCrashedError(said, tail)
    if what == cluster_node.TIMED_OUT:
        return TaskTimedOutError(sentence)
    if what == cluster_node.FAILED:
        return TaskFailedError(sentence)
    read = read_frame(io.BytesIO(frame))
    if read is None:
        return TaskFailedError("The cluster sent an empty answer.")
    answer = answer_of(read, task_type)
    return TaskFailedError(answer) if isinstance(answer, str) else answer


def _settle(answer: Future[Answer], outcome: Answer | BaseException) -> None:
    with suppress(InvalidStateError):
        if isinstance(outcome, BaseException):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)


def _closed(client: Any) -> None:
    if client is not None:
        with suppress(Exception):
            client.close(timeout=2)
