"""`lineage`, `link`, `unlink`: what an image came from."""

from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json

Image = Annotated[str, typer.Argument(metavar="ID", help="The image's uuid, as search prints it.")]


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas lineage 4f9c…")(lineage)
    app.command(epilog="Example: mysticanvas link 4f9c… 81aa… --relation img2img")(link)
    app.command(epilog="Example: mysticanvas unlink 4f9c…")(unlink)


def lineage(image: Image, library: Library = None, json: Json = False) -> None:
    """What an image came from, and what came from it."""
    with connect(settings_for(library)) as client:
        found = client.get(f"/api/generations/{image}/lineage")
    if json:
        print_json(found)
        return
    edges = {edge["child"]: edge for edge in reversed(found["edges"])}
    table = Table("", "Image", "From", "How", box=None)
    for node in found["nodes"]:
        edge: dict[str, Any] = edges.get(node["uuid"], {})
        how = edge.get("relation", "") + ("" if edge.get("sure", True) else " (by name)")
        state = " (missing)" if node["missing"] else ""
        table.add_row(node["role"], node["uuid"] + state, edge.get("parent", ""), how)
    out.print(table, markup=False)
    for one in found["unknown"]:
        out.print(f"{one['role']} not in this library: {one['name'] or one['hash']}", markup=False, highlight=False)
    if found["truncated"]:
        out.print("There is more than is shown here.")


def link(
    image: Image,
    parent: Annotated[str, typer.Argument(metavar="PARENT", help="The uuid of the image it came from.")],
    relation: Annotated[str | None, typer.Option(help="img2img, inpaint, upscale, variation or reproduction.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Say that an image came from another. What its file says does not change that again."""
    _set_parent(image, {"parent": parent, "relation": relation}, library, json)


def unlink(image: Image, library: Library = None, json: Json = False) -> None:
    """Say that an image came from no other."""
    _set_parent(image, {"parent": None}, library, json)


def _set_parent(image: str, asked: dict[str, Any], library: Library, json: bool) -> None:
    with connect(settings_for(library)) as client:
        done = client.post(f"/api/generations/{image}/parent", asked)
    if json:
        print_json(done)
    else:
        out.print(f"Done. To take it back: mysticanvas undo {done['operation']}.")
