"""Helpers for commands that edit images: they select the images, send the edit and wait until it is done."""

from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.plurals import format_count

Images = Annotated[
    str,
    typer.Argument(
        metavar="SEARCH", help="A search, as in the gallery, or the UUID of one image. Applies to all matches."
    ),
]
FOLLOW_S = 5
_UUID_LENGTH = 36


def edit_images(client: Client, images: str, marks: dict[str, Any]) -> dict[str, Any]:
    """Edits all images that the search finds, and waits until the edit is done."""
    is_uuid = len(images) == _UUID_LENGTH and images.count("-") == 4
    selection: dict[str, Any] = {"uuids": [images]} if is_uuid else {"query": images}
    return wait_for_edit(client, client.post("/api/v1/edits", selection | {"set": marks}))


def print_image_edit(done: dict[str, Any], *, json: bool) -> None:
    """Prints the result of `edit_images`. Exits with code 1 if it found no images."""
    if done["total"] or json:
        print_result(done, json=json)
    else:
        out.print("No images match.")
    if not done["total"]:
        raise typer.Exit(1)


def wait_for_edit(client: Client, done: dict[str, Any]) -> dict[str, Any]:
    """Waits for an edit and returns its result. Shows a progress bar on standard error."""
    moving = ("applying", "undoing", "redoing")
    if done["state"] in moving:
        with progress_bar() as bars:
            bar = bars.add_task("Working", total=None, rate="")
            while done["state"] in moving:
                done = client.get(f"/api/v1/edits/{done['operation']}", wait=FOLLOW_S)
                bars.update(bar, total=done["total"] or None, completed=done["changed"])
    return done


def print_result(done: dict[str, Any], *, json: bool, what: str = "image", how: str = "changed") -> None:
    """Prints a result such as “3 images changed”. `what` is the singular noun, and `how` is the participle."""
    if json:
        print_json(done)
    elif done["state"] == "expired" and not done["changed"] and not done["trouble"]:
        out.print("No changes.")
    else:
        changed = format_count(done["changed"], what)
        out.print(f"{changed} {how}. Undo: mysticanvas undo {done['operation']}", highlight=False)
