"""`export`: everything the user set, as text or as an archive."""

from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.cli.client import connect
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas export --json > mine.jsonl")(export)


def export(
    whole: Annotated[
        Path | None,
        typer.Option(
            "--whole", metavar="FILE", help="Write an archive (ZIP) to import on another machine with import-library."
        ),
    ] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Export your ratings, favorites, notes, tags, collections and templates.

    --json prints one JSON object per line; identical libraries give identical output. --whole writes an archive that
    also contains the names of your folders. Neither contains your images.
    """
    if whole is not None:
        _export_archive(whole.expanduser(), library, json=json)
        return
    if not json:
        raise InvalidInputError("Specify the format: --json or --whole FILE.")
    with connect(load_settings(library)) as client:
        typer.echo(client.text("/api/v1/library/export"), nl=False)


def _export_archive(target: Path, library: Path | None, *, json: bool) -> None:
    # Imported here because it loads modules that the other commands do not need.
    from mysticanvas.features.archive import service as archive_service

    with connect(load_settings(library)) as client:
        counts = archive_service.write_archive(target, client.text("/api/v1/library/archive").encode())
    if json:
        print_json({"path": str(target), "counts": counts})
    else:
        images, tags, collections = (counts.get(kind, 0) for kind in ("image", "tag", "collection"))
        out.print(
            f"Wrote {target} with the data of {format_count(images, 'image')}, {format_count(tags, 'tag')} and "
            f"{format_count(collections, 'collection')}. It does not contain your images.",
            markup=False,
        )
