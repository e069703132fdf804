"""`jobs`: work in the background, seen and steered."""

from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import moment, out, print_json
from mysticanvas.domain.errors import InvalidInputError

CHANGES = ("pause", "resume", "retry", "cancel", "discard", "prune", "start", "stop")
ACTIONS = ("status", "list", "show", *CHANGES)
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas jobs retry thumb")(jobs)


def jobs(
    action: Annotated[str, typer.Argument(metavar=f"[{'|'.join(ACTIONS)}]", show_default=False)] = "status",
    what: Annotated[
        list[str] | None, typer.Argument(metavar="[KIND | ID …]", help="A kind such as thumb, or jobs by id; else all.")
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="list: only queued, running, done, error or cancelled ones.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="retry, discard: only those parked for this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="list: how many.")] = 50,
    library: Library = None,
    json: Json = False,
) -> None:
    """Work in the background: how far it is, what failed and why. `list` and `show` say more. Steer it:
    pause, resume, cancel what waits or runs, retry or discard what failed, prune what is done. `start sha256`
    hashes every file, now and from now on."""
    if action not in ACTIONS:
        raise InvalidInputError(f"jobs knows {', '.join(ACTIONS)}; not “{action}”.")
    kind, ids = _kind_and_ids(what or [])
    with connect(settings_for(library)) as client:
        if action in CHANGES:
            _steer(client, action, {"kind": kind, "ids": ids, "reason": reason}, json=json)
        elif action == "list":
            _list(client.get("/api/jobs/list", kind=kind, status=status, limit=limit), json=json)
        elif action == "show":
            _show_all(client, ids or [], json=json)
        else:
            _print_state(client.get("/api/jobs"), json=json)


def _kind_and_ids(words: list[str]) -> tuple[str | None, list[int] | None]:
    ids = [int(word) for word in words if word.isdecimal()]
    kinds = [word for word in words if not word.isdecimal()]
    if len(kinds) > 1:
        raise InvalidInputError("Name one kind at a time.")
    return (kinds[0] if kinds else None), (ids or None)


def _steer(client: Client, deed: str, asked: dict[str, Any], *, json: bool) -> None:
    changed = client.post(f"/api/jobs/{deed}", asked)["changed"]
    print_json({"changed": changed}) if json else out.print(f"{deed}: {changed:,}")


def _list(listed: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(listed)
        return
    table = Table("Id", "Kind", "Status", "Tries", "Of", "", box=None)
    for job in listed["jobs"]:
        error = (job["error"] or "").partition("\n")[0]
        table.add_row(str(job["id"]), job["kind"], job["status"], str(job["attempts"]), job["file"], error)
    out.print(table if listed["jobs"] else "There is no such job.", markup=False)


def _show_all(client: Client, ids: list[int], *, json: bool) -> None:
    if not ids:
        raise InvalidInputError("Say which: mysticanvas jobs show ID. mysticanvas jobs list names them.")
    for job in ids:
        found = client.get(f"/api/jobs/{job}")
        if json:
            print_json(found)
            continue
        table = Table(show_header=False, box=None)
        for name, value in found.items():
            table.add_row(name.replace("_", " "), moment(value) if name.endswith("_at") else str(value))
        out.print(table, markup=False)


def _print_state(state: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(state)
        return
    table = Table("Kind", "Waiting", "Running", "Done", "Failed", "A second", "Left", box=None)
    for row in state["kinds"]:
        counts = (f"{row[name]:,}" for name in ("waiting", "running", "done", "failed"))
        rate = f"{row['rate_per_s']:.1f}" if row["rate_per_s"] else ""
        left = "paused" if row["paused"] else _duration(row["eta_s"])
        table.add_row(row["kind"], *counts, rate, left)
    out.print(table if state["kinds"] else "No work is waiting.")
    if state["all_paused"]:
        out.print("Everything is paused: mysticanvas jobs resume goes on.")
    for one in state["reasons"]:
        out.print(f"  {one['jobs']:,} × {one['kind']}: {one['reason']}", markup=False, highlight=False)
    for failed in state["failed"]:
        reason = failed["error"].partition("\n")[0]
        out.print(f"  {failed['id']} {failed['kind']} {failed['file']}: {reason}", markup=False, highlight=False)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit_s, name in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min")):
        if seconds >= unit_s:
            return f"{seconds / unit_s:.1f} {name}"
    return f"{seconds:.0f} s"
