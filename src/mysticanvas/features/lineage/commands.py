"""Verbs of the noun `image`: `lineage`, `link` and `unlink`."""

from typing import Annotated, Any

import typer

from mysticanvas.cli.client import connect
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Image, Json, Library, load_settings
from mysticanvas.cli.output import out, print_json, table

COMMANDS = Commands()
EXAMPLE_ID, EXAMPLE_PARENT = "4f9c0d2e-7a10-4b53-9d0e-1c2f3a4b5c6d", "81aa3b5c-0d2e-4c11-8f00-9e8d7c6b5a49"


@COMMANDS.add("image lineage", EXAMPLE_ID)
def lineage(image: Image, library: Library = None, json: Json = False) -> None:
    """Show the images that an image was made from, and the images made from it."""
    with connect(load_settings(library)) as client:
        found = client.get(f"/api/v1/images/{image}/lineage")
    if json:
        print_json(found)
        return
    edges = {edge["child"]: edge for edge in reversed(found["edges"])}
    rows = table("", "Image", "From", "How")
    for node in found["nodes"]:
        edge: dict[str, Any] = edges.get(node["uuid"], {})
        how = edge.get("relation", "") + ("" if edge.get("sure", True) else " (matched by name only)")
        state = " (missing)" if node["missing"] else ""
        rows.add_row(node["role"], node["uuid"] + state, edge.get("parent", ""), how)
    out.print(rows, markup=False)
    for one in found["unknown"]:
        out.print(f"{one['role']} not in this library: {one['name'] or one['hash']}", markup=False, highlight=False)
    if found["truncated"]:
        out.print("The lineage is incomplete: there are more images than can be shown.")


@COMMANDS.add("image link", f"{EXAMPLE_ID} {EXAMPLE_PARENT} --relation img2img")
def link(
    image: Image,
    parent: Annotated[str, typer.Argument(metavar="SOURCE", help="The UUID of the source image.")],
    relation: Annotated[str | None, typer.Option(help="img2img, inpaint, upscale, variation or reproduction.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Set the source of an image. It overrides the source in the file's metadata."""
    _set_parent(image, {"parent": parent, "relation": relation}, library, json)


@COMMANDS.add("image unlink", EXAMPLE_ID)
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
