"""Commands that show an image and set its rating and notes or mark it as a favorite."""

from typing import Annotated

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.edits import Images, edit_images, print_image_edit
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas show 4f9c… --json")(show)
    app.command(epilog="Example: mysticanvas rate 5 'violet storm'")(rate)
    app.command("favourite", epilog="Example: mysticanvas favourite 'model:flux1-dev rating:5'")(set_favorite)
    app.command("note", epilog="Example: mysticanvas note 4f9c… 'hands are wrong'")(set_notes)


def show(
    image: Annotated[str, typer.Argument(metavar="ID", help="The image's UUID, as `search` prints it.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Show the details of one image."""
    with connect(load_settings(library)) as client:
        detail = client.get(f"/api/v1/images/{image}")
    if json:
        print_json(detail)
        return
    table = Table(show_header=False, box=None)
    for name, value in detail.items():
        if value not in (None, [], "", {}, False) and name != "parameters_text":
            table.add_row(name.replace("_", " "), str(value))
    out.print(table, markup=False)


def rate(
    stars: Annotated[int, typer.Argument(min=0, max=5, help="0 removes the rating.")],
    images: Images,
    library: Library = None,
    json: Json = False,
) -> None:
    """Rate images."""
    with connect(load_settings(library)) as client:
        print_image_edit(edit_images(client, images, {"rating": stars}), json=json)


def set_favorite(
    images: Images,
    off: Annotated[bool, typer.Option("--off", help="Remove images from the favorites.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Add images to the favorites."""
    with connect(load_settings(library)) as client:
        print_image_edit(edit_images(client, images, {"favorite": not off}), json=json)


def set_notes(
    images: Images,
    text: Annotated[str, typer.Argument(help="The new notes. An empty string deletes the notes.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Set the notes of images."""
    with connect(load_settings(library)) as client:
        print_image_edit(edit_images(client, images, {"notes": text}), json=json)
