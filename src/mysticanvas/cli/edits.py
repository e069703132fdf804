"""What commands that edit images share: the selection, the request, and following it to its end."""

from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client
from mysticanvas.cli.output import out, print_json, progress_bar

Images = Annotated[
    str, typer.Argument(metavar="SEARCH", help="All images that this finds, as in the gallery; or one uuid.")
]
FOLLOW_S = 5
_UUID_LENGTH = 36


def bulk(client: Client, images: str, marks: dict[str, Any]) -> dict[str, Any]:
    """One deed over all images that the search finds, followed to its end."""
    named = len(images) == _UUID_LENGTH and images.count("-") == 4
    chosen: dict[str, Any] = {"uuids": [images]} if named else {"query": images}
    return followed(client, client.post("/api/bulk", chosen | {"set": marks}))


def followed(client: Client, done: dict[str, Any]) -> dict[str, Any]:
    """A deed once it has arrived; a bar on standard error meanwhile. Raises `ConflictError` for one that
    was refused on its way."""
    moving = ("applying", "undoing", "redoing")
    if done["state"] in moving:
        with progress_bar() as bars:
            bar = bars.add_task("Working", total=None, rate="")
            while done["state"] in moving:
                done = client.get(f"/api/operations/{done['operation']}", wait=FOLLOW_S)
                bars.update(bar, total=done["total"] or None, completed=done["changed"])
    return done


def say(done: dict[str, Any], *, json: bool, what: str = "images changed") -> None:
    if json:
        print_json(done)
    else:
        out.print(f"{done['changed']:,} {what}. Undo: mysticanvas undo {done['operation']}", highlight=False)
