"""Command-line output: text through Rich, or JSON on standard output."""

import io
import sys
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from mysticanvas.domain.local_time import convert_to_local_time

out = Console()
err = Console(stderr=True)


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


def format_time(ms: int) -> str:
    """Formats a Unix time in milliseconds as local time. Returns "" for 0."""
    return convert_to_local_time(ms // 1000).strftime("%Y-%m-%d %H:%M:%S") if ms else ""


def progress_bar() -> Progress:
    """Returns a progress bar on standard error, so standard output can be piped. The bar is removed when it is done."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )
