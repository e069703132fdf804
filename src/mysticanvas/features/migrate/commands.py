"""`library migrate` and `library import`: migrate from another program, and import an archive."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import POLL_S, Client, connect, make_absolute
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count

COMMANDS = Commands()
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be imported, without changing anything.")]


@COMMANDS.add("library migrate", "~/DiffusionDesk/mysti.db --dry-run")
def migrate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A DiffusionDesk database.")],
    images: Annotated[
        Path | None, typer.Option("--images", help="DiffusionDesk image folder, if it is not next to the database.")
    ] = None,
    dry_run: DryRun = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Migrate from another program: ratings, favorites, tags, prompts and lineage.

    FILE is not changed, and your existing ratings, tags and notes are kept.
    """
    _import({"path": make_absolute(file), "images": make_absolute(images) if images else None, "dry_run": dry_run},
            library, json=json)  # fmt: skip


@COMMANDS.add("library import", "library.zip --folder C:/outputs=/home/me/outputs")
def import_archive(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An archive written by library export.")],
    folder: Annotated[
        list[str] | None,
        typer.Option(
            "--folder",
            metavar="OLD=NEW",
            help="Replace the folder OLD in the archive with the folder NEW on this machine. Can be repeated.",
        ),
    ] = None,
    dry_run: DryRun = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Import an archive of a library: ratings, favorites, notes, tags, collections, templates and lineage.

    FILE is not changed, and your existing ratings, tags and notes are kept.
    """
    folders = dict(map(_parse_folder, folder or ()))
    _import({"path": make_absolute(file), "folders": folders, "dry_run": dry_run}, library, json=json)


def _import(asked: dict[str, Any], library: Path | None, *, json: bool) -> None:
    with connect(load_settings(library)) as client:
        report = _wait_for_report(client, client.post("/api/v1/migrations", asked)["id"])
    if json:
        print_json(report)
        return
    if "folders" in report:
        _print_archive_report(report)
        return
    verb = "Would import" if asked["dry_run"] else "Imported"
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
