"""`library rebuild`: restores a library from its folders and its journal."""

from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import format_count, out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError

COMMANDS = Commands()
POLL_S = 0.5


@COMMANDS.add("library rebuild", "", "--set-aside")
def rebuild(
    set_aside: Annotated[
        bool,
        typer.Option(
            "--set-aside",
            help="Move the existing database to the backups, then rebuild the library from its own journal.",
        ),
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Rebuild the library when its database is lost or damaged.

    Your folders are imported again, and your ratings, tags, notes, collections, templates and lineage are restored from
    the journal. Then the library is checked as with mysticanvas doctor. Exits with code 1 if lines of the journal are
    damaged or a check fails.
    """
    # Loads the database.
    from mysticanvas.db.database import move_to_backups

    settings = load_settings(library)
    previous = move_to_backups(settings.library) if set_aside else None
    if previous is not None and not json:
        out.print(f"Moved the previous database to {previous.path}", markup=False)
    with connect(settings) as client:
        if not client.get("/api/rebuild")["journals"]:
            raise InvalidInputError(
                f"The only journal in {settings.library} belongs to the current database. To move this database to the "
                "backups and rebuild the library from its journal, run: mysticanvas library rebuild --set-aside"
            )
        client.post("/api/rebuild")
        report = _wait_for_report(client)
    print_json(report) if json else _print_report(report)
    if report["unread"] or report["unsound"]:
        raise typer.Exit(1)


def _wait_for_report(client: Client) -> dict[str, Any]:
    with progress_bar() as bars:
        bar = bars.add_task("Rebuilding", total=None, rate="")
        while True:
            now = client.get("/api/rebuild", wait=POLL_S)
            bars.update(bar, description=now["message"], total=now["total"] or None, completed=now["done"])
            if now["report"] is not None:
                return dict(now["report"])


def _print_report(report: dict[str, Any]) -> None:
    out.print(
        f"Restored the ratings, tags and notes of {format_count(report['images'], 'image')}, "
        f"{format_count(report['tags'], 'tag')}, {format_count(report['collections'], 'collection')} and "
        f"{format_count(report['templates'], 'template')}."
    )
    if report["absent"]:
        out.print(f"Restored as missing images, because their files are not in your folders: {report['absent']:,}.")
    if report["unread"]:
        _print_damaged(report)
    for failed in report["unsound"]:
        out.print(f"This check of the rebuilt library failed: {failed}", markup=False)
    if report["unsound"]:
        out.print("To repair derived data, run: mysticanvas doctor --fix")


def _print_damaged(report: dict[str, Any]) -> None:
    """Prints what the damaged lines contained, and which backup may contain the same items."""
    out.print(f"{report['unread']:,} lines of the journal are damaged, so these items were not restored:")
    for held in report["damaged"]:
        out.print(f"  {held}", markup=False)
    if report["backup"] is not None:
        out.print("The newest backup may contain them. To restore it in place of this library, run:")
        out.print(f'  mysticanvas backup restore "{report["backup"]}"', markup=False, soft_wrap=True)
    else:
        out.print("No backup may contain them.")
