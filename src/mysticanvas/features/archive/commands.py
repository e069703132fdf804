"""`export`: everything the user set, as text or as an archive."""

from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.cli.client import connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.errors import InvalidInputError


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas export --json > mine.jsonl")(export)


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
