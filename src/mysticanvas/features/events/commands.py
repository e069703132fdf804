"""`events`: what happened in the library."""

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


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas events --level warning")(events)


EXPORTED_AT_ONCE = 1_000


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
