"""Runs tasks on the machines of a cluster, in the same supervised worker processes as locally.

A file that crashes its reader crashes one of these processes, never the Dask worker. Messages are bytes and plain
values (`protocol.py`), so a Dask worker only needs this package.
"""

import io
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from mysticanvas import __version__
from mysticanvas.domain.errors import TaskError, TaskTimedOutError, WorkerCrashedError
from mysticanvas.domain.task import Task, Travel
from mysticanvas.worker.pool import WorkerPool
from mysticanvas.worker.protocol import decode_task, encode_answer, read_frame

ANSWERED, FAILED, TIMED_OUT, CRASHED = "answered", "failed", "timed out", "crashed"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one task on one machine."""

    memory_bytes: int
    task_limit_s: float


def run_frame(
    version: str, frame: bytes, content: bytes | None, mtime_ns: int, memory_bytes: int, task_limit_s: float
) -> tuple[str, bytes, str]:
    """Run the task in a frame: (outcome, frame of the result, error message with the end of the worker's stderr).

    `content` is the content of the task's file, if this machine has no access to it; `mtime_ns` is its time.
    """
    if version != __version__:
        sentence = (
            f"The cluster runs MystiCanvas {__version__}, but this machine runs {version}. "
            "Use the same version on both."
        )
        return FAILED, b"", sentence
    sent = read_frame(io.BytesIO(frame))
    if sent is None:
        return FAILED, b"", "The cluster received an empty task."
    try:
        with _provide_file(decode_task(sent), content, mtime_ns) as task:
            answer = _get_pool(Limits(memory_bytes, task_limit_s)).submit(task).result()
        return ANSWERED, encode_answer(sent.id, answer), ""
    except TaskTimedOutError as error:
        return TIMED_OUT, b"", str(error)
    except WorkerCrashedError as error:
        return CRASHED, b"", f"{error}\n{error.stderr_tail}"
    except TaskError as error:
        return FAILED, b"", str(error)


@contextmanager
def _provide_file(task: Task, content: bytes | None, mtime_ns: int) -> Iterator[Task]:
    """The task, over a file of this machine for as long as it takes."""
    if content is None or task.travel is not Travel.WITH_FILE:
        yield task
        return
    file_task: Any = task
    with tempfile.TemporaryDirectory(prefix="mysticanvas-") as folder:
        root = os.fsencode(folder)
        parts = file_task.path_bytes.split(b"/")
        if any(part in (b"", b".", b"..") for part in parts):
            raise TaskError("The path is outside its folder.")
        os.makedirs(os.path.join(root, *parts[:-1]), exist_ok=True)
        path = os.path.join(root, *parts)
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, ns=(mtime_ns, mtime_ns))
        yield replace(file_task, root=root)


_pools: dict[Limits, WorkerPool] = {}
_pools_lock = threading.Lock()


def _get_pool(limits: Limits) -> WorkerPool:
    """The pool for these limits, which lives as long as this process."""
    with _pools_lock:
        pool = _pools.get(limits)
        if pool is None:
            pool = WorkerPool(_count_threads(), memory_bytes=limits.memory_bytes, task_limit_s=limits.task_limit_s)
            _pools[limits] = pool.__enter__()
    return pool


def _count_threads() -> int:
    """The number of tasks that Dask runs on this machine at a time."""
    from distributed import get_worker

    return max(1, int(get_worker().state.nthreads))
