"""Errors that repeat are logged once a minute, with how many were omitted."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock

WINDOW_S = 60.0
# Records of one kind within the window that differ in their values, such as a file each.
DIFFERENT = 20
_KINDS_KEPT = 200
_STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@dataclass(slots=True)
class _Window:
    began_s: float
    values: set[int] = field(default_factory=set)
    omitted: int = 0


class RepeatLimit(logging.Handler):
    """Passes records on to `handlers`. Of warnings and errors of the same logger, message and error type, those with
    the same values are passed once a minute, and others at most `DIFFERENT` times a minute. The first record after
    that has the attribute `omitted`: how many were not passed on. `clock` returns seconds."""

    def __init__(self, handlers: Sequence[logging.Handler], *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._handlers = handlers
        self._clock = clock
        self._windows: OrderedDict[tuple[str, str, str], _Window] = OrderedDict()
        self._guard = Lock()

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING and not self._is_passed(record):
            return
        for handler in self._handlers:
            if record.levelno >= handler.level:
                handler.handle(record)

    def close(self) -> None:
        """Says what was omitted, and closes the handlers."""
        for (name, message, _), window in self._windows.items():
            if window.omitted:
                record = logging.LogRecord(name, logging.WARNING, "", 0, message, None, None)
                record.omitted = window.omitted
                for handler in self._handlers:
                    handler.handle(record)
        self._windows.clear()
        for handler in self._handlers:
            handler.close()
        super().close()

    def _is_passed(self, record: logging.LogRecord) -> bool:
        kind = (record.name, str(record.msg), _error_type(record))
        values = hash(_values(record))
        with self._guard:
            window = self._windows.get(kind)
            if window is None or self._clock() - window.began_s >= WINDOW_S:
                if window is not None and window.omitted:
                    record.omitted = window.omitted
                self._windows[kind] = _Window(self._clock(), {values})
                self._windows.move_to_end(kind)
                if len(self._windows) > _KINDS_KEPT:
                    self._windows.popitem(last=False)
                return True
            if values in window.values or len(window.values) >= DIFFERENT:
                window.omitted += 1
                return False
            window.values.add(values)
            return True


def _error_type(record: logging.LogRecord) -> str:
    return type(record.exc_info[1]).__name__ if record.exc_info else ""


def _values(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    extra = {name: value for name, value in vars(record).items() if name not in _STANDARD_ATTRIBUTES}
    return f"{record.args} {extra} {error}"
