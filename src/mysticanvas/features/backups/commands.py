"""The noun `backup`: creates, lists, tests and restores backups."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from mysticanvas.cli.client import Client, connect, make_absolute
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, JsonLines, Library, load_settings
from mysticanvas.cli.output import out, print_as_json, print_json
from mysticanvas.domain.errors import LibraryError, NotFoundError
from mysticanvas.domain.plurals import format_count
from mysticanvas.settings import Settings

COMMANDS = Commands()


@COMMANDS.add("backup create")
def create(library: Library = None, json: Json = False) -> None:
    """Create a verified backup of the database. While the gallery is open, it creates a backup every hour if something
    changed."""
    with connect(load_settings(library)) as client:
        made = client.post("/api/v1/backups")
        problem = client.get("/api/v1/status")["error"]
    if json:
        print_json(made)
        return
    out.print(f"Saved {made['bytes']:,} bytes to {made['path']}", markup=False)
    if problem is not None:
        out.print(f"Warning: {problem}", markup=False)


@COMMANDS.add("backup list")
def list_backups(library: Library = None, json: Json = False, jsonl: JsonLines = False) -> None:
    """List the backups, newest first."""
    answer = _list_backups(load_settings(library))
    if print_as_json(answer, answer["backups"], json=json, jsonl=jsonl):
        return
    for one in answer["backups"]:
        out.print(f"{one['path']}  {one['bytes']:,} bytes", markup=False)
    if not answer["backups"]:
        out.print("There are no backups yet. Create one with: mysticanvas backup create")


def _list_backups(settings: Settings) -> dict[str, Any]:
    try:
        with connect(settings) as client:
            return dict(client.get("/api/v1/backups"))
    except LibraryError:
        # The backups are there when the database cannot be opened. Loads the database.
        from mysticanvas.features.backups import service as backup_service

        return backup_service.describe_folder(settings.library)


@COMMANDS.add("backup drill", "", "library-2026-11-30T12-00-00.db")
def drill(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The file name of the backup. Default: the newest.")
    ] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Test a backup: restore it to a temporary folder and check it there. Exits with code 1 if a check fails."""
    with connect(load_settings(library)) as client:
        chosen = _find_newest(client) if name is None else name
        result = client.post(f"/api/v1/backups/{quote(chosen, safe='')}:drill")
    if json:
        print_json(result)
    else:
        verdict = result["error"] or f"All checks passed. It contains {format_count(result['images'], 'image')}."
        out.print(f"{result['name']}: {verdict}", markup=False)
    if result["error"]:
        raise typer.Exit(1)


def _find_newest(client: Client) -> str:
    """The name of the newest verified backup. Raises `NotFoundError`."""
    for one in client.get("/api/v1/backups")["backups"]:
        if one["verified"]:
            return str(one["name"])
    raise NotFoundError("There is no verified backup yet. Create one with: mysticanvas backup create")


@COMMANDS.add("backup restore", "~/mysticanvas/backups/library-2026-11-30T12-00-00.db")
def restore(
    copy: Annotated[Path, typer.Argument(metavar="FILE", help="The backup, as printed by backup list.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Restore a backup. The previous state is saved first. Stop the gallery before you restore."""
    # Loads the database.
    from mysticanvas.features.backups import service as backup_service

    done = backup_service.restore(load_settings(library).library, Path(make_absolute(copy)))
    kept = None if done.previous is None else done.previous.path
    if json:
        print_json({"restored": str(copy), "kept": kept, "journals": [str(path) for path in done.journals]})
        return
    out.print(f"Restored the library from {copy}.", markup=False)
    if kept is not None:
        out.print(f"The previous state was saved to {kept}", markup=False)
    if done.newer_edits is not None:
        out.print(done.newer_edits, markup=False, soft_wrap=True)
