"""`rebuild`: restores a library from its folders and its journal."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client, connect, make_absolute
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.db.backup import Backup
from mysticanvas.db.database import FILE_NAME, move_to_backups
from mysticanvas.db.lock import LibraryLock
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count
from mysticanvas.features.journal import before_rebuild
from mysticanvas.features.journal import files as journal_files
from mysticanvas.features.journal.before_rebuild import Outlook

POLL_S = 0.5


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas rebuild")(rebuild)


def rebuild(
    set_aside: Annotated[
        bool,
        typer.Option(
            "--set-aside",
            help="Move the existing database to the backups, then rebuild the library from its own journal.",
        ),
    ] = False,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            metavar="FILE",
            help="Restore from this journal, for example from journal/set-aside. Without --set-aside, its data is "
            "added to the library.",
            show_default=False,
        ),
    ] = None,
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="With --set-aside: rebuild even if the journal is missing or incomplete."),
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Rebuild the library when its database is lost or damaged.

    Your folders are imported again, and your ratings, tags, notes, collections, templates and lineage are restored from
    the journal. Then the library is checked as with mysticanvas doctor. If the journal lacks something that the
    database has recorded, nothing is changed. Exits with code 1 if lines of the journal are damaged or a check fails.
    """
    settings = load_settings(library)
    offered = Path(make_absolute(journal)) if journal is not None else None
    if offered is not None:
        before_rebuild.check_offered(offered)
    outlook = _move_database(settings.library, offered, accept_loss=accept_loss, json=json) if set_aside else None
    if offered is not None:
        journal_files.offer(settings.library / journal_files.FOLDER, offered)
    with connect(settings) as client:
        if not client.get("/api/v1/library/rebuild")["journals"]:
            raise _describe_no_journal(settings.library, is_moved=outlook is not None)
        client.post("/api/v1/library/rebuild")
        report = _wait_for_report(client)
    report["unlisted"] = outlook.unlisted if outlook is not None else None
    print_json(report) if json else _print_report(report)
    if report["unread"] or report["unsound"]:
        raise typer.Exit(1)


def _move_database(library: Path, offered: Path | None, *, accept_loss: bool, json: bool) -> Outlook:
    """Move the database to the backups. Raises `InvalidInputError` if the library could not be rebuilt whole."""
    with LibraryLock.hold(library):
        outlook = before_rebuild.examine(library)
    if outlook.missing is not None and offered is None and not accept_loss:
        raise before_rebuild.refuse_loss(library, outlook.missing)
    previous = move_to_backups(library)
    if offered is not None:
        folder = library / journal_files.FOLDER
        for one in journal_files.find_journals(folder):
            journal_files.set_aside(folder, one)
    if previous is not None and not json:
        _print_moved(library, previous)
    return outlook


def _print_moved(library: Path, previous: Backup) -> None:
    out.print(f"Moved the previous database to {previous.path}", markup=False, soft_wrap=True)
    if previous.verified:
        out.print("To put it back, run:")
        out.print(f'  mysticanvas backup restore "{previous.path}"', markup=False, soft_wrap=True)
        return
    out.print(
        "It is damaged and was kept as it is. To put it back, stop MystiCanvas and copy this file to "
        f"{library / FILE_NAME}",
        markup=False,
        soft_wrap=True,
    )


def _describe_no_journal(library: Path, *, is_moved: bool) -> InvalidInputError:
    if is_moved:
        return InvalidInputError(
            f"{library} contains no journal, so the library is now empty. Add your folders with mysticanvas serve "
            "FOLDER, or put the previous database back with the command above."
        )
    return InvalidInputError(
        f"The only journal in {library} belongs to the current database, which contains all of its data. If "
        "mysticanvas doctor says that the database is damaged, move it to the backups and rebuild the library from its "
        "journal: mysticanvas rebuild --set-aside"
    )


def _wait_for_report(client: Client) -> dict[str, Any]:
    with progress_bar() as bars:
        bar = bars.add_task("Rebuilding", total=None, rate="")
        while True:
            now = client.get("/api/v1/library/rebuild", wait=POLL_S)
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
    if report["unlisted"]:
        out.print(
            "Not restored, because they are not in the journal: "
            f"{format_count(report['unlisted'], 'missing image')} without ratings, tags or notes. If a file reappears "
            "in one of your folders, it is imported again."
        )
    if report["unread"]:
        _print_damaged(report)
    for failed in report["unsound"]:
        out.print(f"This check of the rebuilt library failed: {failed}", markup=False)
    if report["unsound"]:
        out.print("To repair derived data, run: mysticanvas doctor --fix")


def _print_damaged(report: dict[str, Any]) -> None:
    """Prints what the damaged lines contained, and which backup may contain the same items."""
    out.print(f"{format_count(report['unread'], 'damaged line')} in the journal. These items were not restored:")
    for held in report["damaged"]:
        out.print(f"  {held}", markup=False)
    if report["backup"] is not None:
        out.print("The newest backup may contain them. To restore it in place of this library, run:")
        out.print(f'  mysticanvas backup restore "{report["backup"]}"', markup=False, soft_wrap=True)
    else:
        out.print("No backup may contain them.")
