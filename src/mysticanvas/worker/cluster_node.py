"""What runs on the machines of a cluster: a task in, an answer out, in the same supervised processes as at
home. A file that kills its reader kills one of those, never the cluster's own worker.

Everything travels as bytes and plain values (`protocol.py`); a Dask worker needs this package and no more.
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
from mysticanvas.worker.protocol import answer_frame, read_frame, task_of

ANSWERED, FAILED, TIMED_OUT, CRASHED = "answered", "failed", "timed out", "crashed"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one task on one machine."""

    memory_bytes: int
    task_limit_s: float


def run_frame(
    version: str, frame: bytes, content: bytes | None, mtime_ns: int, memory_bytes: int, task_limit_s: float
) -> tuple[str, bytes, str]:
    """Do the task of a frame: (what became of it, the frame of the answer, a sentence and what the reader
    said). `content` is the task's file, where that is not on this machine; it was last changed at `mtime_ns`.
    """
    if version != __version__:
        sentence = f"The cluster runs MystiCanvas {__version__}, this library {version}: they must be the same."
        return FAILED, b"", sentence
    sent = read_frame(io.BytesIO(frame))
    if sent is None:
        return FAILED, b"", "An empty task came to the cluster."
    try:
        with _at_hand(task_of(sent), content, mtime_ns) as task:
            answer = _pool(Limits(memory_bytes, task_limit_s)).submit(task).result()
        return ANSWERED, answer_frame(sent.id, answer), ""
    except TaskTimedOutError as error:
        return TIMED_OUT, b"", str(error)
    except WorkerCrashedError as error:
        return CRASHED, b"", f"{error}\n{error.stderr_tail}"
    except TaskError as error:
        return FAILED, b"", str(error)


@contextmanager
def _at_hand(task: Task, content: bytes | None, mtime_ns: int) -> Iterator[Task]:
    """The task, over a file of this machine for as long as it takes."""
    if content is None or task.travel is not Travel.WITH_FILE:
        yield task
        return
    file_task: Any = task
    with tempfile.TemporaryDirectory(prefix="mysticanvas-") as folder:
        root = os.fsencode(folder)
        parts = file_task.path_bytes.split(b"/")
        if any(part in (b"", b".", b"..") for part in parts):
            raise TaskError("The path leads out of its folder.")
        os.makedirs(os.path.join(root, *parts[:-1]), exist_ok=True)
        path = os.path.join(root, *parts)
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, ns=(mtime_ns, mtime_ns))
        yield replace(file_task, root=root)


_pools: dict[Limits, WorkerPool] = {}
_making = threading.Lock()


def _pool(limits: Limits) -> WorkerPool:
    """One for the life of this process; its own processes end with it."""
    with _making:
        pool = _pools.get(limits)
        if pool is None:
            pool = WorkerPool(_threads(), memory_bytes=limits.memory_bytes, task_limit_s=limits.task_limit_s)
            _pools[limits] = pool.__enter__()
    return pool


def _threads() -> int:
    """How many tasks the cluster gives this machine at a time."""
    from distributed import get_worker

    return max(1, int(get_worker().state.nthreads))
