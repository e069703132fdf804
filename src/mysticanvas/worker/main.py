"""The worker process: reads tasks from standard input and writes results to standard output, one at a time.

It exits at the end of its input, so it never outlives its Orchestrator, even one that was killed.
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
from mysticanvas.worker import memory
from mysticanvas.worker.protocol import BrokenFrameError, decode_task, encode_answer, encode_error, read_frame

NICE = 5


def main() -> None:
    """Run tasks until standard input ends. Arguments: memory limit in bytes; 1 to run at low priority."""
    _ignore_stop_signals()
    memory.limit_address_space(int(sys.argv[1]))
    if sys.argv[2] == "1" and hasattr(os, "nice"):
        # The gallery has priority. On Windows, the pool starts the process with low priority.
        os.nice(NICE)
    # Results are freed by reference counting; the default thresholds would search for cycles in vain.
    gc.set_threshold(50_000, 20, 20)
    # Output printed by libraries must not reach the pipe of results.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    tasks = sys.stdin.buffer
    try:
        while (frame := read_frame(tasks)) is not None:
            answers.write(_run_to_frame(frame.id, decode_task(frame)))
    except (BrokenFrameError, BrokenPipeError):
        sys.exit(0)


def _ignore_stop_signals() -> None:
    """A service manager sends them to every process of a service. The Orchestrator closes its workers itself; a worker
    that ended first would count as a crash on the file that it was reading."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _run_to_frame(number: int, task: Task) -> bytes:
    try:
        return encode_answer(number, run_task(task))
    except MystiCanvasError as error:
        return encode_error(number, str(error))
    except MemoryError:
        return encode_error(number, memory.MESSAGE)
    except Exception as error:  # noqa: BLE001 - an error in one file must not end the process
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return encode_error(number, f"Processing failed ({type(error).__name__}: {error}).")


def run_task(task: Task) -> Answer:
    """Run one task here and now, by `RUN` of the `task.py` beside the module that defines it."""
    return _runs_of(type(task).__module__.rpartition(".")[0])[type(task)](task)


@cache
def _runs_of(package: str) -> Any:
    """Loaded with the first task of the package: most need no libvips, and few a model."""
    return import_module(f"{package}.task").RUN


if __name__ == "__main__":
    main()
