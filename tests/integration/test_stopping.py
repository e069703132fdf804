"""Whatever asks MystiCanvas to end, it ends as after Ctrl+C: everything is closed, and no crash is reported."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.serving import Served
from tests.pictures import write_pictures

from mysticanvas.app import stop_signals
from mysticanvas.app.stop_signals import CLOSE, LOG_OFF, stop_like_ctrl_c
from mysticanvas.worker import main as worker_main
from mysticanvas.worker import pool as worker_pool

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")


@pytest.fixture(autouse=True)
def default_signals() -> Iterator[None]:
    """The processes of these tests react to signals even if the tests run under `nohup`."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def crashes(library: Path) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-m", "mysticanvas.app.cli", "event", "list", "--json", "--library", str(library)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [one for one in json.loads(done.stdout)["events"] if one["kind"] == "crash.gallery"]


@posix
@pytest.mark.parametrize("names", [("SIGTERM",), ("SIGHUP",), ("SIGHUP", "SIGTERM", "SIGHUP", "SIGTERM")])
def test_a_gallery_that_is_told_to_end_leaves_nothing_behind(tmp_path: Path, names: tuple[str, ...]) -> None:
    library = tmp_path / "library"
    served = Served(library, []).wait_until_up()
    for name in names:
        served.process.send_signal(getattr(signal, name))
    assert served.process.wait(120) == 0
    served.stop()
    assert not (library / "address.json").exists()
    Served(library, []).wait_until_up().stop()
    assert crashes(library) == []


@posix
def test_a_gallery_ends_cleanly_when_its_terminal_is_closed(tmp_path: Path) -> None:
    library = tmp_path / "library"
    ours, theirs = os.openpty()
    # `script` would do it too, but is not everywhere: a session of its own whose terminal is this one.
    program = (
        "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
        "from mysticanvas.app.cli import main; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, "serve", "--no-open", "--port", "0", "--library", str(library)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "MYSTICANVAS_WORKERS": "1"},
    ) as process:
        os.close(theirs)
        wait_for(lambda: (library / "address.json").exists() or process.poll() is not None)
        assert process.poll() is None
        os.close(ours)
        assert process.wait(120) == 0
    assert not (library / "address.json").exists()


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_command_that_is_told_to_end_closes_the_library(tmp_path: Path, name: str) -> None:
    """It ends by Python's own way out, and so does what it opened: a killed one would leave the journal of SQLite."""
    library, pictures = tmp_path / "library", tmp_path / "pictures"
    write_pictures(pictures, 1_500)
    with subprocess.Popen(
        [sys.executable, "-m", "mysticanvas.app.cli", "import", "--library", str(library), str(pictures)],
        env={**os.environ, "MYSTICANVAS_WORKERS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        wait_for(lambda: (library / "mysticanvas.db-wal").exists() or process.poll() is not None)
        process.send_signal(getattr(signal, name))
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert b"Traceback" not in said
    assert not (library / "mysticanvas.db-wal").exists()


@posix
def test_a_worker_that_is_told_to_end_goes_on_with_its_work() -> None:
    """A service manager tells every process of a service; the Orchestrator is the one that ends its workers."""
    before = {name: signal.getsignal(getattr(signal, name)) for name in ("SIGINT", "SIGTERM", "SIGHUP")}
    try:
        worker_main._ignore_stop_signals()
        for name in before:
            signal.raise_signal(getattr(signal, name))
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


@posix
def test_what_is_ignored_stays_ignored_as_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_like_ctrl_c():
            signal.raise_signal(signal.SIGHUP)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGHUP, before)


@posix
def test_a_background_process_that_ignores_ctrl_c_still_ends_when_told() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), stop_like_ctrl_c():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)


class Windows:
    """`kernel32`, as far as it is used: keeps the handlers, and calls the newest first on a thread of its own."""

    def __init__(self) -> None:
        self.handlers: list[Callable[[int], int]] = []
        self.calls: list[threading.Thread] = []

    def SetConsoleCtrlHandler(self, handler: Callable[[int], int], is_added: bool) -> int:  # noqa: N802 - its name
        self.handlers.append(handler) if is_added else self.handlers.remove(handler)
        return 1

    def send(self, event: int) -> None:
        self.calls.append(threading.Thread(target=self.handlers[-1], args=(event,)))
        self.calls[-1].start()


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Windows:
    shim = Windows()
    kernel = stop_signals._Kernel32(shim, lambda *_: lambda function: function)
    monkeypatch.setattr(stop_signals, "_kernel32", lambda: kernel)
    # No other test and no part of Python uses this one.
    monkeypatch.setattr(signal, "SIGBREAK", getattr(signal, "SIGUSR2", signal.SIGTERM), raising=False)
    return shim


@pytest.mark.parametrize("event", [CLOSE, LOG_OFF])
def test_closing_the_console_of_windows_waits_until_everything_is_closed(windows: Windows, event: int) -> None:
    def serve() -> None:
        try:
            windows.send(event)
            # As an event loop waits: a signal that another thread has caught interrupts no longer wait.
            wait_for(lambda: False)
        finally:
            # Windows ends the process as soon as the handler returns.
            assert windows.calls[0].is_alive()

    with pytest.raises(KeyboardInterrupt), stop_like_ctrl_c():
        serve()
    windows.calls[0].join(60)
    assert not windows.calls[0].is_alive()
    assert windows.handlers == []


def test_ctrl_break_ends_like_ctrl_c_and_other_events_are_left_to_others(windows: Windows) -> None:
    with stop_like_ctrl_c():
        assert not windows.handlers[-1](0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(getattr(signal, "SIGBREAK"))  # noqa: B009 - only Windows has it


def test_workers_have_no_console_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "CREATE_NO_WINDOW", 0x08000000, raising=False)
    assert worker_pool._creation_flags(in_background=False) & 0x08000000


def wait_for(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
