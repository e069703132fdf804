"""The noun `history`, and the shortcut `undo`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.edits import wait_for_edit
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, JsonLines, Library, load_settings
from mysticanvas.cli.output import out, print_as_json, print_json, table
from mysticanvas.domain.errors import ConflictError
from mysticanvas.domain.plurals import format_count
from mysticanvas.features.history.sentences import describe_edit

COMMANDS = Commands()
Number = Annotated[
    int | None, typer.Argument(metavar="NUMBER", help="The number of the edit, as printed by history list.")
]


@COMMANDS.add("undo", "", "17")
@COMMANDS.add("history undo", "17")
def undo(operation: Number = None, library: Library = None, json: Json = False) -> None:
    """Undo the last edit, or the edit with this number."""
    _post("undo", operation, library, json)


@COMMANDS.add("history redo", "17")
def redo(operation: Number = None, library: Library = None, json: Json = False) -> None:
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


@COMMANDS.add("history list", "--limit 5")
def list_history(
    limit: Annotated[int, typer.Option(min=1, max=500, help="Maximum number of edits to list.")] = 30,
    library: Library = None,
    json: Json = False,
    jsonl: JsonLines = False,
) -> None:
    """List edits, newest first. Undo any of them by its number."""
    with connect(load_settings(library)) as client:
        answer = client.get("/api/v1/edits", limit=limit)
        names = {} if json or jsonl else _read_names(client, answer["operations"])
    if print_as_json(answer, answer["operations"], json=json, jsonl=jsonl):
        return
    rows = table("Number", "When", "What", "State")
    for one in answer["operations"]:
        moment = datetime.fromtimestamp(one["at"] / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
        rows.add_row(str(one["operation"]), moment, describe_edit(one, names), one["state"])
    out.print(rows if answer["operations"] else "There are no edits yet.", markup=False)


def _read_names(client: Client, edits: list[dict[str, Any]]) -> dict[str, str]:
    """The names of the collections and templates that these edits changed, by UUID."""
    names: dict[str, str] = {}
    for field, path, key in (
        ("collection", "/api/v1/collections", "collections"),
        ("template", "/api/v1/templates", "templates"),
    ):
        if any(field in values for edit in edits for _, values in edit["steps"]):
            names |= {one["uuid"]: one["name"] for one in client.get(path)[key]}
    return names
