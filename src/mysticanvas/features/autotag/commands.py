"""`autotag`, `autotag-settings`, `autotag-forget`: tags by a model on a server that the person names."""

import time
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.edits import Images
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import err, out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.features.autotag.types import LookAt

FOLLOW_S = 0.5
_UUID_LENGTH = 36


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas autotag 'date:30d -has:tag' --dry-run")(autotag)
    app.command("autotag-settings", epilog="Example: mysticanvas autotag-settings --endpoint http://127.0.0.1:8080 "
                "--model qwen2.5-7b --try")(settings)  # fmt: skip
    app.command("autotag-forget", epilog="Example: mysticanvas autotag-forget qwen2.5-7b/1/9f3c02aa")(forget)


def autotag(
    images: Images,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be asked.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also images that this model has tagged before.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Ask the model for tags of all images that a search finds; equal prompts are asked about once."""
    named = len(images) == _UUID_LENGTH and images.count("-") == 4
    chosen: dict[str, Any] = {"uuids": [images]} if named else {"query": images}
    with connect(settings_for(library)) as client:
        run = client.post("/api/autotag", chosen | {"dry_run": dry_run, "again": again})
        if run["questions"] and not dry_run and wait:
            run["failed"] = _followed(client, run["questions"])
    print_json(run) if json else _print_run(run)
    if run.get("failed"):
        raise typer.Exit(1)


def _print_run(run: dict[str, Any]) -> None:
    asked = f"{run['images']:,} images in {run['questions']:,} questions"
    left_out = f"{run['told']:,} tagged by this model before, {run['silent']:,} with nothing to ask about"
    if run["run"] is None:
        out.print(f"Would ask about {asked}; left out: {left_out}.", highlight=False)
        return
    out.print(f"Asked about {asked}; left out: {left_out}.", highlight=False)
    if run.get("failed"):
        err.print(f"{run['failed']:,} questions had no usable answer; see: mysticanvas jobs", highlight=False)
    out.print(f"Take all of it back: mysticanvas autotag-forget {run['run']}", highlight=False)


def _followed(client: Client, questions: int) -> int:
    """Waits for the queue; how many failed meanwhile."""
    before = _kind(client)["failed"]
    with progress_bar() as bars:
        bar = bars.add_task("Asking", total=questions, rate="")
        while left := (state := _kind(client))["waiting"] + state["running"]:
            bars.update(bar, completed=max(0, questions - left))
            time.sleep(FOLLOW_S)
    return max(0, int(_kind(client)["failed"]) - int(before))


def _kind(client: Client) -> dict[str, Any]:
    kinds = client.get("/api/jobs")["kinds"]
    none = {"waiting": 0, "running": 0, "failed": 0}
    return next((kind for kind in kinds if kind["kind"] == "autotag"), none)


def settings(
    endpoint: Annotated[str | None, typer.Option(help="Address of an OpenAI-compatible server.")] = None,
    model: Annotated[str | None, typer.Option(help="The model that the server is to use.")] = None,
    look_at: Annotated[LookAt | None, typer.Option(help="What the model is shown.")] = None,
    allow_remote: Annotated[
        bool | None, typer.Option("--allow-remote/--only-here", help="Whether it may be another machine.")
    ] = None,
    after_import: Annotated[
        bool | None, typer.Option("--after-import/--on-demand", help="Tag each image as it comes in.")
    ] = None,
    key: Annotated[bool, typer.Option("--key", help="Ask for the key that the server wants.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Forget the endpoint and its key.")] = False,
    try_it: Annotated[bool, typer.Option("--try", help="Ask for the tags of an example.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Show or change which model tags images, and when."""
    changes = {
        "base_url": endpoint, "model": model, "look_at": look_at, "allow_remote": allow_remote,
        "after_import": after_import,
    }  # fmt: skip
    given = {name: value for name, value in changes.items() if value is not None}
    if key:
        given["key"] = typer.prompt("Key", hide_input=True)
    with connect(settings_for(library)) as client:
        current = client.post("/api/autotag/off") if off else client.get("/api/autotag")
        had_key = current["has_key"]
        if given:
            current = client.post("/api/autotag/settings", _flat(current["wishes"]) | given)
        tried = _tried(client, current["wishes"]) if try_it else None
    if json:
        print_json(current | ({"tried": tried} if tried else {}))
        return
    _print(current, tried)
    if had_key and not current["has_key"]:
        out.print("The key was for another server. Enter the key again: mysticanvas autotag-settings --key")


def _flat(wishes: dict[str, Any] | None) -> dict[str, Any]:
    if wishes is None:
        return {}
    return {**wishes["endpoint"], "look_at": wishes["look_at"], "after_import": wishes["after_import"]}


def _tried(client: Client, wishes: dict[str, Any] | None) -> dict[str, Any]:
    if wishes is None:
        raise InvalidInputError("Set the address of a model server first: --endpoint URL --model NAME.")
    example = _flat(wishes) | {"look_at": LookAt.PROMPT}
    del example["after_import"]
    tried: dict[str, Any] = client.post("/api/autotag/try", example)
    return tried


def _print(current: dict[str, Any], tried: dict[str, Any] | None) -> None:
    wishes = current["wishes"]
    if wishes is None:
        out.print("Auto-tagging is off: no endpoint is set.")
        return
    endpoint = wishes["endpoint"]
    where = "may be another machine" if endpoint["allow_remote"] else "only this machine"
    out.print(f"{endpoint['model']} at {endpoint['base_url']} ({where})", markup=False, highlight=False)
    when = "each image as it comes in" if wishes["after_import"] else "on demand"
    out.print(f"looks at the {wishes['look_at']}, {when}; key: {'kept' if current['has_key'] else 'none'}")
    if tried is not None:
        out.print(f"tried in {tried['took_ms'] / 1000:.1f} s: {tried['prompt']}", markup=False, highlight=False)
        for tag in tried["tags"]:
            out.print(f"  {tag['name']} · {tag['category']} · {tag['confidence']:.2f}", markup=False, highlight=False)


def forget(
    run: Annotated[str, typer.Argument(metavar="RUN", help="As autotag printed it, or as a tag's source says.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Take back all tags of one run of a model, and nothing else."""
    with connect(settings_for(library)) as client:
        done = client.post("/api/autotag/forget", {"run": run})
    print_json(done) if json else out.print(f"{done['changed']:,} images are without its tags.", highlight=False)
