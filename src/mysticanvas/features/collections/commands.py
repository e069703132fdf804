"""`collect`: add images to a collection or remove them."""

from typing import Annotated

import typer

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.edits import Images, edit_images, print_image_edit, print_result
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.domain.errors import InvalidInputError, NotFoundError


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas collect 'Best of 2026' 'rating:5'")(collect)


def collect(
    name: Annotated[str, typer.Argument(help="Name or UUID of the collection. Created if it does not exist.")],
    images: Images,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the images from the collection instead.")] = False,
    smart: Annotated[
        bool, typer.Option("--smart", help="Create a smart collection that contains all matches of the search.")
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Add all images that match a search to a collection."""
    with connect(load_settings(library)) as client:
        if smart:
            made = client.post("/api/v1/collections", {"name": name, "query": images})
            print_result(made, json=json, what="collection", how="created")
            return
        uuid = _find_or_create(client, name, make=not remove)
        print_image_edit(edit_images(client, images, {"uncollect" if remove else "collect": uuid}), json=json)


def _find_or_create(client: Client, name: str, *, make: bool) -> str:
    found = [one for one in client.get("/api/v1/collections")["collections"] if name in (one["name"], one["uuid"])]
    if len(found) > 1:
        raise InvalidInputError(f"{len(found)} collections are named “{name}”. Use a UUID instead.")
    if found:
        return str(found[0]["uuid"])
    if not make:
        raise NotFoundError(f"There is no collection “{name}”. Check the name, or use its UUID.")
    return str(client.post("/api/v1/collections", {"name": name})["uuid"])
