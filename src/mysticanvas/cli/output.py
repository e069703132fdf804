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
    """Write UTF-8 to pipes and files. Windows uses an encoding there that lacks most scripts, so that printing a
    prompt or a file name would fail. A terminal keeps its own encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


def print_json(value: Any) -> None:
    """One JSON value on one line, for scripts."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def format_time(ms: int) -> str:
    """A Unix time in milliseconds as local time; "" for 0."""
    return convert_to_local_time(ms // 1000).strftime("%Y-%m-%d %H:%M:%S") if ms else ""


def format_count(number: int, noun: str, plural: str | None = None) -> str:
    """“1 image”, “1,234 images”. `plural` is for nouns whose plural is not `noun` with an s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def progress_bar() -> Progress:
    """Shown on standard error, so that standard output can be piped; removed when done."""
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
