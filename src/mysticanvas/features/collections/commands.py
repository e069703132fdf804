"""The noun `collection`: manual and smart collections, and their images."""

from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.edits import (
    Images,
    edit_images,
    join_search,
    print_images_result,
    print_result,
    read_selections,
    wait_for_edit,
)
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, JsonLines, Library, load_settings
from mysticanvas.cli.output import out, print_as_json, print_json, table
from mysticanvas.domain.errors import InvalidInputError, NotFoundError
from mysticanvas.domain.plurals import format_count

COMMANDS = Commands()
Name = Annotated[str, typer.Argument(metavar="COLLECTION", help="Name or UUID of the collection.")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the new collection.")]


@COMMANDS.add("collection list")
def list_collections(library: Library = None, json: Json = False, jsonl: JsonLines = False) -> None:
    """List all collections."""
    with connect(load_settings(library)) as client:
        answer = client.get("/api/v1/collections")
    found = answer["collections"]
    if print_as_json(answer, found, json=json, jsonl=jsonl):
        return
    rows = table("Name", "Images", "Search", "ID")
    for one in found:
        images = "" if one["images"] is None else f"{one['images']:,}"
        rows.add_row(one["name"], images, one["query"] or "", one["uuid"])
    out.print(rows if found else "There are no collections yet.", markup=False)


@COMMANDS.add("collection show", "'Best of 2026'")
def show(name: Name, library: Library = None, json: Json = False) -> None:
    """Show a collection. To list its images, use mysticanvas search with the search that this prints."""
    with connect(load_settings(library)) as client:
        one = _find(client, name)
    if json:
        print_json(one)
        return
    kind = "manual collection" if one["query"] is None else f"smart collection of: {one['query']}"
    rows = table()
    rows.add_row("Name", one["name"])
    rows.add_row("Kind", kind)
    rows.add_row("Images", "the search is invalid or takes too long" if one["images"] is None else f"{one['images']:,}")
    rows.add_row("Search", one["text"])
    rows.add_row("ID", one["uuid"])
    if one["notes"]:
        rows.add_row("Notes", one["notes"])
    out.print(rows, markup=False)


@COMMANDS.add("collection create", "'Best of 2026'", "Foxes 'tag:fox rating:>=4'")
def create(
    name: NewName,
    query: Annotated[
        list[str] | None,
        typer.Argument(metavar="SEARCH", help="Create a smart collection with all matches of this search."),
    ] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Create a collection. With a search, it is a smart collection, which always contains all matches."""
    with connect(load_settings(library)) as client:
        made = client.post("/api/v1/collections", {"name": name, "query": join_search(query) if query else None})
    print_result(made, json=json, what="collection", how="created")


@COMMANDS.add("collection add", "'Best of 2026' 'rating:5'")
def add(name: Name, images: Images, library: Library = None, json: Json = False) -> None:
    """Add images to a collection. The collection is created if it does not exist."""
    selections = read_selections(images)
    with connect(load_settings(library)) as client:
        found = _find_named(client, name)
        uuid = found["uuid"] if found else client.post("/api/v1/collections", {"name": name})["uuid"]
        print_images_result(edit_images(client, selections, {"collect": uuid}), json=json, how="added")


@COMMANDS.add("collection remove", "'Best of 2026' 'rating:<4'")
def remove(name: Name, images: Images, library: Library = None, json: Json = False) -> None:
    """Remove images from a collection. The images stay in the library."""
    selections = read_selections(images)
    with connect(load_settings(library)) as client:
        uuid = _find(client, name)["uuid"]
        print_images_result(edit_images(client, selections, {"uncollect": uuid}), json=json, how="removed")


@COMMANDS.add("collection rename", "Foxes 'Red foxes'")
def rename(
    name: Name,
    new_name: Annotated[str, typer.Argument(metavar="NEW_NAME", help="The new name.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Rename a collection."""
    with connect(load_settings(library)) as client:
        done = client.patch(_find_path(client, name), {"name": new_name})
        _print_change(wait_for_edit(client, done), "renamed", json=json)


@COMMANDS.add("collection delete", "Foxes")
def delete(name: Name, library: Library = None, json: Json = False) -> None:
    """Delete a collection. Its images stay in the library."""
    with connect(load_settings(library)) as client:
        done = client.delete(_find_path(client, name))
        _print_change(wait_for_edit(client, done), "deleted", json=json)


@COMMANDS.add("collection to-manual", "Foxes")
def convert_to_manual(name: Name, library: Library = None, json: Json = False) -> None:
    """Convert a smart collection to a manual collection with its current images."""
    with connect(load_settings(library)) as client:
        done = client.post(f"{_find_path(client, name)}:convert-to-manual")
        _print_change(wait_for_edit(client, done), "converted", json=json)


def _find_path(client: Client, name: str) -> str:
    return f"/api/v1/collections/{_find(client, name)['uuid']}"


def _print_change(done: dict[str, Any], how: str, *, json: bool) -> None:
    if json:
        print_json(done)
        return
    out.print(f"The collection was {how}. Undo: mysticanvas undo {done['operation']}", highlight=False)


def _find(client: Client, name: str) -> dict[str, Any]:
    found = _find_named(client, name)
    if found is None:
        raise NotFoundError(
            f"There is no collection “{name}”. To list all collections, run: mysticanvas collection list"
        )
    return found


def _find_named(client: Client, name: str) -> dict[str, Any] | None:
    """The collection with this name or UUID, or None. Raises `InvalidInputError` for an ambiguous name."""
    found = [one for one in client.get("/api/v1/collections")["collections"] if name in (one["name"], one["uuid"])]
    if len(found) > 1:
        raise InvalidInputError(f"{format_count(len(found), 'collection')} are named “{name}”. Use a UUID instead.")
    return found[0] if found else None
