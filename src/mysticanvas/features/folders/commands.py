"""The noun `folder`: library folders and their missing files."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client, connect, make_absolute
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.imports import exit_with_failures, import_and_follow, print_report, wait_for_import
from mysticanvas.cli.options import Json, JsonLines, Library, load_settings
from mysticanvas.cli.output import format_time, out, print_as_json, print_json, table
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.features.folders import exclude_commands
from mysticanvas.fs.not_shown import describe

COMMANDS = Commands()
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A library folder.")]
Patterns = Annotated[list[str], typer.Argument(metavar="PATTERN", help="Patterns in .gitignore syntax.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Preview the changes without making them.")]


@COMMANDS.add("folder list")
def list_folders(library: Library = None, json: Json = False, jsonl: JsonLines = False) -> None:
    """List library folders."""
    with connect(load_settings(library)) as client:
        known = client.get("/api/v1/folders")["folders"]
    if not print_as_json({"folders": known}, known, json=json, jsonl=jsonl):
        _print_folders(known)


@COMMANDS.add("folder add", "~/ComfyUI/output")
def add(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER", help="Folders with images.")],
    dry_run: DryRun = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Add folders to the library, and import their images. The gallery then watches them for new images. Exits with
    code 1 if a file could not be read."""
    with connect(load_settings(library)) as client:
        report = import_and_follow(client, folders, dry_run=dry_run, wait=False)
    print_json(report) if json else print_report(report, dry_run=dry_run)
    exit_with_failures(report)


@COMMANDS.add("folder scan", "~/ComfyUI/output --dry-run")
def scan(
    folder: Folder,
    dry_run: DryRun = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Mark all files that are not found as missing, even if there are many.")
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Find new, moved and missing files in a folder. Exits with code 1 if a file could not be read."""
    with connect(load_settings(library)) as client:
        path = f"/api/v1/folders/{_find_folder(client, folder)['id']}:scan"
        report = wait_for_import(client, client.post(path, {"accept": accept, "dry_run": dry_run})["id"])
    print_json(report) if json else print_report(report, dry_run=dry_run)
    exit_with_failures(report)


@COMMANDS.add("folder remove", "~/ComfyUI/output")
def remove(folder: Folder, library: Library = None, json: Json = False) -> None:
    """Remove a folder from the library. Its files are not changed, and its images stay in the library."""
    with connect(load_settings(library)) as client:
        done = client.delete(f"/api/v1/folders/{_find_folder(client, folder)['id']}")
    if json:
        print_json(done)
        return
    out.print(f"Removed the folder {done['path']} from the library.", markup=False, highlight=False)
    out.print("Its files were not changed, and its images stay in the library. To restore the folder, add it again.")


@COMMANDS.add("folder missing", "~/ComfyUI/output")
def list_missing(folder: Folder, library: Library = None, json: Json = False, jsonl: JsonLines = False) -> None:
    """List the missing files of a folder."""
    after: int | None = 0
    found: list[dict[str, Any]] = []
    with connect(load_settings(library)) as client:
        path = f"/api/v1/folders/{_find_folder(client, folder)['id']}/missing"
        while after is not None:
            page = client.get(path, after=after, limit=1_000)
            found += page["files"]
            after = page["next"]
    if print_as_json({"files": found}, found, json=json, jsonl=jsonl):
        return
    rows = table("Number", "File", "Since")
    for one in found:
        rows.add_row(str(one["id"]), one["path"], format_time(one["missing_at"]))
    out.print(rows if found else "No files are missing in this folder.", markup=False)


@COMMANDS.add("folder locate", "17 ~/ComfyUI/archive/00042.png")
def locate(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The number printed by folder missing.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new path of the file.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Set the new path of a missing file."""
    with connect(load_settings(library)) as client:
        found = client.post(f"/api/v1/missing-files/{number}:locate", {"path": make_absolute(file)})
    print_json(found) if json else out.print(f"Set the new path of the file. It belongs to image {found['uuid']}.")


@COMMANDS.add("folder exclude", "~/ComfyUI/output 'temp/' '*_mask.png'", "~/ComfyUI/output")
def exclude(
    folder: Folder,
    patterns: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATTERN", help="Patterns in .gitignore syntax. Default: print the folder's patterns."),
    ] = None,
    dry_run: DryRun = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Add exclude patterns to a folder, and hide the images that match."""
    with connect(load_settings(library)) as client:
        root = _find_folder(client, folder)
        if patterns:
            exclude_commands.add_patterns(client, root, patterns, dry_run=dry_run, json=json)
        else:
            exclude_commands.print_patterns(root, json=json)


@COMMANDS.add("folder include", "~/ComfyUI/output 'temp/'")
def include(
    folder: Folder, patterns: Patterns, dry_run: DryRun = False, library: Library = None, json: Json = False
) -> None:
    """Remove exclude patterns from a folder, and show the images again."""
    with connect(load_settings(library)) as client:
        root = _find_folder(client, folder)
        exclude_commands.remove_patterns(client, root, patterns, dry_run=dry_run, json=json)


def _find_folder(client: Client, folder: Path) -> dict[str, Any]:
    place = Path(make_absolute(folder))
    known: list[dict[str, Any]] = client.get("/api/v1/folders")["folders"]
    found = [root for root in known if Path(root["path"]) in (place, place.resolve())]
    if not found:
        raise NotFoundError(f"{folder} is not a library folder. To list them, run: mysticanvas folder list")
    return found[0]


def _print_folders(known: list[dict[str, Any]]) -> None:
    rows = table("Folder", "State", "Files", "Missing")
    for root in known:
        rows.add_row(root["path"], root["state"], f"{root['images']:,}", f"{root['missing']:,}")
    out.print(
        rows if known else "This library has no folders yet. Add one: mysticanvas folder add FOLDER", markup=False
    )
    for root in known:
        for hidden in _describe_hidden(root):
            out.print(f"{root['path']}: {hidden}", markup=False, highlight=False, soft_wrap=True)
        if root["error"]:
            out.print(root["error"], markup=False, highlight=False)


def _describe_hidden(root: dict[str, Any]) -> list[str]:
    counted = [f"{describe(root['not_shown'])} not shown."] if root["not_shown"] else []
    if root["not_watched"]:
        counted.append(f"Not watched ({root['not_watched']}). It is scanned every 2 minutes while the gallery runs.")
    return counted + ([exclude_commands.describe_excluded(root)] if root["excluded"] else [])
