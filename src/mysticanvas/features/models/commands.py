"""The noun `model`: checkpoints, LoRAs and other models, and the images made with them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client, connect, make_absolute, wait_for_jobs
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, JsonLines, Library, load_settings
from mysticanvas.cli.output import err, out, print_as_json, print_json, table
from mysticanvas.domain.errors import InvalidInputError, NotFoundError
from mysticanvas.domain.plurals import format_count

FAILURES_SHOWN = 20

COMMANDS = Commands()
Model = Annotated[str, typer.Argument(metavar="MODEL", help="The ID or name of the model.")]
Kind = Annotated[str | None, typer.Option(help="checkpoint, lora, vae, embedding, controlnet, upscaler …")]


@COMMANDS.add("model scan", "~/ComfyUI/models", "")
def scan(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="FOLDER", help="Model folders. Default: all known model folders.")
    ] = None,
    anew: Annotated[bool, typer.Option("--all", help="Also read unchanged files.")] = False,
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


@COMMANDS.add("model list", "--kind lora")
def list_models(kind: Kind = None, library: Library = None, json: Json = False, jsonl: JsonLines = False) -> None:
    """List models, most used first."""
    with connect(load_settings(library)) as client:
        found = client.get("/api/v1/models", kind=kind)
    if print_as_json(found, found["models"], json=json, jsonl=jsonl):
        return
    rows = table("ID", "Kind", "Name", "Family", "Images", "File")
    for model in found["models"]:
        doubt = f" ({model['doubtful']:,} matched by name only)" if model["doubtful"] else ""
        where = "missing" if model["missing"] else model["path"] or ""
        images = f"{model['images']:,}{doubt}"
        rows.add_row(str(model["id"]), model["kind"], model["name"], model["family"] or "", images, where)
    out.print(rows if found["models"] else "No models yet. Scan a folder: mysticanvas model scan FOLDER", markup=False)


@COMMANDS.add("model show", "film_grain")
def show(model: Model, kind: Kind = None, library: Library = None, json: Json = False) -> None:
    """Show the details of a model."""
    with connect(load_settings(library)) as client:
        detail = client.get(f"/api/v1/models/{_resolve_id(client, model, kind)}")
    if json:
        print_json(detail)
        return
    rows = table()
    for name, value in (detail["model"] | detail["about"]).items():
        if value not in (None, [], "", False):
            rows.add_row(name.replace("_", " "), ", ".join(value) if isinstance(value, list) else str(value))
    for one in detail["hashes"]:
        rows.add_row(one["kind"], f"{one['value']} ({one['source']})")
    for file in detail["files"]:
        rows.add_row("file", file["path"] + (" (missing)" if file["missing"] else ""))
    for entry in detail["entries"]:
        rows.add_row("also", f"{entry['id']} {entry['name']} (by {entry['merged_by']})")
    out.print(rows, markup=False)


@COMMANDS.add("model merge", "12 57")
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
            f"There is no model “{model}” in this library. Run mysticanvas model list to see all models."
        )
    if len(found) > 1:
        choices = ", ".join(f"{one['id']} ({one['kind']})" for one in found[:10])
        raise InvalidInputError(f"Several models are named “{model}”: {choices}. Use the ID instead.")
    return int(found[0]["id"])
