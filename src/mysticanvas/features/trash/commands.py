"""`trash …`: move images to Trash, restore them, delete them permanently."""

from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.edits import Images, edit_images, print_image_edit, print_result, wait_for_edit
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count

trash = typer.Typer(no_args_is_help=True, help="Manage the Trash. Files stay in place until they are purged.")

Uuids = Annotated[list[str] | None, typer.Argument(metavar="[ID …]", help="Image IDs as printed by `trash list`.")]
All = Annotated[bool, typer.Option("--all", help="All images in the Trash.")]


def add_commands(app: typer.Typer) -> None:
    app.add_typer(trash, name="trash")


@trash.command(epilog="Example: mysticanvas trash put 'rating:1'")
def put(images: Images, library: Library = None, json: Json = False) -> None:
    """Move all images that match a search to Trash. Their files are not changed."""
    with connect(load_settings(library)) as client:
        print_image_edit(edit_images(client, images, {"trash": True}), json=json)


@trash.command("list", epilog="Example: mysticanvas trash list --json")
def list_trash(
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 100, library: Library = None, json: Json = False
) -> None:
    """List images in the Trash, soonest to expire first."""
    with connect(load_settings(library)) as client:
        found = client.get("/api/v1/trash", limit=limit)
    if json:
        print_json(found)
        return
    table = Table("ID", "Path", "Bytes", box=None)
    for one in found["items"]:
        table.add_row(one["uuid"], one["path"] or "", f"{one['bytes']:,}")
    out.print(table, markup=False)
    out.print(f"{format_count(found['images'], 'image')}, {found['bytes']:,} bytes.")


@trash.command(epilog="Example: mysticanvas trash restore --all")
def restore(uuids: Uuids = None, everything: All = False, library: Library = None, json: Json = False) -> None:
    """Restore images with their tags, ratings and collections."""
    with connect(load_settings(library)) as client:
        print_result(
            wait_for_edit(client, client.post("/api/v1/trash:restore", _build_selection(uuids, everything))), json=json
        )


@trash.command(epilog="Example: mysticanvas trash purge --all --dry-run")
def purge(
    uuids: Uuids = None,
    everything: All = False,
    expired: Annotated[bool, typer.Option("--expired", help="All images whose retention period has ended.")] = False,
    unlink: Annotated[
        bool, typer.Option("--unlink", help="Delete files permanently instead of using the system trash.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Run all checks without deleting anything.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation prompt.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Move the files of images in the Trash to the system trash and delete the images from the library.
    MystiCanvas cannot undo this."""
    asked = _build_selection(uuids, everything, expired) | {"how": "unlink" if unlink else "system_trash"}
    with connect(load_settings(library)) as client:
        tried = client.post("/api/v1/trash:purge", asked | {"dry_run": True})
        if not json or not yes:
            _print_purge(tried, "would be deleted")
        if dry_run:
            if json:
                print_json(tried)
            return
        if not yes and not typer.confirm(f"Delete {format_count(tried['images'], 'image')}?", err=True):
            raise typer.Exit(1)
        done = client.post("/api/v1/trash:purge", asked)
    if json:
        print_json(done)
    else:
        _print_purge(done, "deleted")


def _build_selection(uuids: list[str] | None, everything: bool, expired: bool = False) -> dict[str, Any]:
    if sum((bool(uuids), everything, expired)) != 1:
        raise InvalidInputError("Specify image IDs or --all" + (" or --expired." if not everything else "."))
    return {"uuids": uuids} if uuids else {"which": "all" if everything else "expired"}


def _print_purge(done: dict[str, Any], what: str) -> None:
    size = f"{format_count(done['files'], 'file')}, {done['bytes']:,} bytes"
    out.print(f"{format_count(done['images'], 'image')} ({size}) {what}.")
    if done["beside"]:
        out.print(f"Sidecar files next to them that are not deleted: {len(done['beside']):,}.")
    for path, reason in done["kept"]:
        out.print(f"  Not deleted: {path}: {reason}", markup=False, highlight=False)
