"""The command `search`."""

from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import format_time, out, print_json


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas search 'violet storm model:flux1-dev is:favorite' --sort rating")(search)


def search(
    query: Annotated[str, typer.Argument(help="Words and filters, as in the gallery.")] = "",
    sort: Annotated[
        str | None, typer.Option(help="newest, oldest, rating, relevance, size, name, random or random:SEED.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of images to print.")] = 50,
    count: Annotated[bool, typer.Option("--count", help="Print only the number of matches.")] = False,
    facets: Annotated[bool, typer.Option("--facets", help="Print facets: matches by model, tag, month …")] = False,
    paths: Annotated[bool, typer.Option("--paths", help="Print only paths, one per line.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Find images. Exit code 1 if nothing matches."""
    asked = f"{query} sort:{sort}" if sort else query
    with connect(load_settings(library)) as client:
        found = client.get("/api/search", q=asked, limit=0 if count or facets else limit)
        if facets:
            found["facets"] = client.get("/api/search/facets", q=asked, limit=limit)["facets"]
    if json:
        print_json({name: found[name] for name in ("total", "items", "facets") if name in found})
    elif count:
        typer.echo(found["total"])
    elif facets:
        _print_facets(found)
    elif paths:
        for item in found["items"]:
            typer.echo(item["path"])
    else:
        _print_found(found)
    if not found["total"]:
        raise typer.Exit(1)


def _print_found(found: dict[str, Any]) -> None:
    table = Table("Made", "Prompt", "Path", "ID", box=None)
    for item in found["items"]:
        prompt = (item["prompt"] or "").replace("\n", " ")
        table.add_row(format_time(item["timestamp"]), prompt[:70], item["path"], item["uuid"])
    out.print(table, markup=False)
    out.print(f"{found['total']:,} images.")


def _print_facets(found: dict[str, Any]) -> None:
    table = Table("Images", "Filter", box=None)
    for values in found["facets"].values():
        for value in values:
            table.add_row(f"{value['count']:,}", value["text"])
    out.print(table, markup=False)
    out.print(f"{found['total']:,} images.")
