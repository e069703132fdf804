"""The commands `lineage`, `link` and `unlink`."""

from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json

Image = Annotated[str, typer.Argument(metavar="ID", help="The image's UUID, as `search` prints it.")]


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas lineage 4f9c…")(lineage)
    app.command(epilog="Example: mysticanvas link 4f9c… 81aa… --relation img2img")(link)
    app.command(epilog="Example: mysticanvas unlink 4f9c…")(unlink)


def lineage(image: Image, library: Library = None, json: Json = False) -> None:
    """Show the images that an image was made from, and the images made from it."""
    with connect(load_settings(library)) as client:
        found = client.get(f"/api/v1/images/{image}/lineage")
    if json:
        print_json(found)
        return
    edges = {edge["child"]: edge for edge in reversed(found["edges"])}
    table = Table("", "Image", "From", "How", box=None)
    for node in found["nodes"]:
        edge: dict[str, Any] = edges.get(node["uuid"], {})
        how = edge.get("relation", "") + ("" if edge.get("sure", True) else " (matched by name only)")
        state = " (missing)" if node["missing"] else ""
        table.add_row(node["role"], node["uuid"] + state, edge.get("parent", ""), how)
    out.print(table, markup=False)
    for one in found["unknown"]:
        out.print(f"{one['role']} not in this library: {one['name'] or one['hash']}", markup=False, highlight=False)
    if found["truncated"]:
        out.print("The lineage is incomplete: there are more images than can be shown.")


def link(
    image: Image,
    parent: Annotated[str, typer.Argument(metavar="SOURCE", help="The UUID of the source image.")],
    relation: Annotated[str | None, typer.Option(help="img2img, inpaint, upscale, variation or reproduction.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Set the source of an image. It overrides the source in the file's metadata."""
    _set_parent(image, {"parent": parent, "relation": relation}, library, json)


def unlink(image: Image, library: Library = None, json: Json = False) -> None:
    """Remove the source of an image."""
    _set_parent(image, {"parent": None}, library, json)


def _set_parent(image: str, asked: dict[str, Any], library: Library, json: bool) -> None:
    with connect(load_settings(library)) as client:
        done = client.put(f"/api/v1/images/{image}/parent", asked)
    if json:
        print_json(done)
    else:
        out.print(f"Source {'updated' if asked['parent'] else 'removed'}. Undo: mysticanvas undo {done['operation']}")
