"""`doctor` and `backup`: is it sound, and is there a second copy."""

from typing import Annotated

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.printing import out, print_json
from mysticanvas.domain.errors import InvalidInputError


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas doctor --json")(doctor)
    app.command(epilog="Example: mysticanvas backup now")(backup)


def doctor(library: Library = None, json: Json = False) -> None:
    """Check every invariant of the library. Exit code 1 when something is wrong."""
    with connect(settings_for(library)) as client:
        verdict = client.get("/api/doctor")
    if json:
        print_json(verdict)
    else:
        table = Table(show_header=False, box=None)
        for check in verdict["checks"]:
            mark = "[green]ok[/]" if check["ok"] else "[bold red]wrong[/]"
            table.add_row(mark, check["name"], check["detail"] or "")
        out.print(table)
        out.print("The library is sound." if verdict["ok"] else "[bold red]The library is not sound.[/]")
    if not verdict["ok"]:
        raise typer.Exit(1)


def backup(
    action: Annotated[str, typer.Argument(metavar="[now|list]")] = "now",
    library: Library = None,
    json: Json = False,
) -> None:
    """Make a verified backup of the database, or list the ones there are."""
    if action not in ("now", "list"):
        raise InvalidInputError(f"backup knows “now” and “list”, not “{action}”.")
    with connect(settings_for(library)) as client:
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
