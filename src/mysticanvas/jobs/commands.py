"""`jobs`: shows and controls background jobs."""

from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import format_time, out, print_json
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count

CHANGES = ("pause", "resume", "retry", "cancel", "discard", "prune", "start", "stop")
ACTIONS = ("status", "list", "show", *CHANGES)
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas jobs retry thumb")(jobs)


def jobs(
    action: Annotated[str, typer.Argument(metavar=f"[{'|'.join(ACTIONS)}]", show_default=False)] = "status",
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KIND | ID …]", help="A job kind such as thumb, or job IDs. Default: all."),
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="list: only jobs with this status: queued, running, done, error or cancelled.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="retry, discard: only jobs that failed for this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="list: maximum number of jobs.")] = 50,
    library: Library = None,
    json: Json = False,
) -> None:
    """Show the progress of background jobs, which jobs failed, and why. `list` and `show` print details. Other actions
    pause and resume jobs, cancel waiting or running jobs, retry or discard failed jobs, and prune finished jobs.
    `start sha256` hashes every file, and new files as they are imported."""
    if action not in ACTIONS:
        raise InvalidInputError(f"Unknown action “{action}”. Use one of: {', '.join(ACTIONS)}.")
    kind, ids = _kind_and_ids(what or [])
    with connect(load_settings(library)) as client:
        if action in CHANGES:
            _change(client, action, {"kind": kind, "ids": ids, "reason": reason}, json=json)
        elif action == "list":
            _print_list(client.get("/api/v1/jobs", kind=kind, status=status, limit=limit), json=json)
        elif action == "show":
            _show_all(client, ids or [], json=json)
        else:
            _print_state(client.get("/api/v1/jobs/summary"), json=json)


def _kind_and_ids(words: list[str]) -> tuple[str | None, list[int] | None]:
    ids = [int(word) for word in words if word.isdecimal()]
    kinds = [word for word in words if not word.isdecimal()]
    if len(kinds) > 1:
        raise InvalidInputError("Specify only one job kind. Run the command once for each kind.")
    return (kinds[0] if kinds else None), (ids or None)


def _change(client: Client, action: str, selection: dict[str, Any], *, json: bool) -> None:
    changed = client.post(f"/api/v1/jobs:{action}", selection)["changed"]
    what = "job kind" if action in ("pause", "resume") else "job"
    print_json({"changed": changed}) if json else out.print(f"{action}: {format_count(changed, what)}")


def _print_list(page: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(page)
        return
    table = Table("ID", "Kind", "Status", "Attempts", "File", "Error", box=None)
    for job in page["jobs"]:
        error = (job["error"] or "").partition("\n")[0]
        table.add_row(str(job["id"]), job["kind"], job["status"], str(job["attempts"]), job["file"], error)
    out.print(table if page["jobs"] else "No jobs.", markup=False)


def _show_all(client: Client, ids: list[int], *, json: bool) -> None:
    if not ids:
        raise InvalidInputError("Specify a job ID: mysticanvas jobs show ID. To list the IDs: mysticanvas jobs list.")
    for job in ids:
        found = client.get(f"/api/v1/jobs/{job}")
        if json:
            print_json(found)
            continue
        table = Table(show_header=False, box=None)
        for name, value in found.items():
            table.add_row(name.replace("_", " "), format_time(value) if name.endswith("_at") else str(value))
        out.print(table, markup=False)


def _print_state(state: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(state)
        return
    table = Table("Kind", "Waiting", "Running", "Done", "Failed", "Jobs per second", "Time left", box=None)
    for row in state["kinds"]:
        counts = (f"{row[name]:,}" for name in ("waiting", "running", "done", "failed"))
        rate = f"{row['rate_per_s']:.1f}" if row["rate_per_s"] else ""
        left = "paused" if row["paused"] else _duration(row["eta_s"])
        table.add_row(row["kind"], *counts, rate, left)
    out.print(table if state["kinds"] else "No jobs.")
    if state["all_paused"]:
        out.print("All jobs are paused. Resume them: mysticanvas jobs resume")
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
