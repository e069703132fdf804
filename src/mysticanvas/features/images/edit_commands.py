"""`rate`, `favourite`, `note`, `collect`, `undo`, `redo`, `history`, `export`: what a person does to images."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.errors import ConflictError, InvalidInputError, NotFoundError

Images = Annotated[
    str, typer.Argument(metavar="SEARCH", help="All images that this finds, as in the gallery; or one uuid.")
]
FOLLOW_S = 5
_UUID_LENGTH = 36


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas rate 5 'violet storm'")(rate)
    app.command(epilog="Example: mysticanvas favourite 'model:flux1-dev rating:5'")(favourite)
    app.command(epilog="Example: mysticanvas note 4f9c… 'hands are wrong'")(note)
    app.command(epilog="Example: mysticanvas collect 'Best of 2026' 'rating:5'")(collect)
    app.command(epilog="Example: mysticanvas undo")(undo)
    app.command(epilog="Example: mysticanvas redo")(redo)
    app.command(epilog="Example: mysticanvas history")(history)
    app.command(epilog="Example: mysticanvas export --json > mine.jsonl")(export)


def rate(
    stars: Annotated[int, typer.Argument(min=0, max=5, help="0 takes the rating away.")],
    images: Images,
    library: Library = None,
    json: Json = False,
) -> None:
    """Rate images."""
    with connect(settings_for(library)) as client:
        say(bulk(client, images, {"rating": stars}), json=json)


def favourite(
    images: Images,
    off: Annotated[bool, typer.Option("--off", help="No favourites any more.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Make images favourites."""
    with connect(settings_for(library)) as client:
        say(bulk(client, images, {"favorite": not off}), json=json)


def note(
    images: Images,
    text: Annotated[str, typer.Argument(help="Stands for the notes from now on; empty takes them away.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Write notes."""
    with connect(settings_for(library)) as client:
        say(bulk(client, images, {"notes": text}), json=json)


def collect(
    name: Annotated[str, typer.Argument(help="The collection's name or uuid; made when there is none.")],
    images: Images,
    remove: Annotated[bool, typer.Option("--remove", help="Take the images out of it.")] = False,
    smart: Annotated[bool, typer.Option("--smart", help="Make a smart collection of the search instead.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Put images into a collection."""
    with connect(settings_for(library)) as client:
        if smart:
            say(client.post("/api/collections", {"name": name, "query": images}), json=json)
            return
        uuid = _collection(client, name, make=not remove)
        say(bulk(client, images, {"uncollect" if remove else "collect": uuid}), json=json)


def _collection(client: Client, name: str, *, make: bool) -> str:
    found = [one for one in client.get("/api/collections")["collections"] if name in (one["name"], one["uuid"])]
    if len(found) > 1:
        raise InvalidInputError(f"There are {len(found)} collections “{name}”; name one by its uuid.")
    if found:
        return str(found[0]["uuid"])
    if not make:
        raise NotFoundError(f"There is no collection “{name}”.")
    return str(client.post("/api/collections", {"name": name})["uuid"])


def undo(
    operation: Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="As history prints it.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Take back the last change, or the one of this number."""
    _turn("undo", operation, library, json)


def redo(
    operation: Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="As history prints it.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Do again what was undone last, or the change of this number."""
    _turn("redo", operation, library, json)


def _turn(how: str, operation: int | None, library: Path | None, json: bool) -> None:
    path = f"/api/{how}" if operation is None else f"/api/{how}/{operation}"
    with connect(settings_for(library)) as client:
        done = followed(client, client.post(path))
        if done["trouble"]:
            raise ConflictError(done["trouble"])
    print_json(done) if json else out.print(f"{how}: number {done['operation']}, {done['changed']:,} changed")


def history(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 30, library: Library = None, json: Json = False
) -> None:
    """What was changed, newest first; each can be undone by its number."""
    with connect(settings_for(library)) as client:
        listed = client.get("/api/operations", limit=limit)
    if json:
        print_json(listed)
        return
    table = Table("Number", "When", "What", "State", "Changed", box=None)
    for one in listed["operations"]:
        moment = datetime.fromtimestamp(one["at"] / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
        arguments = ", ".join(f"{k} {v}" for k, v in one["steps"][0][1].items()) if one["steps"] else ""
        what = f"{one['kind']} {arguments}"[:80]
        table.add_row(str(one["operation"]), moment, what, one["state"], f"{one['changed']:,}")
    out.print(table if listed["operations"] else "Nothing has been changed yet.", markup=False)


def export(
    whole: Annotated[
        Path | None,
        typer.Option(
            "--whole", metavar="FILE", help="Write a zip with which import-library makes the library elsewhere."
        ),
    ] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """All that you wrote, as stable text, a JSON object a line: marks, notes, tags, collections, templates.

    Equal libraries give equal texts. With --whole it goes into a zip, with your folders' names; your images
    are not in it.
    """
    if whole is not None:
        _export_whole(whole.expanduser(), library, json=json)
        return
    if not json:
        raise InvalidInputError("Say in which form: --json, or --whole FILE.")
    with connect(settings_for(library)) as client:
        typer.echo(client.text("/api/export"), nl=False)


def _export_whole(target: Path, library: Path | None, *, json: bool) -> None:
    # Loads parts of the library, which no other command of these needs.
    from mysticanvas.features.archive import service as archive_service

    with connect(settings_for(library)) as client:
        counts = archive_service.write(target, client.text("/api/export/whole").encode())
    if json:
        print_json({"path": str(target), "counts": counts})
    else:
        images, tags, collections = (counts.get(kind, 0) for kind in ("image", "tag", "collection"))
        out.print(
            f"Wrote {target}: what you wrote of {images:,} images, {tags:,} tags and {collections:,} collections. "
            "Your images are not in it.",
            markup=False,
        )


# -- what the other commands need too -------------------------------------------------------------


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
