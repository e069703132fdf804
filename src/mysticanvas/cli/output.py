"""Command-line output: text through Rich, or JSON on standard output.

Rich is loaded when something is printed through it, because scripts that read JSON or paths do not need it.
"""

import io
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import msgspec

from mysticanvas.domain.local_time import convert_to_local_time

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table


class _Console:
    """A console of Rich that is created when it is used."""

    def __init__(self, *, stderr: bool) -> None:
        self._stderr = stderr
        self._console: Console | None = None

    def open(self) -> "Console":
        if self._console is None:
            from rich.console import Console

            self._console = Console(stderr=self._stderr)
        return self._console

    def __getattr__(self, name: str) -> Any:
        return getattr(self.open(), name)


_errors = _Console(stderr=True)
out = cast("Console", _Console(stderr=False))
err = cast("Console", _errors)


def write_utf8() -> None:
    """Writes UTF-8 to pipes and files. Their default encoding on Windows does not support most scripts, so printing a
    prompt or a file name could fail. The encoding of a terminal is not changed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


def print_json(value: Any) -> None:
    """Prints a JSON value on one line, for scripts."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def print_json_lines(values: Iterable[Any]) -> int:
    """Prints one JSON value per line, as JSON Lines. Returns their number."""
    printed = 0
    for value in values:
        sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
        printed += 1
    sys.stdout.flush()
    return printed


def print_as_json(reply: Any, items: Iterable[Any], *, json: bool, jsonl: bool) -> bool:
    """Prints a reply as one JSON value, or its items one per line. Returns whether one of the formats was requested."""
    if jsonl:
        print_json_lines(items)
    elif json:
        print_json(reply)
    return json or jsonl


def format_time(ms: int) -> str:
    """Formats a Unix time in milliseconds as local time. Returns "" for 0."""
    return convert_to_local_time(ms // 1000).strftime("%Y-%m-%d %H:%M:%S") if ms else ""


def table(*columns: str) -> "Table":
    """Returns a table without borders. Without columns, it lists names and values."""
    from rich.table import Table

    return Table(*columns, show_header=bool(columns), box=None)


def progress_bar() -> "Progress":
    """Returns a progress bar on standard error, so standard output can be piped. The bar is removed when it is done."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=_errors.open(),
        transient=True,
    )
