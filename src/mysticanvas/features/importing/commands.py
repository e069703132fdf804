"""`import`, `import-library` and `inspect`: files in, and what they say."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import POLL_S, Client, absolute, connect, wait_for_jobs
from mysticanvas.cli.imports import exit_with_failures, follow_import, print_report
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.errors import UnreadableFileError


def add_commands(app: typer.Typer) -> None:
    app.command("import", epilog="Example: mysticanvas import ~/ComfyUI/output --json")(import_folders)
    app.command("inspect", epilog="Example: mysticanvas inspect picture.png --json")(inspect)
    app.command(epilog="Example: mysticanvas reparse model:flux1-dev")(reparse)


def import_folders(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER …", help="Folders to take in.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the thumbnails too.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Import folders once and report. Your files are read where they are, never changed. Exit code 1 when a file
    could not be read."""
    with connect(settings_for(library)) as client:
        report = import_and_follow(client, folders, dry_run=dry_run, wait=wait)
    if json:
        print_json(report)
    else:
        print_report(report, dry_run=dry_run)
    exit_with_failures(report)


def import_and_follow(client: Client, folders: list[Path], *, dry_run: bool, wait: bool) -> dict[str, Any]:
    """The report of a finished import; a progress bar on standard error meanwhile."""
    paths = [absolute(folder) for folder in folders]
    import_id = client.post("/api/imports", {"paths": paths, "dry_run": dry_run, "watch": True})["id"]
    report = follow_import(client, import_id)
    if wait and not dry_run:
        with progress_bar() as bars:
            bars.add_task("Making thumbnails", total=None, rate="")
            wait_for_jobs(client)
    return report


def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE …", help="Image files.")],
    json: Json = False,
) -> None:
    """How was this file made? Needs no library."""
    # Loads every parser, which no other command needs.
    from mysticanvas.features.importing import inspect as import_inspect

    unreadable = 0
    for file in files:
        try:
            row = import_inspect.inspect(file)
        except UnreadableFileError as error:
            unreadable += 1
            row = {"path": str(file), "error": str(error)}
        if json:
            print_json({"path": str(file), **row})
        else:
            _print_inspection(str(file), row)
    if unreadable:
        raise typer.Exit(1)


def _print_inspection(path: str, row: dict[str, Any]) -> None:
    table = Table(title=path, show_header=False, title_justify="left")
    for name, value in row.items():
        if value not in (None, [], "", {}) and name != "path":
            table.add_row(name.replace("_", " "), str(value))
    out.print(table, markup=False)


def reparse(
    query: Annotated[str, typer.Argument(help="Which images; none: all.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also what today's parsers have read already.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all are read.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Read the texts kept of each image again, with the parsers of today. What you wrote stays."""
    with connect(settings_for(library)) as client:
        queued = client.post("/api/reparse", {"q": query, "all": everything})
        if wait:
            queued["failed"] = _follow_reparse(client, queued["jobs"])
    if json:
        print_json(queued)
    elif not queued["images"]:
        out.print("Nothing to read again: today's parsers have read them all.")
    else:
        out.print(f"{'Read' if wait else 'Queued'} {queued['images']:,} images again.")
        if queued.get("failed"):
            out.print(f"{queued['failed']:,} pieces of work failed: mysticanvas jobs says why.")
    if queued.get("failed"):
        raise typer.Exit(1)


def _follow_reparse(client: Client, total: int) -> int:
    """Returns when no such work is waiting or running; how many pieces of it have failed."""
    with progress_bar() as bars:
        bar = bars.add_task("Reading again", total=total, rate="")
        while True:
            kinds = [kind for kind in client.get("/api/jobs")["kinds"] if kind["kind"] == "reparse"]
            left = sum(kind["waiting"] + kind["running"] for kind in kinds)
            bars.update(bar, completed=max(0, total - left))
            if not left:
                return sum(kind["failed"] for kind in kinds)
            time.sleep(POLL_S)
