"""The command `search`."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import format_time, out, print_json
from mysticanvas.domain.plurals import format_count

LIMIT = 50
# Images that one request lists: a fraction of a second each.
IMAGES_PER_PAGE = 5_000

LIMIT = 50
# Images that one request lists: a fraction of a second each.
IMAGES_PER_PAGE = 5_000


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas search 'violet storm model:flux1-dev is:favorite' --sort rating")(search)


def search(
    query: Annotated[str, typer.Argument(help="Words and filters, as in the gallery.")] = "",
    sort: Annotated[
        str | None,
        typer.Option(help="Sort order: newest, oldest, rating, relevance, size, name, random or random:SEED."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, max=100_000, help="Maximum number of images to print.", show_default=f"{LIMIT}; with --paths, all"
        ),
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="Print only the number of matches.")] = False,
    facets: Annotated[bool, typer.Option("--facets", help="Print facets: matches by model, tag, month …")] = False,
    paths: Annotated[
        bool, typer.Option("--paths", help="Print only paths, one per line. Prints all paths unless --limit is set.")
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Find images. Exits with code 1 if nothing matches."""
    asked = f"{query} sort:{sort}" if sort else query
    only_paths = paths and not (json or count or facets)
    with connect(load_settings(library)) as client:
        found = client.get("/api/v1/images", q=asked, limit=0 if count or facets or only_paths else limit or LIMIT)
        if facets:
            found["facets"] = client.get("/api/v1/facets", q=asked, limit=limit or LIMIT)["facets"]
        if only_paths:
            _print_paths(client, asked, limit)
    if json:
        print_json({name: found[name] for name in ("total", "items", "facets") if name in found})
    elif count:
        typer.echo(found["total"])
    elif facets:
        _print_facets(found)
    elif not only_paths:
        _print_found(found)
    if not found["total"]:
        raise typer.Exit(1)


def _print_paths(client: Client, query: str, limit: int | None) -> None:
    """Prints the paths page by page, so a pipe receives the first paths immediately. Omits images without a file."""
    for item in _list_images(client, query, limit):
        if item["path"] is not None:
            typer.echo(item["path"])


def _list_images(client: Client, query: str, limit: int | None) -> Iterator[dict[str, Any]]:
    after, left = None, limit
    while left is None or left > 0:
        size = IMAGES_PER_PAGE if left is None else min(left, IMAGES_PER_PAGE)
        page = client.get("/api/v1/images", q=query, after=after, limit=size)
        yield from page["items"]
        after, left = page["next"], None if left is None else left - size
        if after is None:
            return


def _print_found(found: dict[str, Any]) -> None:
    table = Table("Made", "Prompt", "Path", "ID", box=None)
    for item in found["items"]:
        prompt = (item["prompt"] or "").replace("\n", " ")
        table.add_row(format_time(item["timestamp"]), prompt[:70], item["path"], item["uuid"])
    out.print(table, markup=False)
    shown = len(found["items"])
    more = "" if shown == found["total"] else f" Shown: {shown:,}. To show more, use --limit."
    out.print(f"{format_count(found['total'], 'image')}.{more}")


def _print_facets(found: dict[str, Any]) -> None:
    table = Table("Images", "Filter", box=None)
    for values in found["facets"].values():
        for value in values:
            table.add_row(f"{value['count']:,}", value["text"])
    out.print(table, markup=False)
    out.print(f"{format_count(found['total'], 'image')}.")
