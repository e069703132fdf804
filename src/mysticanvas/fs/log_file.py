"""The log of a gallery that serves: a file of JSON lines in the library's folder, rotated.

What a message says and the values it is about are kept apart, so that a bundle for others can have the
one without the other.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

FOLDER = "logs"
NAME = "mysticanvas.log"
MOST_BYTES = 1024 * 1024
OLDER_KEPT = 3
TAIL_LINES = 500
_OUR_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "at": int(record.created * 1000),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": str(record.msg),
            "values": {name: str(value) for name, value in vars(record).items() if name not in _OUR_OWN},
        }
        if record.args:
            said["values"]["args"] = str(record.args)
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)
            said["error"] = type(error).__name__
            said["frames"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
            said["values"]["error"] = str(error)
        return json.dumps(said, ensure_ascii=False)


@contextmanager
def written_to(library: Path) -> Iterator[None]:
    """What MystiCanvas logs goes to the file, and warnings to the terminal as before."""
    folder = library / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    file = RotatingFileHandler(folder / NAME, maxBytes=MOST_BYTES, backupCount=OLDER_KEPT, encoding="utf-8")
    file.setFormatter(_Lines())
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.WARNING)
    ours = logging.getLogger("mysticanvas")
    before = ours.level
    ours.setLevel(logging.INFO)
    for handler in (file, terminal):
        ours.addHandler(handler)
    try:
        yield
    finally:
        for handler in (file, terminal):
            ours.removeHandler(handler)
            handler.close()
        ours.setLevel(before)


def tail_without_values(library: Path) -> list[str]:
    """The last lines as they may be shown to others: constant messages, kinds of errors and where in our code
    they came from; no value, no path, no text of anybody's."""
    try:
        lines = (library / FOLDER / NAME).read_text("utf-8", "replace").splitlines()[-TAIL_LINES:]
    except OSError:
        return []
    return [one for line in lines if (one := _without_values(line)) is not None]


def _without_values(line: str) -> str | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    said.pop("values", None)
    return json.dumps(said, ensure_ascii=False)
