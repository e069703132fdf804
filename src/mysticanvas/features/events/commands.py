"""The command `events`: reads the event log."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import format_time, out, print_json
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas events --level warning")(events)


EXPORTED_AT_ONCE = 1_000


def events(
    level: Annotated[
        list[str] | None, typer.Option(help="Only events of this level: info, warning or error. Can be repeated.")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Only events of this kind, such as import, scan, crash or backup. Can be repeated."),
    ] = None,
    since: Annotated[datetime | None, typer.Option(help="Only events at or after this date or time.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Only events before this date or time.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all matching events to FILE, one JSON object per line.")
    ] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """List events of the library, newest first: imports, scans, crashes, backups, migrations. The event log never
    leaves this computer."""
    filters = {"level": level, "kind": kind, "since": _ms(since), "until": _ms(until)}
    with connect(load_settings(library)) as client:
        if export is not None:
            count = _export(client, export, filters)
            out.print(f"Wrote {format_count(count, 'event')} to {export}", markup=False)
            return
        log = client.get("/api/v1/events", limit=limit, **filters)
    if json:
        print_json(log)
        return
    table = Table("When", "Level", "Event", "Subject", "Details", box=None)
    for event in log["events"]:
        details = ", ".join(f"{k} {v}" for k, v in (event["data"] or {}).items() if v not in ("", None))
        table.add_row(format_time(event["at"]), event["level"], event["kind"], event["subject"] or "", details)
    out.print(table if log["events"] else "No events match.", markup=False)


def _export(client: Client, target: Path, filters: dict[str, Any]) -> int:
    """Write all matching events to a new file and return their number. Raises `InvalidInputError` if the file exists
    or cannot be written."""
    before, count = None, 0
    try:
        with target.expanduser().open("x", encoding="utf-8") as file:
            while True:
                page = client.get("/api/v1/events", limit=EXPORTED_AT_ONCE, before=before, **filters)
                file.writelines(msgspec.json.encode(event).decode() + "\n" for event in page["events"])
                count += len(page["events"])
                if (before := page["next"]) is None:
                    return count
    except FileExistsError as error:
        raise InvalidInputError(f"{target} already exists. Choose another name.") from error
    except OSError as error:
        raise InvalidInputError(f"MystiCanvas cannot write {target}: {error.strerror}.") from error


def _ms(given: datetime | None) -> int | None:
    """Returns Unix milliseconds. A time without a time zone is local time."""
    return None if given is None else int(given.timestamp() * 1000)
