"""How the command line looks: JSON on standard output, words for people through Rich."""

import sys
import time
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

out = Console()
err = Console(stderr=True)


def print_json(value: Any) -> None:
    """One JSON value on one line, for programs."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def moment(ms: int) -> str:
    """On this machine's clock; "" for none."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms / 1000)) if ms else ""


def progress_bar() -> Progress:
    """Drawn on standard error, so that standard output stays clean; gone when done."""
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
