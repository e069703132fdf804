"""The command `roots`: library folders and their missing files."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import Client, connect, make_absolute
from mysticanvas.cli.imports import exit_with_failures, print_report, wait_for_import
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import format_time, out, print_json
from mysticanvas.domain.errors import InvalidInputError, NotFoundError
from mysticanvas.features.folders import exclude_commands
from mysticanvas.fs.not_shown import describe

ACTIONS = ("list", "scan", "accept", "remove", "missing", "locate", "excludes", "exclude", "include")


def add_commands(app: typer.Typer) -> None:
    app.command("roots", epilog="Example: mysticanvas roots scan ~/ComfyUI/output --dry-run")(manage_folders)


def manage_folders(
    action: Annotated[str, typer.Argument(metavar=f"[{'|'.join(ACTIONS)}]")] = "list",
    folder: Annotated[Path | None, typer.Argument(metavar="[FOLDER]", help="A library folder.")] = None,
    more: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE | PATTERN…]",
            help="For `locate`: the new path of the file. For `exclude` and `include`: patterns in .gitignore syntax.",
        ),
    ] = None,
    missing: Annotated[int | None, typer.Option(help="For `locate`: the number shown by `roots missing`.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Preview the changes of a scan or of patterns without making them.")
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """List and manage library folders. `scan` finds new, moved and missing files in a folder. `accept` does the same,
    and marks all files that are not found as missing, even if there are many. `remove` removes a folder from the
    library; its files are not changed, and its images stay in the library. `missing` lists missing files. `locate`
    sets the new path of a missing file. `excludes` lists the exclude patterns of a folder. `exclude` adds patterns and
    hides the images that match; `include` removes patterns and shows the images again."""
    if action not in ACTIONS:
        raise InvalidInputError(f"Unknown action “{action}”. Use one of: {', '.join(ACTIONS)}.")
    with connect(load_settings(library)) as client:
        known = client.get("/api/v1/folders")["folders"]
        if action == "list":
            print_json({"folders": known}) if json else _print_folders(known)
            return
        root = _find_folder(known, folder)
        if action == "remove":
            _remove(client, root, json=json)
            return
        if action == "missing":
            _print_missing(client, root, json=json)
            return
        if action == "locate":
            _locate(client, missing, Path(more[0]) if more else None, json=json)
            return
        if action in ("excludes", "exclude", "include"):
            exclude_commands.run(client, root, action, more or [], dry_run=dry_run, json=json)
            return
        report = _scan(client, root, accept=action == "accept", dry_run=dry_run)
    print_json(report) if json else print_report(report, dry_run=dry_run)
    exit_with_failures(report)


def _remove(client: Client, root: dict[str, Any], *, json: bool) -> None:
    done = client.delete(f"/api/v1/folders/{root['id']}")
    if json:
        print_json(done)
        return
    out.print(f"Removed the folder {done['path']} from the library.", markup=False, highlight=False)
    out.print("Its files were not changed, and its images stay in the library. To restore the folder, add it again.")


def _print_missing(client: Client, root: dict[str, Any], *, json: bool) -> None:
    after: int | None = 0
    table = Table("Number", "File", "Since", box=None)
    found: list[dict[str, Any]] = []
    while after is not None:
        page = client.get(f"/api/v1/folders/{root['id']}/missing", after=after, limit=1_000)
        found += page["files"]
        after = page["next"]
    if json:
        print_json({"files": found})
        return
    for one in found:
        table.add_row(str(one["id"]), one["path"], format_time(one["missing_at"]))
    out.print(table if found else "No files are missing in this folder.", markup=False)


def _locate(client: Client, missing: int | None, file: Path | None, *, json: bool) -> None:
    if missing is None or file is None:
        raise InvalidInputError(
            "Specify the file and its number: mysticanvas roots locate FOLDER FILE --missing NUMBER"
        )
    found = client.post(f"/api/v1/missing-files/{missing}:locate", {"path": make_absolute(file)})
    print_json(found) if json else out.print(f"Set the new path of the file. It belongs to image {found['uuid']}.")


def _find_folder(known: list[dict[str, Any]], folder: Path | None) -> dict[str, Any]:
    if folder is None:
        raise InvalidInputError("Specify a folder: mysticanvas roots scan FOLDER")
    place = Path(make_absolute(folder))
    found = [root for root in known if Path(root["path"]) in (place, place.resolve())]
    if not found:
        raise NotFoundError(f"{folder} is not a library folder. Run mysticanvas roots to list them.")
    return found[0]


def _scan(client: Client, root: dict[str, Any], *, accept: bool, dry_run: bool) -> dict[str, Any]:
    import_id = client.post(f"/api/v1/folders/{root['id']}:scan", {"accept": accept, "dry_run": dry_run})["id"]
    return wait_for_import(client, import_id)


def _print_folders(known: list[dict[str, Any]]) -> None:
    table = Table("Folder", "State", "Files", "Missing", box=None)
    for root in known:
        table.add_row(root["path"], root["state"], f"{root['images']:,}", f"{root['missing']:,}")
    out.print(table if known else "This library has no folders yet. Add one: mysticanvas serve FOLDER")
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
