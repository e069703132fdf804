"""`roots`: the folders of the library, and what became of their files."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import Client, absolute, connect
from mysticanvas.cli.imports import exit_with_failures, follow_import, print_report
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import moment, out, print_json
from mysticanvas.domain.errors import InvalidInputError, NotFoundError

ACTIONS = ("list", "scan", "accept", "remove", "missing", "locate")


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas roots scan ~/ComfyUI/output --dry-run")(roots)


def roots(
    action: Annotated[str, typer.Argument(metavar=f"[{'|'.join(ACTIONS)}]")] = "list",
    folder: Annotated[Path | None, typer.Argument(metavar="[FOLDER]", help="One of the library's folders.")] = None,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="For locate: where the file is now.")] = None,
    missing: Annotated[int | None, typer.Option(help="For locate: the number that roots missing shows.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what a scan would change, change nothing.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """The folders of the library. `scan` looks for what is new, moved or missing in one. `accept` does so
    too, and takes what is not found for gone, however much it is. `remove` takes one out of the library: no
    file is touched, and its images stay. `missing` lists the files that are gone; `locate` says where one of
    them is now."""
    if action not in ACTIONS:
        raise InvalidInputError(f"roots knows {', '.join(ACTIONS)}; not “{action}”.")
    with connect(settings_for(library)) as client:
        known = client.get("/api/roots")["roots"]
        if action == "list":
            print_json({"roots": known}) if json else _print_roots(known)
            return
        root = _find(known, folder)
        if action == "remove":
            _remove(client, root, json=json)
            return
        if action == "missing":
            _print_missing(client, root, json=json)
            return
        if action == "locate":
            _locate(client, missing, file, json=json)
            return
        report = _scan(client, root, accept=action == "accept", dry_run=dry_run)
    print_json(report) if json else print_report(report, dry_run=dry_run)
    exit_with_failures(report)


def _remove(client: Client, root: dict[str, Any], *, json: bool) -> None:
    done = client.post(f"/api/roots/{root['id']}/remove")
    if json:
        print_json(done)
        return
    out.print(f"{done['path']} is none of the library's folders any more.", markup=False, highlight=False)
    out.print("No file was touched; its images stay in the library. Adding it again brings it back as it was.")


def _print_missing(client: Client, root: dict[str, Any], *, json: bool) -> None:
    after: int | None = 0
    table = Table("Number", "File", "Since", box=None)
    found: list[dict[str, Any]] = []
    while after is not None:
        page = client.get(f"/api/roots/{root['id']}/missing", after=after, limit=1_000)
        found += page["files"]
        after = page["next"]
    if json:
        print_json({"files": found})
        return
    for one in found:
        table.add_row(str(one["id"]), one["path"], moment(one["missing_at"]))
    out.print(table if found else "Nothing is missing in this folder.", markup=False)


def _locate(client: Client, missing: int | None, file: Path | None, *, json: bool) -> None:
    if missing is None or file is None:
        raise InvalidInputError("Say which and where: mysticanvas roots locate FOLDER FILE --missing NUMBER.")
    found = client.post(f"/api/roots/missing/{missing}/locate", {"path": absolute(file)})
    print_json(found) if json else out.print(f"Found: {found['uuid']}")


def _find(known: list[dict[str, Any]], folder: Path | None) -> dict[str, Any]:
    if folder is None:
        raise InvalidInputError("Say which folder: mysticanvas roots scan FOLDER.")
    place = Path(absolute(folder))
    found = [root for root in known if Path(root["path"]) in (place, place.resolve())]
    if not found:
        raise NotFoundError(f"{folder} is none of this library's folders; mysticanvas roots lists them.")
    return found[0]


def _scan(client: Client, root: dict[str, Any], *, accept: bool, dry_run: bool) -> dict[str, Any]:
    import_id = client.post(f"/api/roots/{root['id']}/scan", {"accept": accept, "dry_run": dry_run})["id"]
    return follow_import(client, import_id)


def _print_roots(known: list[dict[str, Any]]) -> None:
    table = Table("Folder", "State", "Files", "Missing", box=None)
    for root in known:
        table.add_row(root["path"], root["state"], f"{root['images']:,}", f"{root['missing']:,}")
    out.print(table if known else "This library has no folder yet: mysticanvas serve FOLDER adds one.")
    for root in known:
        if root["trouble"]:
            out.print(root["trouble"], markup=False, highlight=False)
