"""The command `doctor`: checks and repairs the library, and writes the support bundle."""

import zipfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json
from mysticanvas.db.io_errors import WAYS_OUT
from mysticanvas.domain.errors import InvalidInputError


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas doctor --json")(doctor)


def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Repair derived data. Your ratings, tags and notes are not changed.")
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a support bundle (ZIP): versions, counts and events, without prompts or names."
        ),
    ] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Check the integrity of the library. Exits with code 1 if a check fails. --fix repairs derived data first:
    indexes, the word index, the gallery index, displayed tags, missing thumbnails and orphaned thumbnails."""
    with connect(load_settings(library)) as client:
        if bundle is not None:
            _write_bundle(bundle.expanduser(), client.get("/api/v1/doctor/bundle")["files"])
            out.print(
                f"Wrote {bundle}. It contains no prompts, tags, file names, folder names or API keys.", markup=False
            )
            return
        repairs = (
            client.post("/api/v1/doctor/repairs")["repairs"] if fix else client.get("/api/v1/doctor/repairs")["repairs"]
        )
        verdict = client.get("/api/v1/doctor") | {"repairs": repairs, "notice": client.get("/api/v1/status")["notice"]}
    _print_verdict(verdict, fix=fix, json=json)
    if not verdict["ok"]:
        raise typer.Exit(1)


def _print_verdict(verdict: dict[str, Any], *, fix: bool, json: bool) -> None:
    if json:
        print_json(verdict)
        return
    if verdict["notice"] is not None:
        out.print(f"Notice: {verdict['notice']['message']}", markup=False)
    for one in verdict["repairs"]:
        out.print(f"Problem: {one['what']}. {'Completed repair' if fix else 'Repair'}: {one['action']}.")
    if verdict["repairs"] and not fix:
        out.print("To make these repairs, run: mysticanvas doctor --fix")
        if verdict["lost"]:
            out.print("These repairs do not restore the damaged data (see below).")
    table = Table(show_header=False, box=None)
    for check in verdict["checks"]:
        mark = "[green]ok[/]" if check["ok"] else "[bold red]failed[/]"
        table.add_row(mark, check["name"], check["detail"] or "")
    out.print(table)
    out.print("All checks passed." if verdict["ok"] else "[bold red]Some checks failed.[/]")
    if not verdict["ok"] and (fix or verdict["lost"] or not verdict["repairs"]):
        out.print(_describe_next_step(verdict), markup=False)


def _describe_next_step(verdict: dict[str, Any]) -> str:
    """What to do about failed checks that are not repaired by --fix."""
    if not verdict["lost"]:
        return (
            "Wait a minute and run mysticanvas doctor again: changes may still be being written. If a check still "
            f"fails: {WAYS_OUT}"
        )
    return (
        f"The damage found by these checks cannot be repaired from other data: {', '.join(verdict['lost'])}. The "
        "journal is not rewritten from the damaged database, because it may be the only good copy of your ratings, "
        f"tags and notes. {WAYS_OUT}"
    )


def _write_bundle(target: Path, files: dict[str, str]) -> None:
    """Write a new ZIP file. Raises `InvalidInputError` if it exists or cannot be written."""
    try:
        with target.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    except FileExistsError as error:
        raise InvalidInputError(f"{target} already exists. Choose another name.") from error
    except OSError as error:
        raise InvalidInputError(f"MystiCanvas cannot write {target}: {error.strerror}.") from error
