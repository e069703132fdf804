"""An executor that sends tasks to a Dask cluster. Tasks that need this machine run locally.

Dask replaces lost workers. When the scheduler is lost, every task fails with `NobodyDidItError`: the jobs go back to
the queue without counting as failed, and the executor reconnects as long as there are jobs.
"""

import io
import logging
import threading
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from mysticanvas import __version__
from mysticanvas.domain.errors import (
    ExecutorUnavailableError,
    InvalidInputError,
    TaskError,
    TaskFailedError,
    TaskTimedOutError,
    UnreadableFileError,
    WorkerCrashedError,
)
from mysticanvas.domain.task import Answer, Executor, Task, Travel
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.worker import cluster_node
from mysticanvas.worker.protocol import MAX_FRAME_BYTES, decode_answer, encode_task, read_frame

log = logging.getLogger(__name__)

SCHEMES = {"dask://": "tcp://", "dask+tls://": "tls://"}
CONNECT_LIMIT_S = 5.0
CHECK_INTERVAL_S = 0.5
FIRST_FETCH_LIMIT_S = 2.0
# Threads that read files and fetch results.
THREADS = 8
# Enough to keep dozens of workers busy.
MAX_IN_FLIGHT = 256


class _TooLargeError(Exception):
    """The file exceeds the size limit of a message."""


def parse_scheduler_address(executor: str) -> str:
    """Convert `dask://HOST:PORT` to a Dask address.

    Raises `InvalidInputError` when it is invalid or the extra `cluster` is not installed.
    """
    scheme = next((ours for ours in SCHEMES if executor.startswith(ours)), "")
    place = executor.removeprefix(scheme)
    host, _, port = place.rpartition(":")
    if not (scheme and host and port.isdecimal()):
        raise InvalidInputError(f"“{executor}” is not a valid executor. Use local or dask://HOST:PORT.")
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise InvalidInputError(
            "Clusters require additional packages. Run: pip install 'mysticanvas[cluster]'"
        ) from error
    return SCHEMES[scheme] + place


class ClusterExecutor:
    """An `Executor` and a context manager. `local` runs urgent tasks and tasks that need this machine.

    `send_files`: tasks include the content of their image, for clusters without access to the folders.
    """

    def __init__(
        self, address: str, local: Executor, *, send_files: bool, memory_bytes: int, task_limit_s: float
    ) -> None:
        self._address = address
        self._local = local
        self._send_files = send_files
        self._limits = (memory_bytes, task_limit_s)
        self._client: Any = None
        # Our future to Dask's future (None until sent), for each pending task.
        self._pending: dict[Future[Answer], Any] = {}
        self._state = threading.Condition()
        self._is_needed = False
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
            left = list(self._pending)
            self._state.notify_all()
        for answer in left:
            answer.cancel()
        _close_client(client)
        self._keeper.join()
        self._threads.shutdown(cancel_futures=True)

    def submit(self, task: Task, *, urgent: bool = False) -> Future[Answer]:
        if urgent or task.travel is Travel.NEVER:
            return self._local.submit(task, urgent=urgent)
        answer: Future[Answer] = Future()
        answer.add_done_callback(self._remove)
        with self._state:
            client = self._client
            if client is None:
                self._is_needed = True
                self._state.notify_all()
            else:
                self._pending[answer] = None
        if client is None:
            answer.set_exception(ExecutorUnavailableError(f"The cluster at {self._address} is not available."))
        else:
            self._threads.submit(self._send, client, task, answer)
        return answer

    # -- on the thread pool -------------------------------------------------------------------

    def _send(self, client: Any, task: Task, answer: Future[Answer]) -> None:
        try:
            content, mtime_ns = self._read_content(task)
            frame = encode_task(0, task)
            theirs = client.submit(
                cluster_node.run_frame, __version__, frame, content, mtime_ns, *self._limits, pure=False, retries=0
            )
        except _TooLargeError:
            self._run_locally(task, answer)
            return
        except UnreadableFileError as error:
            _resolve_future(answer, TaskFailedError(str(error)))
            return
        except Exception as error:  # noqa: BLE001 - Dask raises many kinds of errors
            log.warning("failed to send a task to the cluster", extra={"reason": str(error)})
            _resolve_future(answer, ExecutorUnavailableError(f"The cluster at {self._address} does not accept tasks."))
            return
        with self._state:
            if answer in self._pending:
                self._pending[answer] = theirs
            self._state.notify_all()
        if answer.cancelled():
            theirs.cancel()
        theirs.add_done_callback(lambda done: self._threads.submit(self._fetch_result, task, done, answer))

    def _run_locally(self, task: Task, answer: Future[Answer]) -> None:
        def settle(done: Future[Answer]) -> None:
            if done.cancelled():
                answer.cancel()
            else:
                _resolve_future(answer, done.exception() or done.result())

        self._local.submit(task).add_done_callback(settle)

    def _read_content(self, task: Task) -> tuple[bytes | None, int]:
        if not self._send_files or task.travel is not Travel.WITH_FILE:
            return None, 0
        file_task: Any = task
        with open_beneath(file_task.root, file_task.path_bytes) as source:
            stat = source.stat()
            if stat.bytes > MAX_FRAME_BYTES:
                raise _TooLargeError
            return source.read(0, stat.bytes), stat.mtime_ns

    def _fetch_result(self, task: Task, theirs: Any, answer: Future[Answer]) -> None:
        if theirs.status not in ("finished", "error"):
            # Cancelled or lost: the keeper thread handles it.
            return
        limit_s = FIRST_FETCH_LIMIT_S
        while not answer.done():
            try:
                _resolve_future(answer, _decode_outcome(type(task), *theirs.result(timeout=limit_s)))
            except TimeoutError:
                # The scheduler may wait half a minute for each result on a lost worker. A new request finds the worker
                # that has the result now.
                limit_s *= 2
            except Exception as error:  # noqa: BLE001 - Dask raises many kinds of errors
                _resolve_future(answer, self._convert_error(error))

    def _convert_error(self, error: Exception) -> TaskError:
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            return WorkerCrashedError("Several cluster workers crashed while processing this file.")
        log.warning("the cluster lost a result", extra={"reason": str(error)})
        return ExecutorUnavailableError(f"The cluster at {self._address} lost the result.")

    def _remove(self, answer: Future[Answer]) -> None:
        with self._state:
            theirs = self._pending.pop(answer, None)
        if theirs is not None and answer.cancelled():
            with suppress(Exception):
                theirs.cancel()

    # -- the connection -----------------------------------------------------------------------

    def _keep_connected(self) -> None:
        """Connect when there are tasks, and check the connection while there are."""
        self._connect()
        while True:
            with self._state:
                self._state.wait_for(lambda: self._closing or self._is_needed or bool(self._pending))
                if self._closing:
                    return
                connected = self._client is not None
            if not connected:
                self._connect()
            self._fail_lost_tasks()
            with self._state:
                self._state.wait_for(lambda: self._closing, CHECK_INTERVAL_S)

    def _connect(self) -> None:
        from distributed import Client

        try:
            client = Client(  # type: ignore[no-untyped-call]
                self._address, timeout=CONNECT_LIMIT_S, set_as_default=False, name="mysticanvas"
            )
        except Exception as error:  # noqa: BLE001 - Dask raises many kinds of errors
            log.warning("failed to connect to the cluster", extra={"address": self._address, "reason": str(error)})
            return
        with self._state:
            self._is_needed = False
            is_late = self._closing
            if not is_late:
                self._client = client
        if is_late:
            _close_client(client)

    def _fail_lost_tasks(self) -> None:
        """Fail lost tasks, because Dask does not report the tasks of a lost scheduler."""
        with self._state:
            client = self._client
            is_lost = client is not None and client.status != "running"
            if is_lost:
                self._client = None
            lost = [
                answer
                for answer, theirs in self._pending.items()
                if is_lost or (theirs is not None and theirs.status in ("lost", "cancelled"))
            ]
        for answer in lost:
            _resolve_future(
                answer, ExecutorUnavailableError(f"The connection to the cluster at {self._address} was lost.")
            )
        if is_lost:
            log.warning("lost the connection to the cluster", extra={"address": self._address, "tasks": len(lost)})
            _close_client(client)


def _decode_outcome(task_type: type[Task], what: str, frame: bytes, sentence: str) -> Answer | TaskError:
    if what == cluster_node.CRASHED:
        message, _, tail = sentence.partition("\n")
        return WorkerCrashedError(message, tail)
    if what == cluster_node.TIMED_OUT:
        return TaskTimedOutError(sentence)
    if what == cluster_node.FAILED:
        return TaskFailedError(sentence)
    read = read_frame(io.BytesIO(frame))
    if read is None:
        return TaskFailedError("The cluster sent an empty response.")
    answer = decode_answer(read, task_type)
    return TaskFailedError(answer) if isinstance(answer, str) else answer


def _resolve_future(answer: Future[Answer], outcome: Answer | BaseException) -> None:
    with suppress(InvalidStateError):
        if isinstance(outcome, BaseException):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)


def _close_client(client: Any) -> None:
    if client is not None:
        with suppress(Exception):
            client.close(timeout=2)
