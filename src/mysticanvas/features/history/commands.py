"""The commands `undo`, `redo` and `history`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.edits import wait_for_edit
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.errors import ConflictError
from mysticanvas.domain.plurals import format_count


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas undo")(undo)
    app.command(epilog="Example: mysticanvas redo")(redo)
    app.command(epilog="Example: mysticanvas history")(history)


def undo(
    operation: Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="The number shown by `history`.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Undo the last edit, or the edit with this number."""
    _post("undo", operation, library, json)


def redo(
    operation: Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="The number shown by `history`.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Redo the last undone edit, or the edit with this number."""
    _post("redo", operation, library, json)


def _post(action: str, operation: int | None, library: Path | None, json: bool) -> None:
    path = f"/api/v1/edits:{action}" if operation is None else f"/api/v1/edits/{operation}/{action}"
    with connect(load_settings(library)) as client:
        done = wait_for_edit(client, client.post(path))
        if done["error"]:
            raise ConflictError(done["error"])
    if json:
        print_json(done)
        return
    verb = {"undo": "Undid", "redo": "Redid"}[action]
    out.print(f"{verb} edit {done['operation']}: {format_count(done['changed'], 'change')}.", highlight=False)


def history(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 30, library: Library = None, json: Json = False
) -> None:
    """List edits, newest first. Undo any of them by its number."""
    with connect(load_settings(library)) as client:
        answer = client.get("/api/v1/edits", limit=limit)
    if json:
        print_json(answer)
        return
    table = Table("Number", "When", "What", "State", "Changed", box=None)
    for one in answer["operations"]:
        moment = datetime.fromtimestamp(one["at"] / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
        arguments = ", ".join(f"{k} {v}" for k, v in one["steps"][0][1].items()) if one["steps"] else ""
        what = f"{one['kind']} {arguments}"[:80]
        table.add_row(str(one["operation"]), moment, what, one["state"], f"{one['changed']:,}")
    out.print(table if answer["operations"] else "There are no edits yet.", markup=False)
