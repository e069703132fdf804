"""`autotag`, `autotag-settings`, `autotag-forget`: tags from a language model on a server that the user sets."""

import time
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.edits import Images
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import err, out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count
from mysticanvas.features.autotag.types import LookAt

POLL_S = 0.5
_UUID_LENGTH = 36


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas autotag 'date:30d -has:tag' --dry-run")(autotag)
    app.command("autotag-settings", epilog="Example: mysticanvas autotag-settings --endpoint http://127.0.0.1:8080 "
                "--model qwen2.5-7b --try")(settings)  # fmt: skip
    app.command("autotag-forget", epilog="Example: mysticanvas autotag-forget qwen2.5-7b/1/9f3c02aa")(forget)


def autotag(
    images: Images,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the number of requests.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Include images that this model has already tagged.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all images are tagged.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Request tags from a language model for all images that match a query. Each distinct prompt is sent once."""
    is_uuid = len(images) == _UUID_LENGTH and images.count("-") == 4
    selection: dict[str, Any] = {"uuids": [images]} if is_uuid else {"query": images}
    with connect(load_settings(library)) as client:
        run = client.post("/api/v1/autotag/runs", selection | {"dry_run": dry_run, "again": again})
        if run["requests"] and not dry_run and wait:
            run["failed"] = _wait_for_run(client, run["requests"])
    print_json(run) if json else _print_run(run)
    if run.get("failed"):
        raise typer.Exit(1)


def _print_run(run: dict[str, Any]) -> None:
    requested = f"tags for {format_count(run['images'], 'image')} in {format_count(run['requests'], 'request')}"
    excluded = f"{run['already_tagged']:,} already tagged by this model, {run['without_prompt']:,} without a prompt"
    if run["run"] is None:
        out.print(f"Would request {requested}. Excluded: {excluded}.", highlight=False)
        return
    out.print(f"Requested {requested}. Excluded: {excluded}.", highlight=False)
    if run.get("failed"):
        err.print(f"Failed requests: {run['failed']:,}. To see why, run: mysticanvas jobs", highlight=False)
    out.print(f"To remove these tags: mysticanvas autotag-forget {run['run']}", highlight=False)


def _wait_for_run(client: Client, questions: int) -> int:
    """Waits until the jobs of the run are done. Returns the number of failed jobs."""
    before = _read_job_counts(client)["failed"]
    with progress_bar() as bars:
        bar = bars.add_task("Requesting tags", total=questions, rate="")
        while left := (state := _read_job_counts(client))["waiting"] + state["running"]:
            bars.update(bar, completed=max(0, questions - left))
            time.sleep(POLL_S)
    return max(0, int(_read_job_counts(client)["failed"]) - int(before))


def _read_job_counts(client: Client) -> dict[str, Any]:
    kinds = client.get("/api/v1/jobs/summary")["kinds"]
    none = {"waiting": 0, "running": 0, "failed": 0}
    return next((kind for kind in kinds if kind["kind"] == "autotag"), none)


def settings(
    endpoint: Annotated[str | None, typer.Option(help="URL of a server with an OpenAI-compatible API.")] = None,
    model: Annotated[str | None, typer.Option(help="Name of a model on the server.")] = None,
    look_at: Annotated[LookAt | None, typer.Option(help="What to send to the model.")] = None,
    allow_remote: Annotated[
        bool | None, typer.Option("--allow-remote/--only-here", help="Allow a server on another machine.")
    ] = None,
    after_import: Annotated[
        bool | None, typer.Option("--after-import/--on-demand", help="Tag new images after import, or only on demand.")
    ] = None,
    key: Annotated[bool, typer.Option("--key", help="Prompt for the API key (optional).")] = False,
    off: Annotated[
        bool, typer.Option("--off", help="Turn auto-tagging off and delete the endpoint and its API key.")
    ] = False,
    try_it: Annotated[bool, typer.Option("--try", help="Request tags for an example prompt.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Show or change the settings of auto-tagging: the server, the model, and when images are tagged."""
    changes = {
        "base_url": endpoint, "model": model, "look_at": look_at, "allow_remote": allow_remote,
        "after_import": after_import,
    }  # fmt: skip
    given = {name: value for name, value in changes.items() if value is not None}
    if key:
        given["key"] = typer.prompt("API key", hide_input=True)
    with connect(load_settings(library)) as client:
        current = client.post("/api/v1/autotag:disable") if off else client.get("/api/v1/autotag/settings")
        had_key = current["has_key"]
        if given:
            current = client.put("/api/v1/autotag/settings", _flatten(current["settings"]) | given)
        result = _send_test_request(client, current["settings"]) if try_it else None
    if json:
        print_json(current | ({"tried": result} if result else {}))
        return
    _print_settings(current, result)
    if had_key and not current["has_key"]:
        out.print("The API key was for another server. Enter it again: mysticanvas autotag-settings --key")


def _flatten(settings: dict[str, Any] | None) -> dict[str, Any]:
    if settings is None:
        return {}
    return {**settings["endpoint"], "look_at": settings["look_at"], "after_import": settings["after_import"]}


def _send_test_request(client: Client, settings: dict[str, Any] | None) -> dict[str, Any]:
    if settings is None:
        raise InvalidInputError("Auto-tagging is off. Set a model server first: --endpoint URL --model NAME.")
    example = _flatten(settings) | {"look_at": LookAt.PROMPT}
    del example["after_import"]
    result: dict[str, Any] = client.post("/api/v1/autotag:try", example)
    return result


def _print_settings(current: dict[str, Any], result: dict[str, Any] | None) -> None:
    settings = current["settings"]
    if settings is None:
        out.print("Auto-tagging is off. No endpoint is set.")
        return
    endpoint = settings["endpoint"]
    where = "remote servers allowed" if endpoint["allow_remote"] else "this machine only"
    out.print(f"{endpoint['model']} at {endpoint['base_url']} ({where})", markup=False, highlight=False)
    when = "after import" if settings["after_import"] else "on demand"
    key = "set" if current["has_key"] else "none"
    out.print(f"Sent to the model: {settings['look_at']}. Tags images: {when}. API key: {key}.")
    if result is not None:
        out.print(
            f"Tested in {result['took_ms'] / 1000:.1f} s with the prompt: {result['prompt']}",
            markup=False,
            highlight=False,
        )
        for tag in result["tags"]:
            out.print(f"  {tag['name']} · {tag['category']} · {tag['confidence']:.2f}", markup=False, highlight=False)


def forget(
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="Name of the run, as printed by autotag or shown as the source of a tag."),
    ],
    library: Library = None,
    json: Json = False,
) -> None:
    """Remove all tags that one run of a model assigned. Other tags are kept."""
    with connect(load_settings(library)) as client:
        done = client.post("/api/v1/autotag/runs:forget", {"run": run})
    print_json(done) if json else out.print(
        f"Removed the tags of this run from {format_count(done['changed'], 'image')}.", highlight=False
    )
