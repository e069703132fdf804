"""`trash …`: into the Trash, out of it, and from there for good."""

from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.edits import Images, bulk, followed, say
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.errors import InvalidInputError

trash = typer.Typer(no_args_is_help=True, help="The Trash. Files stay where they are until they are purged.")

Uuids = Annotated[list[str] | None, typer.Argument(metavar="[ID …]", help="As trash list prints them.")]
All = Annotated[bool, typer.Option("--all", help="Everything in the Trash.")]


def add_commands(app: typer.Typer) -> None:
    app.add_typer(trash, name="trash")


@trash.command(epilog="Example: mysticanvas trash put 'rating:1'")
def put(images: Images, library: Library = None, json: Json = False) -> None:
    """Put all images that a search finds into the Trash. Their files are not touched."""
    with connect(settings_for(library)) as client:
        say(bulk(client, images, {"trash": True}), json=json)


@trash.command("list", epilog="Example: mysticanvas trash list --json")
def list_trash(
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 100, library: Library = None, json: Json = False
) -> None:
    """What is in the Trash; what may go for good first comes first."""
    with connect(settings_for(library)) as client:
        found = client.get("/api/trash", limit=limit)
    if json:
        print_json(found)
        return
    table = Table("ID", "Path", "Bytes", box=None)
    for one in found["items"]:
        table.add_row(one["uuid"], one["path"] or "", f"{one['bytes']:,}")
    out.print(table, markup=False)
    out.print(f"{found['images']:,} images, {found['bytes']:,} bytes.")


@trash.command(epilog="Example: mysticanvas trash restore --all")
def restore(uuids: Uuids = None, everything: All = False, library: Library = None, json: Json = False) -> None:
    """Put images back as they were: tags, ratings, places in collections."""
    with connect(settings_for(library)) as client:
        say(followed(client, client.post("/api/trash/restore", _build_selection(uuids, everything))), json=json)


@trash.command(epilog="Example: mysticanvas trash purge --all --dry-run")
def purge(
    uuids: Uuids = None,
    everything: All = False,
    expired: Annotated[bool, typer.Option("--expired", help="What has been in it for its time.")] = False,
    unlink: Annotated[bool, typer.Option("--unlink", help="Delete for good, not to the system's trash.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Send the files of images in the Trash to the system's own trash and forget the images. This cannot
    be undone here."""
    asked = _build_selection(uuids, everything, expired) | {"how": "unlink" if unlink else "system_trash"}
    with connect(settings_for(library)) as client:
        tried = client.post("/api/trash/purge", asked | {"dry_run": True})
        if not json or not yes:
            _print_purge(tried, "would go")
        if dry_run:
            if json:
                print_json(tried)
            return
        if not yes and not typer.confirm(f"{tried['images']:,} images, {tried['bytes']:,} bytes. Go on?", err=True):
            raise typer.Exit(1)
        done = client.post("/api/trash/purge", asked)
    if json:
        print_json(done)
    else:
        _print_purge(done, "are gone")


def _build_selection(uuids: list[str] | None, everything: bool, expired: bool = False) -> dict[str, Any]:
    if sum((bool(uuids), everything, expired)) != 1:
        raise InvalidInputError("Name images, or say --all" + (" or --expired." if not everything else "."))
    return {"uuids": uuids} if uuids else {"which": "all" if everything else "expired"}


def _print_purge(done: dict[str, Any], what: str) -> None:
    out.print(f"{done['images']:,} images with {done['files']:,} files, {done['bytes']:,} bytes, {what}.")
    if done["beside"]:
        out.print(f"{len(done['beside']):,} text files beside them stay.")
    for path, reason in done["kept"]:
        out.print(f"  stays: {path}: {reason}", markup=False, highlight=False)
