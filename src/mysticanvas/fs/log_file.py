"""The server's log: a rotated file of JSON lines in the library folder.

Messages and values are separate fields, so that a support bundle can contain messages without private values.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

from mysticanvas.fs.log_repeats import RepeatLimit

FOLDER = "logs"
NAME = "mysticanvas.log"
MAX_BYTES = 1024 * 1024
BACKUP_COUNT = 3
TAIL_LINES = 500
_STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": int(record.created * 1000),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": str(record.msg),
            "values": {name: str(value) for name, value in vars(record).items() if name not in _STANDARD_ATTRIBUTES},
        }
        if record.args:
            entry["values"]["args"] = str(record.args)
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)
            entry["error"] = type(error).__name__
            entry["frames"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
            entry["values"]["error"] = str(error)
        return json.dumps(entry, ensure_ascii=False)


class _QuietFile(RotatingFileHandler):
    """Loses an entry that cannot be written, as on a full disk: the caller did nothing wrong."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        pass


class _QuietTerminal(logging.StreamHandler[TextIO]):
    """Loses an entry when the terminal is closed."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        pass


@contextmanager
def log_to_file(library: Path) -> Iterator[None]:
    """Log to the file in `library`; warnings also go to the terminal. Repeated errors are logged once a minute.
    The library folder must exist. Never raises: without a file, only the terminal is written to."""
    terminal = _QuietTerminal(sys.stderr)
    terminal.setLevel(logging.WARNING)
    handlers: list[logging.Handler] = [terminal]
    with suppress(OSError):
        handlers.append(_open_file(library / FOLDER))
    limited = RepeatLimit(handlers)
    ours = logging.getLogger("mysticanvas")
    before = ours.level
    ours.setLevel(logging.INFO)
    # The others are the server's: bugs in a request, and requests that are not HTTP.
    loggers = (ours, logging.getLogger("uvicorn"), logging.getLogger("asyncio"))
    for logger in loggers:
        logger.addHandler(limited)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(limited)
        with suppress(OSError, ValueError):
            limited.close()
        ours.setLevel(before)


def _open_file(folder: Path) -> logging.Handler:
    folder.mkdir(mode=0o700, exist_ok=True)
    file = _QuietFile(
        folder / NAME, maxBytes=MAX_BYTES, backupCount=BACKUP_COUNT, encoding="utf-8", errors="backslashreplace"
    )
    file.setFormatter(_JsonFormatter())
    return file


def read_tail_without_values(library: Path) -> list[str]:
    """The last `TAIL_LINES` log lines, to share: messages, error types and code locations, but no values or paths."""
    try:
        lines = (library / FOLDER / NAME).read_text("utf-8", "replace").splitlines()[-TAIL_LINES:]
    except OSError:
        return []
    return [one for line in lines if (one := _strip_values(line)) is not None]


def _strip_values(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict):
        return None
    entry.pop("values", None)
    return json.dumps(entry, ensure_ascii=False)
