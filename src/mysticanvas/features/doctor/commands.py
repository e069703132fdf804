"""`doctor`, `backup`, `reparse`: sound, copied, read again."""

import time
import zipfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.features.backups import service as backup_service

BACKUP_ACTIONS = ("now", "list", "restore")

POLL_S = 0.2


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas doctor --json")(doctor)
    app.command(epilog="Example: mysticanvas backup now")(backup)
    app.command(epilog="Example: mysticanvas reparse model:flux1-dev")(reparse)


def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Make again what can be made again; what you wrote is not touched.")
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a zip for who helps you: versions, counts, events; no text of yours."),
    ] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Check every invariant of the library. Exit code 1 when something is wrong. With --fix, what follows from
    sound rows is made again first: word index, grid, tags shown, missing thumbnails, thumbnails of no image."""
    with connect(settings_for(library)) as client:
        if bundle is not None:
            _write_bundle(bundle.expanduser(), client.get("/api/doctor/bundle")["files"])
            out.print(f"Wrote {bundle}. No prompt, tag, name of a file or folder, or key is in it.", markup=False)
            return
        mended = client.post("/api/doctor/fix")["mended"] if fix else client.get("/api/doctor/fix")["mended"]
        verdict = client.get("/api/doctor") | {"mended": mended}
    _print_verdict(verdict, fix=fix, json=json)
    if not verdict["ok"]:
        raise typer.Exit(1)


def _print_verdict(verdict: dict[str, Any], *, fix: bool, json: bool) -> None:
    if json:
        print_json(verdict)
        return
    for one in verdict["mended"]:
        out.print(f"{'Mended' if fix else 'Can be mended (doctor --fix)'}: {one['what']}. {one['deed']}")
    table = Table(show_header=False, box=None)
    for check in verdict["checks"]:
        mark = "[green]ok[/]" if check["ok"] else "[bold red]wrong[/]"
        table.add_row(mark, check["name"], check["detail"] or "")
    out.print(table)
    out.print("The library is sound." if verdict["ok"] else "[bold red]The library is not sound.[/]")
    if not verdict["ok"] and not verdict["mended"]:
        out.print(
            "What is damaged cannot be derived: mysticanvas backup restore FILE takes a backup, and "
            "mysticanvas rebuild --set-aside makes the library again from your folders and the journal."
        )


def _write_bundle(target: Path, files: dict[str, str]) -> None:
    """A file that is there already is not overwritten."""
    try:
        with target.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    except FileExistsError as error:
        raise InvalidInputError(f"{target} is there already; choose another name.") from error
    except OSError as error:
        raise InvalidInputError(f"{target} cannot be written: {error.strerror}.") from error


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
    until_now = backup_service.restore(library, copy.expanduser().absolute())
    kept = None if until_now is None else until_now.path
    if json:
        print_json({"restored": str(copy), "kept": kept})
        return
    out.print(f"The library is as it was in {copy}.", markup=False)
    if kept is not None:
        out.print(f"What it was until now is in {kept}", markup=False)


def reparse(
    query: Annotated[str, typer.Argument(help="Which images; none: all.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also what today's parsers have read already.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all are read.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Read the texts kept of each image again, with the parsers of today. What you wrote stays."""
    with connect(settings_for(library)) as client:
        queued = client.post("/api/reparse", {"q": query, "all": everything})
        if wait:
            queued["failed"] = _follow_reparse(client, queued["jobs"])
    if json:
        print_json(queued)
    elif not queued["images"]:
        out.print("Nothing to read again: today's parsers have read them all.")
    else:
        out.print(f"{'Read' if wait else 'Queued'} {queued['images']:,} images again.")
        if queued.get("failed"):
            out.print(f"{queued['failed']:,} pieces of work failed: mysticanvas jobs says why.")


def _follow_reparse(client: Client, total: int) -> int:
    """Returns when no such work is waiting or running; how many pieces of it have failed."""
    with progress_bar() as bars:
        bar = bars.add_task("Reading again", total=total, rate="")
        while True:
            kinds = [kind for kind in client.get("/api/jobs")["kinds"] if kind["kind"] == "reparse"]
            left = sum(kind["waiting"] + kind["running"] for kind in kinds)
            bars.update(bar, completed=max(0, total - left))
            if not left:
                return sum(kind["failed"] for kind in kinds)
            time.sleep(POLL_S)
