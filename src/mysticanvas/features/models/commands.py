"""The commands under `models`: checkpoints, LoRAs and other models, and the images made with them."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import Client, connect, make_absolute, wait_for_jobs
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import err, out, print_json
from mysticanvas.domain.errors import InvalidInputError, NotFoundError
from mysticanvas.domain.plurals import format_count

FAILURES_SHOWN = 20

commands = typer.Typer(no_args_is_help=True)
Model = Annotated[str, typer.Argument(metavar="MODEL", help="The ID or name of the model.")]
Kind = Annotated[str | None, typer.Option(help="checkpoint, lora, vae, embedding, controlnet, upscaler …")]


def add_commands(app: typer.Typer) -> None:
    app.add_typer(commands, name="models", help="Checkpoints, LoRAs and other models, and the images made with them.")


@commands.command(epilog="Example: mysticanvas models scan ~/ComfyUI/models")
def scan(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[FOLDER …]", help="Model folders. Default: all known model folders.")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Also read unchanged files.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the hashes are computed.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Scan model folders. Only headers are read now; hashes are computed when MystiCanvas is idle."""
    paths = [make_absolute(folder) for folder in folders or []]
    with connect(load_settings(library)) as client, err.status("Looking for models …"):
        report = client.post("/api/v1/models:scan", {"paths": paths, "reread": anew})
        if wait:
            wait_for_jobs(client)
    print_json(report) if json else _print_scan(report)
    if report["failures"]:
        raise typer.Exit(1)


def _print_scan(report: dict[str, Any]) -> None:
    counts = ", ".join(f"{report[n]:,} {n}" for n in ("added", "changed", "moved", "unchanged", "missing", "failed"))
    out.print(f"{format_count(report['found'], 'model')}: {counts}.")
    for failure in report["failures"][:FAILURES_SHOWN]:
        out.print(f"  {failure['path']}: {failure['reason']}", markup=False, highlight=False)


@commands.command("list", epilog="Example: mysticanvas models list --kind lora")
def list_models(kind: Kind = None, library: Library = None, json: Json = False) -> None:
    """List models, most used first."""
    with connect(load_settings(library)) as client:
        found = client.get("/api/v1/models", kind=kind)
    if json:
        print_json(found)
        return
    table = Table("ID", "Kind", "Name", "Family", "Images", "File", box=None)
    for model in found["models"]:
        doubt = f" ({model['doubtful']:,} matched by name only)" if model["doubtful"] else ""
        where = "missing" if model["missing"] else model["path"] or ""
        images = f"{model['images']:,}{doubt}"
        table.add_row(str(model["id"]), model["kind"], model["name"], model["family"] or "", images, where)
    out.print(
        table if found["models"] else "No models yet. Scan a folder: mysticanvas models scan FOLDER", markup=False
    )


@commands.command(epilog="Example: mysticanvas models show film_grain")
def show(model: Model, kind: Kind = None, library: Library = None, json: Json = False) -> None:
    """Show the details of a model."""
    with connect(load_settings(library)) as client:
        detail = client.get(f"/api/v1/models/{_resolve_id(client, model, kind)}")
    if json:
        print_json(detail)
        return
    table = Table(show_header=False, box=None)
    for name, value in (detail["model"] | detail["about"]).items():
        if value not in (None, [], "", False):
            table.add_row(name.replace("_", " "), ", ".join(value) if isinstance(value, list) else str(value))
    for one in detail["hashes"]:
        table.add_row(one["kind"], f"{one['value']} ({one['source']})")
    for file in detail["files"]:
        table.add_row("file", file["path"] + (" (missing)" if file["missing"] else ""))
    for entry in detail["entries"]:
        table.add_row("also", f"{entry['id']} {entry['name']} (by {entry['merged_by']})")
    out.print(table, markup=False)


@commands.command(epilog="Example: mysticanvas models merge 12 57")
def merge(
    keep: Annotated[str, typer.Argument(metavar="KEEP", help="The ID or name of the model to keep.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The ID or name of its duplicate.")],
    kind: Kind = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Merge two entries of the same model. Can be undone."""
    with connect(load_settings(library)) as client:
        asked = {"keep": _resolve_id(client, keep, kind), "other": _resolve_id(client, other, kind)}
        done = client.post("/api/v1/models:merge", asked)
    if json:
        print_json(done)
    else:
        out.print(f"Merged. Undo: mysticanvas undo {done['operation']}")


def _resolve_id(client: Client, model: str, kind: str | None) -> int:
    """Returns the ID of a model. Raises `NotFoundError` for an unknown name and `InvalidInputError` for an ambiguous
    one."""
    if model.isascii() and model.isdigit():
        return int(model)
    found: list[dict[str, Any]] = client.get("/api/v1/models", name=model, kind=kind)["models"]
    if not found:
        raise NotFoundError(
            f"There is no model “{model}” in this library. Run mysticanvas models list to see all models."
        )
    if len(found) > 1:
        choices = ", ".join(f"{one['id']} ({one['kind']})" for one in found[:10])
        raise InvalidInputError(f"Several models are named “{model}”: {choices}. Use the ID instead.")
    return int(found[0]["id"])
