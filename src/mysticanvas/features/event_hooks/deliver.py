"""Delivers an event to a hook: runs its command, or sends a request to its URL."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import httpx
import msgspec
import psutil

from mysticanvas.domain.errors import TaskError, TaskFailedError
from mysticanvas.domain.task import Answer
from mysticanvas.domain.text import clean_text
from mysticanvas.features.event_hooks.targets import resolve_loopback
from mysticanvas.features.event_hooks.types import Delivered, DeliverHook, Hook
from mysticanvas.settings import Settings

log = logging.getLogger(__name__)

# The end of the output that is kept.
MAX_OUTPUT_BYTES = 4_000
# How often a running command is checked for its time limit, and whether it was cancelled.
CHECK_EVERY_S = 0.1
# A program that the command left running may keep its output open.
OUTPUT_WAIT_S = 0.5
# Commands are stopped within this time when the gallery closes.
CLOSE_WAIT_S = 2.0
Stopped = Callable[[], bool]


def deliver(task: DeliverHook, library: Path, *, limit_s: float, is_stopped: Stopped = lambda: False) -> Delivered:
    """Raises `TaskFailedError` with the reason, and the end of the output on the following lines."""
    body = msgspec.json.encode(task.body)
    if task.hook.url is not None:
        return Delivered(task.hook.target, _send(task, body, limit_s))
    return Delivered(task.hook.target, _run(task, library, body, limit_s, is_stopped))


class HookRunner:
    """Runs deliveries on threads of the Orchestrator. Closing it stops running commands."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._closing = threading.Event()
        self._threads: set[threading.Thread] = set()

    def __enter__(self) -> "HookRunner":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for thread in list(self._threads):
            # Not for a URL that does not respond.
            thread.join(CLOSE_WAIT_S)

    def submit(self, task: DeliverHook) -> Future[Answer]:
        """Canceling the future stops the command."""
        answer: Future[Answer] = Future()
        thread = threading.Thread(target=self._work, args=(task, answer), name="hook", daemon=True)
        self._threads.add(thread)
        thread.start()
        return answer

    def _work(self, task: DeliverHook, answer: Future[Answer]) -> None:
        try:
            self._run(task, answer)
        finally:
            self._threads.discard(threading.current_thread())

    def _run(self, task: DeliverHook, answer: Future[Answer]) -> None:
        with suppress(InvalidStateError):
            try:
                answer.set_result(
                    deliver(
                        task,
                        self._settings.library,
                        limit_s=self._settings.hook_limit_s,
                        is_stopped=lambda: self._closing.is_set() or answer.cancelled(),
                    )
                )
            except TaskError as error:
                answer.set_exception(error)
            except InvalidStateError:
                raise
            except Exception as error:
                log.exception("a hook could not be run", extra={"hook": task.hook.id})
                answer.set_exception(TaskFailedError(f"The hook could not be run: {error!r}"))


def start_hook_runner(settings: Settings) -> HookRunner:
    return HookRunner(settings)


def build_delivery(runner: HookRunner) -> Callable[[DeliverHook], Future[Answer]]:
    return runner.submit


# -- commands ---------------------------------------------------------------------------------


def _run(task: DeliverHook, library: Path, body: bytes, limit_s: float, is_stopped: Stopped) -> str:
    with _start(task.hook, _build_environment(task, library)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        output = _Output(process.stdout)
        threading.Thread(target=_write, args=(process.stdin, body), name="hook input", daemon=True).start()
        deadline_s = time.monotonic() + limit_s
        while not _has_ended(process):
            if is_stopped():
                _kill(process)
                raise TaskFailedError("The command was stopped." + output.as_lines())
            if time.monotonic() > deadline_s:
                _kill(process)
                raise TaskFailedError(
                    f"The command took longer than {limit_s:g} s and was stopped." + output.as_lines()
                )
        if process.returncode:
            raise TaskFailedError(f"The command failed with exit code {process.returncode}." + output.as_lines())
        return output.read()


def _build_environment(task: DeliverHook, library: Path) -> dict[str, str]:
    # Commands of MystiCanvas in the hook use the same library.
    return os.environ | {
        "MYSTICANVAS_LIBRARY": str(library),
        "MYSTICANVAS_EVENT": str(task.body["event"]),
        "MYSTICANVAS_DELIVERY": str(task.body["delivery"]),
    }


@contextmanager
def _start(hook: Hook, environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    try:
        # Without a shell: nothing in an event can become a command. In a process group of its own, which is killed as
        # a whole, and which Ctrl+C in the terminal of the gallery does not reach.
        process = subprocess.Popen(
            hook.command or [],
            cwd=hook.folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=sys.platform != "win32",
            creationflags=_find_creation_flags(),
        )
    except (OSError, ValueError) as error:
        raise TaskFailedError(f"The command could not be started: {error}") from error
    try:
        yield process
    finally:
        if process.poll() is None:
            _kill(process)


def _find_creation_flags() -> int:
    """On Windows: a process group, and no console window."""
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Waits for a moment."""
    try:
        process.wait(CHECK_EVERY_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kills the command and the programs that it started."""
    try:
        started = psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        started = []
    if sys.platform != "win32":
        # Also those whose parent has ended.
        with suppress(OSError):
            os.killpg(process.pid, 9)
    process.kill()
    for one in started:
        with suppress(psutil.Error):
            one.kill()
    process.wait()


def _write(stdin: IO[bytes], body: bytes) -> None:
    # A command need not read its input.
    with suppress(OSError, ValueError):
        stdin.write(body)
    with suppress(OSError, ValueError):
        stdin.close()


class _Output:
    """Reads the output of a command to its end, and keeps the last bytes."""

    def __init__(self, stdout: IO[bytes]) -> None:
        self._kept = bytearray()
        self._stdout = stdout
        self._thread = threading.Thread(target=self._work, name="hook output", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        with suppress(OSError, ValueError):
            while block := os.read(self._stdout.fileno(), 65_536):
                self._kept += block
                del self._kept[:-MAX_OUTPUT_BYTES]
            self._stdout.close()

    def read(self) -> str:
        self._thread.join(OUTPUT_WAIT_S)
        return _decode(bytes(self._kept))

    def as_lines(self) -> str:
        return "\n" + self.read()


def _decode(output: bytes) -> str:
    return clean_text(output.decode("utf-8", "replace")).strip()


# -- URLs -------------------------------------------------------------------------------------


def _send(task: DeliverHook, body: bytes, limit_s: float) -> str:
    try:
        target = resolve_loopback(task.hook.url or "")
    except ValueError as error:
        raise TaskFailedError(str(error)) from error
    headers = {
        "Host": target.host,
        "Content-Type": "application/json",
        "User-Agent": "MystiCanvas",
        "MystiCanvas-Event": str(task.body["event"]),
        "MystiCanvas-Delivery": str(task.body["delivery"]),
    }
    deadline_s = time.monotonic() + limit_s
    try:
        # Without the proxy of the environment, and without redirects, which could lead to another machine.
        with (
            httpx.Client(trust_env=False, follow_redirects=False, timeout=limit_s) as http,
            http.stream("POST", target.url, content=body, headers=headers) as response,
        ):
            text = _decode(_read_beginning(response, deadline_s))
    except httpx.TimeoutException as error:
        raise TaskFailedError(f"{task.hook.url} did not respond within {limit_s:g} s.") from error
    except httpx.HTTPError as error:
        raise TaskFailedError(f"{task.hook.url} could not be reached: {error}") from error
    if not response.is_success:
        raise TaskFailedError(f"{task.hook.url} responded with status {response.status_code}.\n{text}")
    return text


def _read_beginning(response: httpx.Response, deadline_s: float) -> bytes:
    found = b""
    for block in response.iter_raw(4_096):
        found += block
        if len(found) > MAX_OUTPUT_BYTES or time.monotonic() > deadline_s:
            break
    return found[:MAX_OUTPUT_BYTES]
