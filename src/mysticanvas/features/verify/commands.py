"""The command `verify`: checks that files are unchanged and readable."""

import time
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError

ACTIONS = ("start", "stop", "status", "accept", "dismiss")
FINDINGS = ("missing", "changed", "undecodable")
MIB = 1024 * 1024
POLL_S = 0.2
FINDINGS_SHOWN = 50


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas verify --mb-per-s 20 --gb-per-day 50")(verify)


def verify(
    action: Annotated[str, typer.Argument(metavar=f"[{'|'.join(ACTIONS)}]", show_default=False)] = "start",
    finding: Annotated[
        str | None,
        typer.Argument(
            metavar=f"[{'|'.join(FINDINGS)}]", help="For accept and dismiss: only findings of this kind. Default: all."
        ),
    ] = None,
    mb_per_s: Annotated[float | None, typer.Option(min=0.01, help="Maximum MB to read per second.")] = None,
    gb_per_day: Annotated[float | None, typer.Option(min=0.001, help="Maximum GB to read per day.")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until every file is checked.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Read every file again and report missing, changed and undecodable files. Nothing is changed until you `accept`
    the findings; a scan then reads those files again. If verification was stopped or interrupted, it continues where it
    left off. Exits with code 1 if there are findings."""
    if action not in ACTIONS:
        raise InvalidInputError(f"Unknown action “{action}”. Use one of: {', '.join(ACTIONS)}.")
    with connect(load_settings(library)) as client:
        if action in ("accept", "dismiss"):
            changed = client.post(f"/api/v1/verify/findings:{action}", {"finding": finding})["changed"]
            print_json({"changed": changed}) if json else out.print(f"Findings {action}ed: {changed:,}.")
            return
        if action == "start":
            budget = {
                "bytes_per_s": None if mb_per_s is None else int(mb_per_s * MIB),
                "bytes_per_day": None if gb_per_day is None else int(gb_per_day * 1024 * MIB),
            }
            client.post("/api/v1/verify:start", budget)
            if wait:
                _follow(client)
        elif action == "stop":
            client.post("/api/v1/verify:stop")
        report = client.get("/api/v1/verify")
        found = client.get("/api/v1/verify/findings", limit=1_000 if json else FINDINGS_SHOWN)["findings"]
    print_json(report | {"findings": found}) if json else _print(report, found)
    if found:
        raise typer.Exit(1)


def _follow(client: Client) -> None:
    with progress_bar() as bars:
        bar = bars.add_task("Checking", total=None, rate="")
        while (report := client.get("/api/v1/verify"))["state"]["on"]:
            rate = report["rate_bytes_per_s"]
            state = report["state"]
            text = f"{rate / MIB:.0f} MB/s" if rate else ""
            bars.update(bar, total=state["files"], completed=state["checked"], rate=text)
            time.sleep(POLL_S)


def _print(report: dict[str, Any], found: list[dict[str, Any]]) -> None:
    state, counts = report["state"], report["counts"]
    so_far = " so far" if state["on"] else ""
    out.print(f"Files checked{so_far}: {state['checked']:,} of {state['files']:,}.")
    out.print(", ".join(f"{counts[name]:,} {name}" for name in FINDINGS) + ".")
    table = Table(show_header=False, box=None)
    for one in found:
        table.add_row(one["finding"], f"{one['folder']}/{one['path']}", one["detail"])
    if found:
        out.print(table, markup=False)
        out.print("To accept the files as they are now, run: mysticanvas verify accept")
        out.print("To discard the findings, run: mysticanvas verify dismiss")
