"""`backup`: the database copied and restored."""

from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.cli.client import absolute, connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.features.backups import service as backup_service


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas backup now")(backup)


BACKUP_ACTIONS = ("now", "list", "restore")


def backup(
    action: Annotated[str, typer.Argument(metavar=f"[{'|'.join(BACKUP_ACTIONS)}]")] = "now",
    copy: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The backup to restore.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Make a verified backup of the database, list the ones there are, or restore one. A gallery that is
    open makes one by itself every hour in which something changed."""
    if action not in BACKUP_ACTIONS:
        raise InvalidInputError(f"backup knows {', '.join(BACKUP_ACTIONS)}; not “{action}”.")
    settings = settings_for(library)
    if action == "restore":
        _restore(settings.library, copy, json=json)
        return
    with connect(settings) as client:
        if action == "now":
            made = client.post("/api/backups")
            print_json(made) if json else out.print(f"Kept {made['bytes']:,} bytes in {made['path']}")
            return
        listed = client.get("/api/backups")
    if json:
        print_json(listed)
        return
    for one in listed["backups"]:
        out.print(f"{one['path']}  {one['bytes']:,} bytes", markup=False)
    if not listed["backups"]:
        out.print("There is no backup yet: mysticanvas backup now makes one.")


def _restore(library: Path, copy: Path | None, *, json: bool) -> None:
    """The one command that no running gallery can do: it needs the library for itself."""
    if copy is None:
        raise InvalidInputError("Say which: mysticanvas backup restore FILE. mysticanvas backup list shows them.")
    until_now = backup_service.restore(library, Path(absolute(copy)))
    kept = None if until_now is None else until_now.path
    if json:
        print_json({"restored": str(copy), "kept": kept})
        return
    out.print(f"The library is as it was in {copy}.", markup=False)
    if kept is not None:
        out.print(f"What it was until now is in {kept}", markup=False)
