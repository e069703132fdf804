"""Waits for imports and prints their reports."""

from typing import Any

import typer

from mysticanvas.cli.client import POLL_S, Client
from mysticanvas.cli.output import out, progress_bar
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count
from mysticanvas.fs.not_shown import describe

FAILURES_SHOWN = 20


def wait_for_import(client: Client, import_id: str) -> dict[str, Any]:
    """Waits for the import and returns its report. Shows a progress bar on standard error. Ctrl+C cancels the
    import. Raises `InvalidInputError` if it failed."""
    with progress_bar() as bars:
        bar = bars.add_task("Looking for images", total=None, rate="")
        try:
            while True:
                reply = client.get(f"/api/v1/imports/{import_id}", wait=POLL_S)
                now = reply["progress"]
                settled = now["seen"] - now["todo"]
                total = None if now["state"] == "listing" else now["seen"]
                text = now["message"] or ("Looking for images" if total is None else "Importing")
                bars.update(bar, description=text, total=total, completed=settled, rate=f"{now['rate_per_s']:.0f}/s")
                if reply["report"] is not None:
                    break
            if now["state"] == "failed":
                raise InvalidInputError(now["message"])
        except KeyboardInterrupt:
            client.post(f"/api/v1/imports/{import_id}:cancel")
            raise
    return dict(reply["report"])


def exit_with_failures(report: dict[str, Any]) -> None:
    """Exits with code 1 if a file could not be read or a folder was not available, so that scripts can detect it."""
    if report["failed"] or report["offline"]:
        raise typer.Exit(1)


def print_report(report: dict[str, Any], *, dry_run: bool) -> None:
    verb = "Would import" if dry_run else "Imported"
    out.print(
        f"{verb} [bold]{report['imported']:,}[/] of {format_count(report['files_seen'], 'image')} "
        f"in {report['seconds']:.1f} s: {report['unchanged']:,} unchanged, {report['moved']:,} moved, "
        f"{format_count(report['copies'], 'copy', 'copies')}, {report['missing']:,} missing, "
        f"{report['failed']:,} could not be read."
    )
    if report["not_shown"]:
        out.print(f"  {describe(report['not_shown'])} not shown.", markup=False, highlight=False)
    for sentence in report["offline"]:
        out.print(f"  {sentence}", markup=False, highlight=False)
    for failure in report["failures"][:FAILURES_SHOWN]:
        out.print(f"  {failure['path']}: {failure['reason']}", markup=False, highlight=False)
    if (more := len(report["failures"]) - FAILURES_SHOWN) > 0:
        out.print(f"  … and {more:,} more. Use --json to list all of them.")
