"""The command `backup`: creates, lists and restores backups."""

from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.cli.client import connect, make_absolute
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.errors import InvalidInputError, LibraryError
from mysticanvas.features.backups import service as backup_service
from mysticanvas.settings import Settings


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas backup now")(backup)


BACKUP_ACTIONS = ("now", "list", "restore")


def backup(
    action: Annotated[str, typer.Argument(metavar=f"[{'|'.join(BACKUP_ACTIONS)}]")] = "now",
    copy: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The backup to restore.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Create a verified backup of the database, list the backups, or restore one. While the server runs, it creates
    a backup every hour if something changed."""
    if action not in BACKUP_ACTIONS:
        raise InvalidInputError(f"Unknown action “{action}”. Use one of: {', '.join(BACKUP_ACTIONS)}.")
    settings = load_settings(library)
    if action == "restore":
        _restore(settings.library, copy, json=json)
        return
    if action == "now":
        _make(settings, json=json)
        return
    try:
        with connect(settings) as client:
            answer = client.get("/api/v1/backups")
    except LibraryError:
        # The backups are there when the database cannot be opened.
        answer = backup_service.describe_folder(settings.library)
    if json:
        print_json(answer)
        return
    for one in answer["backups"]:
        out.print(f"{one['path']}  {one['bytes']:,} bytes", markup=False)
    if not answer["backups"]:
        out.print("There are no backups yet. Create one with mysticanvas backup now.")


def _make(settings: Settings, *, json: bool) -> None:
    with connect(settings) as client:
        made = client.post("/api/v1/backups")
        problem = client.get("/api/v1/status")["trouble"]
    print_json(made) if json else out.print(f"Saved {made['bytes']:,} bytes to {made['path']}")
    if problem is not None and not json:
        out.print(f"Warning: {problem}", markup=False)


def _restore(library: Path, copy: Path | None, *, json: bool) -> None:
    """Restore without a server: the library must not be open in another process."""
    if copy is None:
        raise InvalidInputError(
            "Specify a backup: mysticanvas backup restore FILE. List them with mysticanvas backup list."
        )
    done = backup_service.restore(library, Path(make_absolute(copy)))
    kept = None if done.previous is None else done.previous.path
    if json:
        print_json({"restored": str(copy), "kept": kept, "journals": [str(path) for path in done.journals]})
        return
    out.print(f"Restored the library from {copy}.", markup=False)
    if kept is not None:
        out.print(f"The previous state was saved to {kept}", markup=False)
    if done.newer_edits is not None:
        out.print(done.newer_edits, markup=False, soft_wrap=True)
