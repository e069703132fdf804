"""Output of the command line: text through Rich, or JSON on standard output."""

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


def print_json(value: Any) -> None:
    """One JSON value on one line, for scripts."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def format_time(ms: int) -> str:
    """A Unix time in milliseconds as local time; "" for 0."""
    return convert_to_local_time(ms // 1000).strftime("%Y-%m-%d %H:%M:%S") if ms else ""


def progress_bar() -> Progress:
    """Drawn on standard error, so that standard output can be piped; removed when done."""
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
