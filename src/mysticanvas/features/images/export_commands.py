"""`image download` and `image export`: copies of files, and lists of images with all details."""

import csv
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TextIO

import msgspec
import typer

from mysticanvas.cli.client import Client, connect, make_absolute
from mysticanvas.cli.edits import Images, join_search, read_selections
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import err, out, print_json
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.local_time import convert_to_local_time
from mysticanvas.domain.plurals import format_count

COMMANDS = Commands()
IMAGES_PER_PAGE = 5_000
DETAILS_PER_PAGE = 1_000
FAILURES_SHOWN = 20
STDOUT = "-"
FORMATS = ("csv", "jsonl")
# The columns of a CSV file. Lists are joined with semicolons, and times are local ISO 8601 times.
COLUMNS = (
    "uuid", "path", "created", "imported", "rating", "favorite", "prompt", "negative_prompt", "model", "loras", "vae",
    "sampler", "scheduler", "seed", "steps", "cfg_scale", "guidance", "denoise", "clip_skip", "width", "height",
    "tool", "tool_version", "tags", "collections", "notes",
)  # fmt: skip


@COMMANDS.add("image download", "~/favorites 'is:favorite'", "~/film-grain 'lora:film_grain' --json")
def download(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to copy the files. Created if necessary.")],
    images: Images,
    library: Library = None,
    json: Json = False,
) -> None:
    """Copy the files of images to a folder. Files that are already there are skipped; files with the same name and
    another content get a number. Exits with code 1 if a file could not be copied, or no image was found."""
    target = Path(make_absolute(folder))
    target.mkdir(parents=True, exist_ok=True)
    done: dict[str, Any] = {"folder": str(target), "copied": 0, "skipped": 0, "failures": []}
    selections = read_selections(images)
    with connect(load_settings(library)) as client:
        for image in _list_paths(client, selections):
            _copy(image, target, done)
    found = done["copied"] + done["skipped"] + len(done["failures"])
    print_json(done) if json else _print_copied(done)
    if done["failures"] or not found:
        raise typer.Exit(1)


def _list_paths(client: Client, selections: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for selection in selections:
        if "query" in selection:
            yield from _list_pages(client, "/api/v1/images", selection["query"], IMAGES_PER_PAGE)
            continue
        for uuid in selection["uuids"]:
            files = client.get(f"/api/v1/images/{uuid}")["files"]
            found = [one for one in files if one["kind"] in ("final", "copy") and not one["missing"]]
            yield {"uuid": uuid, "path": str(Path(found[0]["root"], found[0]["path"])) if found else None}


def _copy(image: dict[str, Any], folder: Path, done: dict[str, Any]) -> None:
    if image["path"] is None:
        done["failures"].append({"uuid": image["uuid"], "path": None, "reason": "This image has no file."})
        return
    source = Path(image["path"])
    try:
        target = _find_free_name(source, folder)
        if target is not None:
            shutil.copy2(source, target)
    except OSError as error:
        done["failures"].append({"uuid": image["uuid"], "path": str(source), "reason": error.strerror or str(error)})
    else:
        done["skipped" if target is None else "copied"] += 1


def _find_free_name(source: Path, folder: Path) -> Path | None:
    """The path of a new copy, or None if the folder contains one. Copies keep the size and the time of the file."""
    facts, number = source.stat(), 1
    while True:
        name = source.name if number == 1 else f"{source.stem} ({number}){source.suffix}"
        target = folder / name
        if not target.exists():
            return target
        there = target.stat()
        if (there.st_size, int(there.st_mtime)) == (facts.st_size, int(facts.st_mtime)):
            return None
        number += 1


def _print_copied(done: dict[str, Any]) -> None:
    skipped = f" Already there: {done['skipped']:,}." if done["skipped"] else ""
    out.print(f"Copied {format_count(done['copied'], 'file')} to {done['folder']}.{skipped}", markup=False)
    for failure in done["failures"][:FAILURES_SHOWN]:
        out.print(f"  {failure['path'] or failure['uuid']}: {failure['reason']}", markup=False, highlight=False)
    if (more := len(done["failures"]) - FAILURES_SHOWN) > 0:
        out.print(f"  … and {more:,} more. Use --json to list all of them.")


@COMMANDS.add("image export", "images.csv 'rating:>=4'", "- 'lora:film_grain' --format jsonl | jq .prompt")
def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The new file. - writes to standard output.")],
    query: Annotated[
        list[str] | None, typer.Argument(metavar="SEARCH", help="Export the matches of this search. Default: all.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="csv|jsonl", help="Default: csv, or jsonl for a file with this ending."),
    ] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Export images with all details, tags and models as CSV or JSON Lines. Exits with code 1 if nothing matches."""
    chosen = format_ or ("jsonl" if file.endswith(".jsonl") else "csv")
    if chosen not in FORMATS:
        raise InvalidInputError(f"--format cannot be “{chosen}”. Use csv or jsonl.")
    if json and file == STDOUT:
        raise InvalidInputError("--json prints a report, so it requires a file. For JSON Lines, use --format jsonl.")
    write = _write_csv if chosen == "csv" else _write_lines
    with connect(load_settings(library)) as client:
        images = _list_pages(client, "/api/v1/images/details", join_search(query or ()), DETAILS_PER_PAGE)
        count = (
            write(images, sys.stdout) if file == STDOUT else _write_file(Path(make_absolute(Path(file))), images, write)
        )
    if json:
        print_json({"path": file, "images": count})
    elif file != STDOUT:
        err.print(f"Wrote {format_count(count, 'image')} to {file}.", markup=False, highlight=False)
    if not count:
        raise typer.Exit(1)


def _list_pages(client: Client, path: str, query: str, size: int) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        page = client.get(path, q=query, after=after, limit=size)
        yield from page["items"]
        if (after := page["next"]) is None:
            return


def _write_file(
    target: Path, images: Iterable[dict[str, Any]], write: Callable[[Iterable[dict[str, Any]], TextIO], int]
) -> int:
    """Raises `InvalidInputError` if the file exists or cannot be written."""
    try:
        with target.open("x", encoding="utf-8", newline="") as file:
            return write(images, file)
    except FileExistsError as error:
        raise InvalidInputError(f"{target} already exists. Choose another name.") from error
    except OSError as error:
        raise InvalidInputError(f"MystiCanvas cannot write {target}: {error.strerror}.") from error


def _write_lines(images: Iterable[dict[str, Any]], file: TextIO) -> int:
    count = 0
    for image in images:
        file.write(msgspec.json.encode(image).decode() + "\n")
        count += 1
    return count


def _write_csv(images: Iterable[dict[str, Any]], file: TextIO) -> int:
    writer, count = csv.writer(file, lineterminator="\n"), 0
    writer.writerow(COLUMNS)
    for image in images:
        shown = image | _flatten(image)
        writer.writerow([shown[name] for name in COLUMNS])
        count += 1
    return count


def _flatten(image: dict[str, Any]) -> dict[str, Any]:
    """The values that have another form in a cell of a table."""
    return {
        "created": _format_time(image["timestamp"]),
        "imported": _format_time(image["imported_at"]),
        "favorite": int(image["is_favorite"]),
        "loras": "; ".join(_format_lora(lora) for lora in image["loras"]),
        "tags": "; ".join(image["tags"]),
        "collections": "; ".join(image["collections"]),
    }


def _format_time(ms: int) -> str:
    return convert_to_local_time(ms // 1000).isoformat()


def _format_lora(lora: dict[str, Any]) -> str:
    return lora["name"] if lora["weight"] is None else f"{lora['name']}:{lora['weight']:g}"
