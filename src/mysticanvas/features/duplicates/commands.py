"""`duplicates`, `keep-one`: images that are alike, and keeping one of them."""

from typing import Annotated, Any

import typer

from mysticanvas.cli.client import connect
from mysticanvas.cli.edits import followed, say
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.similarity import Alike


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas duplicates --by recipe")(duplicates)
    app.command("keep-one", epilog="Example: mysticanvas keep-one 4f9c… 0d2e… 7a10…")(merge_duplicates)


def duplicates(
    by: Annotated[Alike, typer.Option(help="In what they are alike: their look, their recipe, or all bytes.")] = (
        Alike.PICTURE
    ),
    start: Annotated[int, typer.Option(min=0, help="Groups to pass over.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Groups to show.")] = 20,
    library: Library = None,
    json: Json = False,
) -> None:
    """Groups of images that are alike, the one with the newest image first. Exit code 1 when there are none."""
    with connect(settings_for(library)) as client:
        found = client.get("/api/duplicates", by=by.value, start=start, count=limit)
    if json:
        print_json(found)
    else:
        for group in found["groups"]:
            _print_group(group, by)
        out.print(f"{found['total']:,} groups, {found['images']:,} images", highlight=False)
    if not found["total"]:
        raise typer.Exit(1)


def _print_group(group: dict[str, Any], by: Alike) -> None:
    difference = f" · {group['bits']} of 256 bits differ" if by is Alike.PICTURE else ""
    out.print(f"{group['size']:,} alike{difference}", style="bold", highlight=False)
    for image in group["images"]:
        size = f"{image['width']}×{image['height']} {image['bytes'] or 0:,} bytes"
        out.print(f"  {image['uuid']}  {size}  {'★' * image['rating']}", markup=False, highlight=False)
        for place in image["places"]:
            out.print(f"    {place}", markup=False, highlight=False)


def merge_duplicates(
    kept: Annotated[str, typer.Argument(metavar="KEPT", help="The uuid of the image that stays.")],
    others: Annotated[list[str], typer.Argument(metavar="OTHER…", help="Those that go into the Trash.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Give what you wrote on the others to one image, and put them into the Trash."""
    with connect(settings_for(library)) as client:
        done = followed(client, client.post("/api/duplicates/keep", {"kept": kept, "others": others}))
        say(done, json=json, what="images went into the Trash")
