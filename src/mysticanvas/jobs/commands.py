"""The noun `job`: shows and controls background jobs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import connect
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, JsonLines, Library, load_settings
from mysticanvas.cli.output import format_time, out, print_as_json, print_json, table
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count

COMMANDS = Commands()
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400

Kind = Annotated[str | None, typer.Argument(metavar="KIND", help="A job kind, as printed by job status. Default: all.")]
Selected = Annotated[
    list[str] | None,
    typer.Argument(metavar="KIND|NUMBER", help="A job kind such as thumb, or numbers of jobs. Default: all."),
]
Reason = Annotated[str | None, typer.Option(help="Only jobs that failed for this reason.")]


@COMMANDS.add("job status")
def show_status(library: Library = None, json: Json = False) -> None:
    """Show the progress of each job kind, which jobs failed, and why."""
    with connect(load_settings(library)) as client:
        state = client.get("/api/v1/jobs/summary")
    _print_state(state, json=json)


@COMMANDS.add("job list", "thumb --status error")
def list_jobs(
    kind: Kind = None,
    status: Annotated[
        str | None, typer.Option(help="Only jobs with this status: queued, running, done, error or cancelled.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Maximum number of jobs.")] = 50,
    library: Library = None,
    json: Json = False,
    jsonl: JsonLines = False,
) -> None:
    """List jobs, newest first."""
    with connect(load_settings(library)) as client:
        page = client.get("/api/v1/jobs", kind=kind, status=status, limit=limit)
    if print_as_json(page, page["jobs"], json=json, jsonl=jsonl):
        return
    rows = table("Number", "Kind", "Status", "Attempts", "File", "Error")
    for job in page["jobs"]:
        error = (job["error"] or "").partition("\n")[0]
        rows.add_row(str(job["id"]), job["kind"], job["status"], str(job["attempts"]), job["file"], error)
    out.print(rows if page["jobs"] else "No jobs.", markup=False)


@COMMANDS.add("job show", "17")
def show(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The number of a job, as printed by job list.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Show the details of a job."""
    with connect(load_settings(library)) as client:
        found = client.get(f"/api/v1/jobs/{number}")
    if json:
        print_json(found)
        return
    rows = table()
    for name, value in found.items():
        rows.add_row(name.replace("_", " "), format_time(value) if name.endswith("_at") else str(value))
    out.print(rows, markup=False)


@COMMANDS.add("job pause", "", "thumb")
def pause(kind: Kind = None, library: Library = None, json: Json = False) -> None:
    """Pause a job kind, or all jobs."""
    _change("pause", {"kind": kind}, "job kind", library, json=json)


@COMMANDS.add("job resume", "", "thumb")
def resume(kind: Kind = None, library: Library = None, json: Json = False) -> None:
    """Resume a paused job kind, or all jobs."""
    _change("resume", {"kind": kind}, "job kind", library, json=json)


@COMMANDS.add("job cancel", "thumb", "17 18")
def cancel(selected: Selected = None, library: Library = None, json: Json = False) -> None:
    """Cancel waiting and running jobs."""
    _change("cancel", _select(selected), "job", library, json=json)


@COMMANDS.add("job retry", "thumb", "17")
def retry(selected: Selected = None, reason: Reason = None, library: Library = None, json: Json = False) -> None:
    """Queue failed jobs again."""
    _change("retry", _select(selected) | {"reason": reason}, "job", library, json=json)


@COMMANDS.add("job discard", "thumb")
def discard(selected: Selected = None, reason: Reason = None, library: Library = None, json: Json = False) -> None:
    """Remove failed jobs."""
    _change("discard", _select(selected) | {"reason": reason}, "job", library, json=json)


@COMMANDS.add("job prune")
def prune(library: Library = None, json: Json = False) -> None:
    """Remove done and cancelled jobs."""
    _change("prune", {}, "job", library, json=json)


@COMMANDS.add("job start", "sha256")
def start(kind: Kind = None, library: Library = None, json: Json = False) -> None:
    """Start a job kind that runs only on request. `sha256` hashes every file, and new files as they are imported."""
    _change("start", {"kind": kind}, "job", library, json=json)


@COMMANDS.add("job stop", "sha256")
def stop(kind: Kind = None, library: Library = None, json: Json = False) -> None:
    """Stop a job kind that runs only on request."""
    _change("stop", {"kind": kind}, "job", library, json=json)


def _select(words: list[str] | None) -> dict[str, Any]:
    ids = [int(word) for word in words or [] if word.isdecimal()]
    kinds = [word for word in words or [] if not word.isdecimal()]
    if len(kinds) > 1:
        raise InvalidInputError("Specify only one job kind. Run the command once for each kind.")
    return {"kind": kinds[0] if kinds else None, "ids": ids or None}


def _change(action: str, selection: dict[str, Any], what: str, library: Path | None, *, json: bool) -> None:
    with connect(load_settings(library)) as client:
        changed = client.post(f"/api/v1/jobs:{action}", selection)["changed"]
    print_json({"changed": changed}) if json else out.print(f"{action}: {format_count(changed, what)}")


def _print_state(state: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(state)
        return
    rows = table("Kind", "Waiting", "Running", "Done", "Failed", "Jobs per second", "Time left")
    for row in state["kinds"]:
        counts = (f"{row[name]:,}" for name in ("waiting", "running", "done", "failed"))
        rate = f"{row['rate_per_s']:.1f}" if row["rate_per_s"] else ""
        left = "paused" if row["paused"] else _duration(row["eta_s"])
        rows.add_row(row["kind"], *counts, rate, left)
    out.print(rows if state["kinds"] else "No jobs.")
    if state["all_paused"]:
        out.print("All jobs are paused. Resume them: mysticanvas job resume")
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
