"""`import-library`: migrates from another program, or imports an archive."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import POLL_S, Client, connect, make_absolute
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count


def add_commands(app: typer.Typer) -> None:
    app.command("import-library", epilog="Example: mysticanvas import-library ~/DiffusionDesk/mysti.db --dry-run")(
        import_library
    )


def import_library(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="DiffusionDesk database, or archive written by export --whole.")
    ],
    images: Annotated[
        Path | None, typer.Option("--images", help="DiffusionDesk image folder, if it is not next to the database.")
    ] = None,
    folder: Annotated[
        list[str] | None,
        typer.Option(
            "--folder",
            metavar="OLD=NEW",
            help="Replace the folder OLD in the archive with the folder NEW on this machine. Can be repeated.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be imported, without changing anything.")
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Migrate from another program, or import an archive: ratings, favorites, tags, prompts and lineage.

    FILE is not changed, and your existing ratings, tags and notes are kept.
    """
    asked = {
        "path": make_absolute(file),
        "images": make_absolute(images) if images else None,
        "dry_run": dry_run,
        "folders": dict(map(_parse_folder, folder or ())),
    }
    with connect(load_settings(library)) as client:
        report = _wait_for_report(client, client.post("/api/v1/migrations", asked)["id"])
    if json:
        print_json(report)
        return
    if "folders" in report:
        _print_archive_report(report)
        return
    verb = "Would import" if dry_run else "Imported"
    out.print(
        f"{verb} {format_count(report['images'], 'image')} from {report['gallery']}: {report['matched']:,} with files "
        f"on this machine, {report['missing']:,} with missing files, {report['known']:,} already imported."
    )
    nouns = (
        ("ratings", "rating"), ("favorites", "favorite"), ("tags", "tag"), ("parents", "source"),
        ("templates", "template"),
    )  # fmt: skip
    counts = [format_count(report[name], noun) for name, noun in nouns]
    out.print(", ".join([*counts, format_count(report["aliases"], "alias", "aliases")]) + ".")
    for one in report["skipped"]:
        out.print(f"  Not imported: {one['count']:,} {one['what']} ({one['why']}).", markup=False, highlight=False)


def _parse_folder(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise InvalidInputError(f"Invalid value for --folder: “{text}”. Use --folder OLD=NEW.")
    return old, make_absolute(Path(new))


def _print_archive_report(report: dict[str, Any]) -> None:
    out.print(
        f"{'Would import' if report['dry_run'] else 'Imported'} {format_count(report['tags'], 'new tag')}, "
        f"{format_count(report['collections'], 'collection')}, {format_count(report['templates'], 'template')}, and "
        f"the data of {format_count(report['images'], 'image')}: {report['matched']:,} with files on this machine, "
        f"{report['missing']:,} with missing files."
    )
    for old, new in report["folders"].items():
        moved = f"{old} → {new}" if old != new else new
        out.print(f"  {'Would import' if report['dry_run'] else 'Imported'}: {moved}", markup=False, highlight=False)
    for path in report["away"]:
        out.print(
            f"  Folder not found: {path}. Specify its location: --folder {path}=NEW", markup=False, highlight=False
        )


def _wait_for_report(client: Client, migration: str) -> dict[str, Any]:
    with progress_bar() as bars:
        bar = bars.add_task("Importing", total=None, rate="")
        while True:
            now = client.get(f"/api/v1/migrations/{migration}", wait=POLL_S)
            bars.update(bar, description=now["message"], completed=now["done"], total=now["total"] or None)
            if now["report"] is not None:
                return dict(now["report"])
