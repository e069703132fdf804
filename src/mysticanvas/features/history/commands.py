"""`undo`, `redo`, `history`: changes taken back, redone and listed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.edits import followed
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.errors import ConflictError


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas undo")(undo)
    app.command(epilog="Example: mysticanvas redo")(redo)
    app.command(epilog="Example: mysticanvas history")(history)


def undo(
    operation: Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="As history prints it.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Take back the last change, or the one of this number."""
    _turn("undo", operation, library, json)


def redo(
    operation: Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="As history prints it.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Do again what was undone last, or the change of this number."""
    _turn("redo", operation, library, json)


def _turn(how: str, operation: int | None, library: Path | None, json: bool) -> None:
    path = f"/api/{how}" if operation is None else f"/api/{how}/{operation}"
    with connect(settings_for(library)) as client:
        done = followed(client, client.post(path))
        if done["trouble"]:
            raise ConflictError(done["trouble"])
    print_json(done) if json else out.print(f"{how}: number {done['operation']}, {done['changed']:,} changed")


def history(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 30, library: Library = None, json: Json = False
) -> None:
    """What was changed, newest first; each can be undone by its number."""
    with connect(settings_for(library)) as client:
        listed = client.get("/api/operations", limit=limit)
    if json:
        print_json(listed)
        return
    table = Table("Number", "When", "What", "State", "Changed", box=None)
    for one in listed["operations"]:
        moment = datetime.fromtimestamp(one["at"] / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
        arguments = ", ".join(f"{k} {v}" for k, v in one["steps"][0][1].items()) if one["steps"] else ""
        what = f"{one['kind']} {arguments}"[:80]
        table.add_row(str(one["operation"]), moment, what, one["state"], f"{one['changed']:,}")
    out.print(table if listed["operations"] else "Nothing has been changed yet.", markup=False)
