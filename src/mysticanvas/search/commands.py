"""The commands `search` and `image list`."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.details import print_details
from mysticanvas.cli.edits import join_search
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, JsonLines, Library, load_settings
from mysticanvas.cli.output import format_time, out, print_json, print_json_lines, table
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count

COMMANDS = Commands()
LIMIT = 50
# Images that one request lists: a fraction of a second each.
IMAGES_PER_PAGE = 5_000
DETAILS_PER_PAGE = 1_000


@COMMANDS.add(
    "search",
    "'violet storm model:flux1-dev is:favorite' --sort rating",
    "-boat lighthouse --paths",
    "--detail --jsonl 'lora:film_grain'",
)
@COMMANDS.add("image list", "'rating:>=4' --jsonl", "--paths -0 'tag:fox' | xargs -0 ls -l")
def search(
    query: Annotated[
        list[str] | None,
        typer.Argument(metavar="SEARCH", help="Words and filters, as in the gallery. Default: all images."),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(help="Sort order: newest, oldest, rating, relevance, size, name, random or random:SEED."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Maximum number of images to print.",
            show_default=f"{LIMIT}; with --jsonl, --paths or --ids, all",
        ),
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="Print only the number of matches.")] = False,
    facets: Annotated[bool, typer.Option("--facets", help="Print facets: matches by model, tag, month …")] = False,
    detail: Annotated[
        bool, typer.Option("--detail", help="Print all details of each image: generation data, tags and files.")
    ] = False,
    paths: Annotated[bool, typer.Option("--paths", help="Print only paths, one per line.")] = False,
    ids: Annotated[bool, typer.Option("--ids", help="Print only image IDs, one per line.")] = False,
    print0: Annotated[
        bool, typer.Option("-0", "--print0", help="End each path or ID with NUL instead of a line break, for xargs -0.")
    ] = False,
    library: Library = None,
    json: Json = False,
    jsonl: JsonLines = False,
) -> None:
    """Find images. Exits with code 1 if nothing matches."""
    words = join_search(query or ())
    asked = f"{words} sort:{sort}" if sort else words
    if sum((count, facets, paths, ids, json, jsonl)) > 1 and not (json and (count or facets)):
        raise InvalidInputError("Specify only one of --count, --facets, --paths, --ids, --json and --jsonl.")
    with connect(load_settings(library)) as client:
        if count or facets:
            total = _print_counts(client, asked, limit or LIMIT, facets=facets, json=json)
        elif paths or ids:
            images = _list_images(client, asked, limit, detail=False)
            total = _print_column(images, "path" if paths else "uuid", "\0" if print0 else "\n")
        elif jsonl:
            total = print_json_lines(_list_images(client, asked, limit, detail=detail))
        else:
            total = _print_page(client, asked, limit or LIMIT, detail=detail, json=json)
    if not total:
        raise typer.Exit(1)


def _list_images(client: Client, query: str, limit: int | None, *, detail: bool) -> Iterator[dict[str, Any]]:
    """Yields images page by page, so that a pipe receives the first ones immediately."""
    path, page_size = ("/api/v1/images/details", DETAILS_PER_PAGE) if detail else ("/api/v1/images", IMAGES_PER_PAGE)
    after, left = None, limit
    while left is None or left > 0:
        size = page_size if left is None else min(left, page_size)
        page = client.get(path, q=query, after=after, limit=size)
        yield from page["items"]
        after, left = page["next"], None if left is None else left - size
        if after is None:
            return


def _print_column(images: Iterator[dict[str, Any]], name: str, end: str) -> int:
    """Prints one value of each image. Omits images without it, such as the path of an image without a file."""
    printed = 0
    for image in images:
        if image[name] is not None:
            typer.echo(image[name] + end, nl=False)
            printed += 1
    return printed


def _print_counts(client: Client, query: str, limit: int, *, facets: bool, json: bool) -> int:
    found = {"total": client.get("/api/v1/images", q=query, limit=0)["total"]}
    if facets:
        found["facets"] = client.get("/api/v1/facets", q=query, limit=limit)["facets"]
    if json:
        print_json(found)
    elif facets:
        _print_facets(found)
    else:
        typer.echo(found["total"])
    return int(found["total"])


def _print_page(client: Client, query: str, limit: int, *, detail: bool, json: bool) -> int:
    total = int(client.get("/api/v1/images", q=query, limit=0)["total"])
    images = list(_list_images(client, query, limit, detail=detail))
    if json:
        print_json({"total": total, "items": images})
        return total
    if detail:
        for image in images:
            print_details(image)
            out.print()
    else:
        _print_table(images)
    more = "" if len(images) == total else f" Shown: {len(images):,}. To show more, use --limit."
    out.print(f"{format_count(total, 'image')}.{more}")
    return total


def _print_table(images: list[dict[str, Any]]) -> None:
    rows = table("Made", "Prompt", "Path")
    rows.add_column("ID", no_wrap=True)
    for item in images:
        prompt = (item["prompt"] or "").replace("\n", " ")
        rows.add_row(format_time(item["timestamp"]), prompt[:70], item["path"], item["uuid"])
    out.print(rows, markup=False)


def _print_facets(found: dict[str, Any]) -> None:
    rows = table("Images", "Filter")
    for values in found["facets"].values():
        for value in values:
            rows.add_row(f"{value['count']:,}", value["text"])
    out.print(rows, markup=False)
    out.print(f"{format_count(found['total'], 'image')}.")
