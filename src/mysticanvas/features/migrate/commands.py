"""`import-library`: the library of another program, or an archive."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import POLL_S, Client, absolute, connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError


def add_commands(app: typer.Typer) -> None:
    app.command("import-library", epilog="Example: mysticanvas import-library ~/DiffusionDesk/mysti.db --dry-run")(
        import_library
    )


def import_library(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The database of DiffusionDesk, or the zip of export --whole.")
    ],
    images: Annotated[
        Path | None, typer.Option("--images", help="The folder of its images, if it is not beside the database.")
    ] = None,
    folder: Annotated[
        list[str] | None,
        typer.Option("--folder", metavar="OLD=NEW", help="Where a folder of the zip is on this machine."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come over, change nothing.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Take over another gallery, or a library that was exported whole: ratings, favourites, tags, prompts,
    lineage. It is not touched, and what you wrote here already stays."""
    asked = {
        "path": absolute(file),
        "images": absolute(images) if images else None,
        "dry_run": dry_run,
        "folders": dict(map(_moved_folder, folder or ())),
    }
    with connect(settings_for(library)) as client:
        report = _follow_take_over(client, client.post("/api/libraries", asked)["id"])
    if json:
        print_json(report)
        return
    if "folders" in report:
        _print_whole(report)
        return
    verb = "Would take over" if dry_run else "Took over"
    out.print(
        f"{verb} {report['images']:,} images of {report['gallery']}: {report['matched']:,} found here, "
        f"{report['missing']:,} without their file, {report['known']:,} known already."
    )
    words = ("ratings", "favorites", "tags", "parents", "templates", "aliases")
    out.print(", ".join(f"{report[name]:,} {name}" for name in words) + ".")
    for one in report["left_out"]:
        out.print(f"  Not taken over: {one['count']:,} {one['what']} ({one['why']}).", markup=False, highlight=False)


def _moved_folder(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise InvalidInputError(f"Say --folder OLD=NEW; not “{text}”.")
    return old, absolute(Path(new))


def _print_whole(report: dict[str, Any]) -> None:
    out.print(
        f"{'Would take over' if report['dry_run'] else 'Took over'} {report['tags']:,} new tags, "
        f"{report['collections']:,} collections, {report['templates']:,} templates, and what was written of "
        f"{report['images']:,} images: {report['matched']:,} are here, {report['missing']:,} wait for their files."
    )
    for old, new in report["folders"].items():
        moved = f"{old} is {new}" if old != new else new
        out.print(f"  {'Would import' if report['dry_run'] else 'Imported'}: {moved}", markup=False, highlight=False)
    for path in report["away"]:
        out.print(f"  Not here: {path}. --folder {path}=… says where it is.", markup=False, highlight=False)


def _follow_take_over(client: Client, take_over: str) -> dict[str, Any]:
    with progress_bar() as bars:
        bar = bars.add_task("Taking over", total=None, rate="")
        while True:
            now = client.get(f"/api/libraries/{take_over}", wait=POLL_S)
            bars.update(bar, description=now["message"], completed=now["done"], total=now["total"] or None)
            if now["report"] is not None:
                return dict(now["report"])
