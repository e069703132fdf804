"""The noun `backup`: creates, lists, tests and restores backups."""

from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.cli.client import connect, make_absolute
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, JsonLines, Library, load_settings
from mysticanvas.cli.output import format_count, out, print_as_json, print_json

COMMANDS = Commands()


@COMMANDS.add("backup create")
def create(library: Library = None, json: Json = False) -> None:
    """Create a verified backup of the database. While the gallery is open, it creates a backup every hour if something
    changed."""
    with connect(load_settings(library)) as client:
        made = client.post("/api/backups")
    print_json(made) if json else out.print(f"Saved {made['bytes']:,} bytes to {made['path']}", markup=False)


@COMMANDS.add("backup list")
def list_backups(library: Library = None, json: Json = False, jsonl: JsonLines = False) -> None:
    """List the backups, newest first."""
    with connect(load_settings(library)) as client:
        answer = client.get("/api/backups")
    if print_as_json(answer, answer["backups"], json=json, jsonl=jsonl):
        return
    for one in answer["backups"]:
        out.print(f"{one['path']}  {one['bytes']:,} bytes", markup=False)
    if not answer["backups"]:
        out.print("There are no backups yet. Create one with: mysticanvas backup create")


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
        result = client.post("/api/backups/drill", {"name": name})
    if json:
        print_json(result)
    else:
        verdict = result["trouble"] or f"All checks passed. It contains {format_count(result['images'], 'image')}."
        out.print(f"{result['name']}: {verdict}", markup=False)
    if result["trouble"]:
        raise typer.Exit(1)


@COMMANDS.add("backup restore", "~/mysticanvas/backups/library-2026-11-30T12-00-00.db")
def restore(
    copy: Annotated[Path, typer.Argument(metavar="FILE", help="The backup, as printed by backup list.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Restore a backup. The previous state is saved first. Stop the gallery before you restore."""
    # Loads the database.
    from mysticanvas.features.backups import service as backup_service

    previous = backup_service.restore(load_settings(library).library, Path(make_absolute(copy)))
    kept = None if previous is None else previous.path
    if json:
        print_json({"restored": str(copy), "kept": kept})
        return
    out.print(f"Restored the library from {copy}.", markup=False)
    if kept is not None:
        out.print(f"The previous state was saved to {kept}", markup=False)
