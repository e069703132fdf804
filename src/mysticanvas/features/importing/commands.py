"""The shortcuts `import` and `inspect`, and `library reparse`."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import POLL_S, Client, connect
from mysticanvas.cli.edits import join_search
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.imports import exit_with_failures, import_and_follow, print_report
from mysticanvas.cli.options import Json, JsonLines, Library, load_settings
from mysticanvas.cli.output import out, print_as_json, print_json, progress_bar
from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.plurals import format_count

COMMANDS = Commands()
LABEL_WIDTH = 22


@COMMANDS.add("import", "~/ComfyUI/output", "~/ComfyUI/output --dry-run --json")
def import_folders(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER", help="Folders to import.")],
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


@COMMANDS.add("inspect", "picture.png", "picture.png --json")
def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Image files.")],
    json: Json = False,
    jsonl: JsonLines = False,
) -> None:
    """Show the generation data of image files. Works without a library. Exits with code 1 if a file cannot be read."""
    # Loads every parser, which no other command needs.
    from mysticanvas.features.importing import inspect as import_inspect

    found: list[dict[str, Any]] = []
    for file in files:
        try:
            found.append({"path": str(file), **import_inspect.inspect(file)})
        except UnreadableFileError as error:
            found.append({"path": str(file), "error": str(error)})
    if not print_as_json(found[0] if len(found) == 1 else {"files": found}, found, json=json, jsonl=jsonl):
        for row in found:
            _print_inspection(row)
    if any("error" in row for row in found):
        raise typer.Exit(1)


def _print_inspection(row: dict[str, Any]) -> None:
    # Without Rich, which takes longer to load than the file takes to read.
    typer.echo(row["path"])
    for name, value in row.items():
        if value not in (None, [], "", {}) and name != "path":
            text = str(value).replace("\n", "\n" + " " * (LABEL_WIDTH + 2))
            typer.echo(f"  {name.replace('_', ' '):{LABEL_WIDTH}}{text}")


@COMMANDS.add("library reparse", "model:flux1-dev", "--all")
def reparse(
    query: Annotated[list[str] | None, typer.Argument(metavar="SEARCH", help="A search. Default: all images.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Include images that the current parsers have already parsed.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all images are parsed.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Parse the stored metadata of images again with the current parsers. Keeps your ratings, tags and notes."""
    with connect(load_settings(library)) as client:
        queued = client.post("/api/v1/images:reparse", {"q": join_search(query or ()), "all": everything})
        if wait:
            queued["failed"] = _follow_reparse(client, queued["jobs"])
    if json:
        print_json(queued)
    elif not queued["images"]:
        out.print("There is nothing to parse: the current parsers have already parsed these images.")
    else:
        out.print(f"{'Reparsed' if wait else 'Queued'} {format_count(queued['images'], 'image')}.")
        if queued.get("failed"):
            out.print(f"Failed jobs: {queued['failed']:,}. To see why, run: mysticanvas job status")
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
