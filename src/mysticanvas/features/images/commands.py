"""`search`, `show`, `events`: what the library holds and does."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import moment, out, print_json
from mysticanvas.domain.errors import InvalidInputError

EXPORTED_AT_ONCE = 1_000


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas search 'violet storm model:flux1-dev is:favourite' --sort rating")(search)
    app.command(epilog="Example: mysticanvas show 4f9c… --json")(show)
    app.command(epilog="Example: mysticanvas events --level warning")(events)


def search(
    query: Annotated[str, typer.Argument(help="Words and filters, as in the gallery.")] = "",
    sort: Annotated[
        str | None, typer.Option(help="newest, oldest, rating, relevance, size, name, random or random:SEED.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many to print.")] = 50,
    count: Annotated[bool, typer.Option("--count", help="Print only how many match.")] = False,
    facets: Annotated[bool, typer.Option("--facets", help="Print how many match by model, tag, month …")] = False,
    paths: Annotated[bool, typer.Option("--paths", help="Print only paths, one a line.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Find images. Exit code 1 when nothing matches."""
    asked = f"{query} sort:{sort}" if sort else query
    with connect(settings_for(library)) as client:
        found = client.get("/api/search", q=asked, limit=0 if count or facets else limit)
        if facets:
            found["facets"] = client.get("/api/search/facets", q=asked, limit=limit)["facets"]
    if json:
        print_json({name: found[name] for name in ("total", "items", "facets") if name in found})
    elif count:
        typer.echo(found["total"])
    elif facets:
        _print_facets(found)
    elif paths:
        for item in found["items"]:
            typer.echo(item["path"])
    else:
        _print_found(found)
    if not found["total"]:
        raise typer.Exit(1)


def _print_found(found: dict[str, Any]) -> None:
    table = Table("Made", "Prompt", "Path", "ID", box=None)
    for item in found["items"]:
        prompt = (item["prompt"] or "").replace("\n", " ")
        table.add_row(moment(item["timestamp"]), prompt[:70], item["path"], item["uuid"])
    out.print(table, markup=False)
    out.print(f"{found['total']:,} images.")


def _print_facets(found: dict[str, Any]) -> None:
    table = Table("Images", "Filter", box=None)
    for values in found["facets"].values():
        for value in values:
            table.add_row(f"{value['count']:,}", value["text"])
    out.print(table, markup=False)
    out.print(f"{found['total']:,} images.")


def show(
    image: Annotated[str, typer.Argument(metavar="ID", help="The image's uuid, as search prints it.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Everything known about one image."""
    with connect(settings_for(library)) as client:
        detail = client.get(f"/api/generations/{image}")
    if json:
        print_json(detail)
        return
    table = Table(show_header=False, box=None)
    for name, value in detail.items():
        if value not in (None, [], "", {}, False) and name != "parameters_text":
            table.add_row(name.replace("_", " "), str(value))
    out.print(table, markup=False)


def events(
    level: Annotated[list[str] | None, typer.Option(help="info, warning or error; several times for several.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Such as import, scan, crash, backup, migration.")] = None,
    since: Annotated[datetime | None, typer.Option(help="From this day or moment on.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this day or moment.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    export: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all of them, one JSON a line.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """What happened in the library: imports, scans, crashes, backups, migrations. It never leaves this
    machine. Newest first."""
    wanted = {"level": level, "kind": kind, "since": _ms(since), "until": _ms(until)}
    with connect(settings_for(library)) as client:
        if export is not None:
            count = _export(client, export, wanted)
            out.print(f"Wrote {count:,} events to {export}", markup=False)
            return
        log = client.get("/api/log", limit=limit, **wanted)
    if json:
        print_json(log)
        return
    table = Table("When", "Level", "What", "Of", "Details", box=None)
    for event in log["events"]:
        details = ", ".join(f"{k} {v}" for k, v in (event["data"] or {}).items() if v not in ("", None))
        table.add_row(moment(event["at"]), event["level"], event["kind"], event["subject"] or "", details)
    out.print(table if log["events"] else "No such event.", markup=False)


def _export(client: Client, target: Path, wanted: dict[str, Any]) -> int:
    """A file that is there already is not overwritten."""
    before, count = None, 0
    try:
        with target.expanduser().open("x", encoding="utf-8") as file:
            while True:
                page = client.get("/api/log", limit=EXPORTED_AT_ONCE, before=before, **wanted)
                file.writelines(msgspec.json.encode(event).decode() + "\n" for event in page["events"])
                count += len(page["events"])
                if (before := page["before"]) is None:
                    return count
    except FileExistsError as error:
        raise InvalidInputError(f"{target} is there already; choose another name.") from error
    except OSError as error:
        raise InvalidInputError(f"{target} cannot be written: {error.strerror}.") from error


def _ms(given: datetime | None) -> int | None:
    """A moment without a zone is one of this machine's clock."""
    return None if given is None else int(given.timestamp() * 1000)
