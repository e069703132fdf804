"""Whatever asks this process to end is answered like Ctrl+C: what is running is closed, and nothing is left behind.

`kill`, a service manager, logging out, closing the terminal, and on Windows Ctrl+Break and closing the console.
"""

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# SIGINT itself is left to Python and to the server.
NAMES = ("SIGTERM", "SIGHUP", "SIGBREAK")
# Windows ends the process as soon as the handler of these returns, and after some seconds in any case.
# Source: Microsoft, HandlerRoutine callback function.
CLOSE, LOG_OFF, SHUTDOWN = 2, 5, 6
CONSOLE_CLOSE_LIMIT_S = 20.0


@contextmanager
def stop_like_ctrl_c() -> Iterator[None]:
    """On the main thread, around everything that has something to close."""
    stopper = _Stopper()
    before = {number: signal.signal(number, stopper.on_signal) for number in _list_signals()}
    try:
        with _console_events():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _list_signals() -> list[signal.Signals]:
    """Those that this system has, without the ones that are to be ignored, as under `nohup`."""
    there: list[signal.Signals] = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    return [number for number in there if signal.getsignal(number) is not signal.SIG_IGN]


class _Stopper:
    def __init__(self) -> None:
        self._is_stopping = False

    def on_signal(self, _number: int, frame: FrameType | None) -> None:
        """Logging out sends several signals: the ones after the first must not interrupt what it started."""
        if self._is_stopping:
            return
        self._is_stopping = True
        # While the gallery serves, the server's own handler: it ends its connections first.
        interrupt = signal.getsignal(signal.SIGINT)
        if callable(interrupt):
            interrupt(signal.SIGINT, frame)
        else:
            # Ctrl+C is ignored, as for a shell's background process.
            raise KeyboardInterrupt


@contextmanager
def _console_events() -> Iterator[None]:
    """On Windows: closing the console waits until everything is closed."""
    kernel = _kernel32()
    if kernel is None:
        yield
        return
    closed = threading.Event()

    def on_event(event: int) -> bool:
        """Runs on a separate thread. Returns False to pass an event, such as Ctrl+C, to the other handlers."""
        if event not in (CLOSE, LOG_OFF, SHUTDOWN):
            return False
        signal.raise_signal(getattr(signal, "SIGBREAK", signal.SIGTERM))
        closed.wait(CONSOLE_CLOSE_LIMIT_S)
        return True

    handler = kernel.handler(on_event)
    kernel.set_handler(handler, True)
    try:
        yield
    finally:
        closed.set()
        kernel.set_handler(handler, False)


class _Kernel32:
    """The one function of Windows that is needed here."""

    def __init__(self, library: Any, function_type: Callable[..., Any]) -> None:
        self._library = library
        self._handler_type = function_type(ctypes.c_int, ctypes.c_uint)

    def handler(self, on_event: Callable[[int], bool]) -> Any:
        """Must be kept as long as it is set."""
        return self._handler_type(on_event)

    def set_handler(self, handler: Any, is_added: bool) -> None:
        self._library.SetConsoleCtrlHandler(handler, is_added)


def _kernel32() -> _Kernel32 | None:
    """None on other systems."""
    windll = getattr(ctypes, "windll", None)
    return None if windll is None else _Kernel32(windll.kernel32, getattr(ctypes, "WINFUNCTYPE"))  # noqa: B009
