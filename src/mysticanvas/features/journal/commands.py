"""`rebuild`: the library again, from folders and journal."""

from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.db.database import put_away
from mysticanvas.domain.errors import InvalidInputError

POLL_S = 0.5


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas rebuild")(rebuild)


def rebuild(
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Put the database that is there among the backups first.")
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Make the library again when its database is lost or damaged: your folders are imported, and what you
    wrote (ratings, tags, collections, notes, templates, lineage …) comes back from the journal."""
    settings = settings_for(library)
    kept = put_away(settings.library) if set_aside else None
    if kept is not None and not json:
        out.print(f"The database that was there is kept in {kept.path}", markup=False)
    with connect(settings) as client:
        if not client.get("/api/rebuild")["journals"]:
            raise InvalidInputError(
                f"There is no journal to rebuild from in {settings.library}, beside that of the library itself. "
                "To make this library again from its own journal, add --set-aside."
            )
        client.post("/api/rebuild")
        report = _follow(client)
    print_json(report) if json else _print(report)


def _follow(client: Client) -> dict[str, Any]:
    with progress_bar() as bars:
        bar = bars.add_task("Rebuilding", total=None, rate="")
        while True:
            now = client.get("/api/rebuild", wait=POLL_S)
            bars.update(bar, description=now["message"], total=now["total"] or None, completed=now["done"])
            if now["report"] is not None:
                return dict(now["report"])


def _print(report: dict[str, Any]) -> None:
    out.print(
        f"Gave back what you wrote of [bold]{report['images']:,}[/] images, {report['tags']:,} tags, "
        f"{report['collections']:,} collections and {report['templates']:,} templates."
    )
    if report["absent"]:
        out.print(f"{report['absent']:,} of the images are not in your folders now; they wait for their files.")
    if report["unread"]:
        out.print(f"{report['unread']:,} lines of the journal are damaged and were left out.")
