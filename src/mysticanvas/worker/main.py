"""The child side: one task after the other from standard input, answers to standard output.

Ends when its input ends, so it outlives no Orchestrator, not even one that was killed.
"""

import gc
import os
import signal
import sys
from functools import cache
from importlib import import_module
from typing import Any

from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.domain.task import Answer, Task
from mysticanvas.worker.protocol import BrokenPipeFrameError, answer_frame, error_frame, read_frame, task_of

NICE = 5


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_memory(int(sys.argv[1]))
    if sys.argv[2] == "1" and hasattr(os, "nice"):
        # The gallery goes first; on Windows the process was started so.
        os.nice(NICE)
    # Answers are freed as they are sent; looking for cycles after every few hundred objects finds none.
    gc.set_threshold(50_000, 20, 20)
    # Whatever a library prints must not reach the pipe of answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    tasks = sys.stdin.buffer
    try:
        while (frame := read_frame(tasks)) is not None:
            answers.write(_answer(frame.id, task_of(frame)))
    except (BrokenPipeFrameError, BrokenPipeError):
        sys.exit(0)


def _answer(number: int, task: Task) -> bytes:
    try:
        return answer_frame(number, run(task))
    except MystiCanvasError as error:
        return error_frame(number, str(error))
    except MemoryError:
        return error_frame(number, "Reading this file takes more memory than it may.")
    except Exception as error:  # noqa: BLE001 - one file's fault must not end the process
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return error_frame(number, f"MystiCanvas cannot read this file ({type(error).__name__}: {error}).")


def run(task: Task) -> Answer:
    """Run one task here and now, by `RUN` of the `task.py` beside the module that defines it."""
    return _runs_of(type(task).__module__.rpartition(".")[0])[type(task)](task)


@cache
def _runs_of(package: str) -> Any:
    """Loaded with the first task of the package: most need no libvips, and few a model."""
    return import_module(f"{package}.task").RUN


def limit_memory(limit_bytes: int) -> None:
    """Address space is what can be limited; libraries map about this much that they never touch."""
    try:
        import resource
    except ImportError:
        # Windows has no such limit; there the pool watches the time alone.
        return
    mapped_unused = 768 * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes + mapped_unused, limit_bytes + mapped_unused))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
