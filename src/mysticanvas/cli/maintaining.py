"""`doctor`, `backup`, `undo`, `reparse`: sound, copied, taken back, read again."""

import time
from typing import Annotated

import typer
from rich.table import Table

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.printing import out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError

POLL_S = 0.2


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas doctor --json")(doctor)
    app.command(epilog="Example: mysticanvas backup now")(backup)
    app.command(epilog="Example: mysticanvas undo 12")(undo)
    app.command(epilog="Example: mysticanvas reparse model:flux1-dev")(reparse)


def doctor(library: Library = None, json: Json = False) -> None:
    """Check every invariant of the library. Exit code 1 when something is wrong."""
    with connect(settings_for(library)) as client:
        verdict = client.get("/api/doctor")
    if json:
        print_json(verdict)
    else:
        table = Table(show_header=False, box=None)
        for check in verdict["checks"]:
            mark = "[green]ok[/]" if check["ok"] else "[bold red]wrong[/]"
            table.add_row(mark, check["name"], check["detail"] or "")
        out.print(table)
        out.print("The library is sound." if verdict["ok"] else "[bold red]The library is not sound.[/]")
    if not verdict["ok"]:
        raise typer.Exit(1)


def backup(
    action: Annotated[str, typer.Argument(metavar="[now|list]")] = "now",
    library: Library = None,
    json: Json = False,
) -> None:
    """Make a verified backup of the database, or list the ones there are."""
    if action not in ("now", "list"):
        raise InvalidInputError(f"backup knows “now” and “list”, not “{action}”.")
    with connect(settings_for(library)) as client:
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


def undo(
    operation: Annotated[int, typer.Argument(metavar="NUMBER", help="The number that the deed printed.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Take back one deed: a merge, a link, a rating …"""
    with connect(settings_for(library)) as client:
        done = client.post(f"/api/undo/{operation}")
    print_json(done) if json else out.print(f"Taken back: {done['changed']:,} changed.")


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
