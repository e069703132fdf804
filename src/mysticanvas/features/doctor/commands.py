"""`doctor`, `backup`, `reparse`: sound, copied, read again."""

import zipfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.errors import InvalidInputError


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas doctor --json")(doctor)


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
