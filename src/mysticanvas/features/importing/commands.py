"""The commands `import`, `inspect` and `reparse`."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import POLL_S, Client, connect, make_absolute, wait_for_jobs
from mysticanvas.cli.imports import exit_with_failures, print_report, wait_for_import
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.plurals import format_count


def add_commands(app: typer.Typer) -> None:
    app.command("import", epilog="Example: mysticanvas import ~/ComfyUI/output --json")(import_folders)
    app.command("inspect", epilog="Example: mysticanvas inspect picture.png --json")(inspect)
    app.command(epilog="Example: mysticanvas reparse model:flux1-dev")(reparse)


def import_folders(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER …", help="Folders to import.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Preview the changes without making them.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until thumbnails are created.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Import folders and print a report. Your files stay where they are and are never changed. Exits with code 1 if a
    file could not be read."""
    with connect(load_settings(library)) as client:
        report = import_and_follow(client, folders, dry_run=dry_run, wait=wait)
    if json:
        print_json(report)
    else:
        print_report(report, dry_run=dry_run)
    exit_with_failures(report)


def import_and_follow(client: Client, folders: list[Path], *, dry_run: bool, wait: bool) -> dict[str, Any]:
    """Import folders and return the report. Shows a progress bar on standard error."""
    paths = [make_absolute(folder) for folder in folders]
    import_id = client.post("/api/v1/imports", {"paths": paths, "dry_run": dry_run, "watch": True})["id"]
    report = wait_for_import(client, import_id)
    if wait and not dry_run:
        with progress_bar() as bars:
            bars.add_task("Creating thumbnails", total=None, rate="")
            wait_for_jobs(client)
    return report


def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE …", help="Image files.")],
    json: Json = False,
) -> None:
    """Show the generation data of image files. Works without a library."""
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
    query: Annotated[str, typer.Argument(help="A search. Default: all images.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Include images that the current parsers have already parsed.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all images are parsed.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Parse the stored metadata of images again with the current parsers. Keeps your ratings, tags and notes."""
    with connect(load_settings(library)) as client:
        queued = client.post("/api/v1/images:reparse", {"q": query, "all": everything})
        if wait:
            queued["failed"] = _follow_reparse(client, queued["jobs"])
    if json:
        print_json(queued)
    elif not queued["images"]:
        out.print("There is nothing to parse: the current parsers have already parsed these images.")
    else:
        out.print(f"{'Reparsed' if wait else 'Queued'} {format_count(queued['images'], 'image')}.")
        if queued.get("failed"):
            out.print(f"Failed jobs: {queued['failed']:,}. To see why, run: mysticanvas jobs")
    if queued.get("failed"):
        raise typer.Exit(1)


def _follow_reparse(client: Client, total: int) -> int:
    """Wait until no reparse job is waiting or running. Returns the number of failed jobs."""
    with progress_bar() as bars:
        bar = bars.add_task("Reparsing", total=total, rate="")
        while True:
            kinds = [kind for kind in client.get("/api/v1/jobs/summary")["kinds"] if kind["kind"] == "reparse"]
            left = sum(kind["waiting"] + kind["running"] for kind in kinds)
            bars.update(bar, completed=max(0, total - left))
            if not left:
                return sum(kind["failed"] for kind in kinds)
            time.sleep(POLL_S)
