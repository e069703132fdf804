"""Verbs of the noun `image`: show an image and its file, copy files, and set ratings, notes and favorites."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.details import print_details
from mysticanvas.cli.edits import Images, edit_images, print_images_result, read_selections
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Image, Json, Library, load_settings
from mysticanvas.cli.output import print_json
from mysticanvas.domain.errors import NotFoundError

COMMANDS = Commands()
EXAMPLE_ID = "4f9c0d2e-7a10-4b53-9d0e-1c2f3a4b5c6d"


@COMMANDS.add("image show", EXAMPLE_ID, f"{EXAMPLE_ID} --json")
def show(image: Image, library: Library = None, json: Json = False) -> None:
    """Show the details of one image: its generation data, tags and files."""
    with connect(load_settings(library)) as client:
        detail = client.get(f"/api/v1/images/{image}")
    print_json(detail) if json else print_details(detail)


@COMMANDS.add("image path", EXAMPLE_ID)
def path(image: Image, library: Library = None, json: Json = False) -> None:
    """Print the path of an image file. Exits with code 1 if the image has no file on this machine."""
    with connect(load_settings(library)) as client:
        found = _find_file(client, image)
    print_json({"uuid": image, "path": str(found)}) if json else typer.echo(found)


@COMMANDS.add("image open", EXAMPLE_ID)
def open_image(image: Image, library: Library = None, json: Json = False) -> None:
    """Open an image file with the default program of your system."""
    with connect(load_settings(library)) as client:
        found = _find_file(client, image)
    _open_with_system(found)
    if json:
        print_json({"uuid": image, "path": str(found)})


def _find_file(client: Client, image: str) -> Path:
    files = client.get(f"/api/v1/images/{image}")["files"]
    found = [file for file in files if file["kind"] in ("final", "copy") and not file["missing"]]
    if not found:
        raise NotFoundError("This image has no file, or its files are missing. To list its files, run: "
                            f"mysticanvas image show {image}")  # fmt: skip
    return Path(found[0]["root"], found[0]["path"])


def _open_with_system(file: Path) -> None:
    """Raises `NotFoundError` if the system has no program for it, as on servers."""
    if sys.platform == "win32":
        import os

        os.startfile(file)
        return
    program = "open" if sys.platform == "darwin" else "xdg-open"
    try:
        subprocess.run([program, str(file)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotFoundError(f"No program was found that can open {file}.") from error


@COMMANDS.add("image rate", "5 'violet storm'", f"0 {EXAMPLE_ID}")
def rate(
    stars: Annotated[int, typer.Argument(min=0, max=5, metavar="STARS", help="0 to 5. 0 removes the rating.")],
    images: Images,
    library: Library = None,
    json: Json = False,
) -> None:
    """Rate images."""
    _edit(images, {"rating": stars}, library, json=json)


@COMMANDS.add("image favorite", "'model:flux1-dev rating:5'", f"--off {EXAMPLE_ID}")
def set_favorite(
    images: Images,
    off: Annotated[bool, typer.Option("--off", help="Remove images from the favorites.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Add images to the favorites."""
    _edit(images, {"favorite": not off}, library, json=json)


@COMMANDS.add("image note", f"'hands are wrong' {EXAMPLE_ID}", "'' 'tag:fixed'")
def set_notes(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The new notes. An empty text deletes the notes.")],
    images: Images,
    library: Library = None,
    json: Json = False,
) -> None:
    """Set the notes of images."""
    _edit(images, {"notes": text}, library, json=json)


def _edit(images: list[str], marks: dict[str, Any], library: Path | None, *, json: bool) -> None:
    selections = read_selections(images)
    with connect(load_settings(library)) as client:
        print_images_result(edit_images(client, selections, marks), json=json)
