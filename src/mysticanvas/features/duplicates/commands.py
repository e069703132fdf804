"""`duplicates` and `keep-one`: find groups of duplicates and merge them."""

from typing import Annotated, Any

import typer

from mysticanvas.cli.client import connect
from mysticanvas.cli.edits import print_result, wait_for_edit
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.plurals import format_count
from mysticanvas.domain.similarity import DuplicateKind


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas duplicates --by recipe")(duplicates)
    app.command("keep-one", epilog="Example: mysticanvas keep-one 4f9c… 0d2e… 7a10…")(merge_duplicates)


def duplicates(
    by: Annotated[
        DuplicateKind, typer.Option(help="Group by visual similarity, settings and seed, or identical bytes.")
    ] = (DuplicateKind.PICTURE),
    start: Annotated[int, typer.Option(min=0, help="Number of groups to skip.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Maximum number of groups to show.")] = 20,
    library: Library = None,
    json: Json = False,
) -> None:
    """List groups of duplicate images, newest first, with the suggested image to keep and the reason. An image and the
    images made from it are not duplicates, nor are variations of the same prompt. Exits with code 1 if there are no
    duplicates."""
    with connect(load_settings(library)) as client:
        found = client.get("/api/v1/duplicates", by=by.value, start=start, count=limit)
    if json:
        print_json(found)
    else:
        for group in found["groups"]:
            _print_group(group, by)
        total = f"{format_count(found['total'], 'group')}, {format_count(found['images'], 'image')}"
        out.print(total, highlight=False)
    if not found["total"]:
        raise typer.Exit(1)


def _print_group(group: dict[str, Any], by: DuplicateKind) -> None:
    difference = f" · {group['bits']} of 256 bits differ" if by is DuplicateKind.PICTURE else ""
    out.print(f"{format_count(group['size'], 'image')}{difference}", style="bold", highlight=False)
    for image in group["images"]:
        size = f"{image['width']}×{image['height']} {image['bytes'] or 0:,} bytes"
        out.print(f"  {image['uuid']}  {size}  {'★' * image['rating']}", markup=False, highlight=False)
        if image["reason"] and group["kept"]:
            action = "keep" if image["uuid"] == group["kept"] else "trash"
            out.print(f"    {action}: {image['reason']}", markup=False, highlight=False)
        for text in image["lost"]:
            out.print(f"    lost if you keep only this image: {text}", markup=False, highlight=False)
        for place in image["places"]:
            out.print(f"    {place}", markup=False, highlight=False)


def merge_duplicates(
    kept: Annotated[str, typer.Argument(metavar="KEPT", help="UUID of the image to keep.")],
    others: Annotated[list[str], typer.Argument(metavar="OTHER…", help="UUIDs of the images to move to Trash.")],
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Merge even if generation data or tags of the other images would be lost."),
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Merge duplicates: copy ratings, tags, notes and missing generation data to the image you keep, and move the other
    images to Trash."""
    request = {"kept": kept, "others": others, "accept_loss": accept_loss}
    with connect(load_settings(library)) as client:
        done = wait_for_edit(client, client.post("/api/v1/duplicates:merge", request))
        print_result(done, json=json, how="moved to Trash")
