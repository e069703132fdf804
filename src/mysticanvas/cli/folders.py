"""`roots`: the folders of the library, and what became of their files."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import Client, absolute, connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.printing import out, print_json
from mysticanvas.cli.taking_in import follow_import, print_report
from mysticanvas.domain.errors import InvalidInputError, NotFoundError

ACTIONS = ("list", "scan", "accept")


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas roots scan ~/ComfyUI/output --dry-run")(roots)


def roots(
    action: Annotated[str, typer.Argument(metavar=f"[{'|'.join(ACTIONS)}]")] = "list",
    folder: Annotated[Path | None, typer.Argument(metavar="[FOLDER]", help="One of the library's folders.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what a scan would change, change nothing.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """The folders of the library. `scan` looks for what is new, moved or missing in one. `accept` does so
    too, and takes what is not found for gone, however much it is."""
    if action not in ACTIONS:
        raise InvalidInputError(f"roots knows {', '.join(ACTIONS)}; not “{action}”.")
    with connect(settings_for(library)) as client:
        known = client.get("/api/roots")["roots"]
        if action == "list":
            print_json({"roots": known}) if json else _print_roots(known)
            return
        report = _scan(client, _find(known, folder), accept=action == "accept", dry_run=dry_run)
    print_json(report) if json else print_report(report, dry_run=dry_run)


def _find(known: list[dict[str, Any]], folder: Path | None) -> dict[str, Any]:
    if folder is None:
        raise InvalidInputError("Say which folder: mysticanvas roots scan FOLDER.")
    found = [root for root in known if Path(root["path"]) in (Path(absolute(folder)), folder.resolve())]
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
