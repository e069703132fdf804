"""`import`, `import-library` and `inspect`: files in, and what they say."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import Client, absolute, connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError, UnreadableFileError

POLL_S = 0.2
FAILURES_SHOWN = 20


def add_commands(app: typer.Typer) -> None:
    app.command("import", epilog="Example: mysticanvas import ~/ComfyUI/output --json")(import_folders)
    app.command("import-library", epilog="Example: mysticanvas import-library ~/DiffusionDesk/mysti.db --dry-run")(
        import_library
    )
    app.command("inspect", epilog="Example: mysticanvas inspect picture.png --json")(inspect)


def import_folders(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER …", help="Folders to take in.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the thumbnails too.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Import folders once and report. Your files are read where they are, never changed."""
    with connect(settings_for(library)) as client:
        report = import_and_follow(client, folders, dry_run=dry_run, wait=wait)
    if json:
        print_json(report)
    else:
        print_report(report, dry_run=dry_run)


def import_and_follow(client: Client, folders: list[Path], *, dry_run: bool, wait: bool) -> dict[str, Any]:
    """The report of a finished import; a progress bar on standard error meanwhile."""
    paths = [absolute(folder) for folder in folders]
    import_id = client.post("/api/imports", {"paths": paths, "dry_run": dry_run, "watch": True})["id"]
    report = follow_import(client, import_id)
    if wait and not dry_run:
        with progress_bar() as bars:
            bars.add_task("Making thumbnails", total=None, rate="")
            wait_for_jobs(client)
    return report


def follow_import(client: Client, import_id: str) -> dict[str, Any]:
    """The report, when the import is over; a progress bar on standard error meanwhile."""
    with progress_bar() as bars:
        bar = bars.add_task("Looking for images", total=None, rate="")
        try:
            while True:
                reply = client.get(f"/api/imports/{import_id}", wait=POLL_S)
                now = reply["progress"]
                settled = now["seen"] - now["todo"]
                total = None if now["state"] == "listing" else now["seen"]
                text = now["message"] or ("Looking for images" if total is None else "Importing")
                bars.update(bar, description=text, total=total, completed=settled, rate=f"{now['rate_per_s']:.0f}/s")
                if reply["report"] is not None:
                    break
            if now["state"] == "failed":
                raise InvalidInputError(now["message"])
        except KeyboardInterrupt:
            client.post(f"/api/imports/{import_id}/cancel")
            raise
    return dict(reply["report"])


def wait_for_jobs(client: Client) -> None:
    """Returns when no job is waiting or running."""
    while any(kind["waiting"] or kind["running"] for kind in client.get("/api/jobs")["kinds"]):
        time.sleep(POLL_S)


def print_report(report: dict[str, Any], *, dry_run: bool) -> None:
    verb = "Would import" if dry_run else "Imported"
    out.print(
        f"{verb} [bold]{report['imported']:,}[/] of {report['files_seen']:,} images "
        f"in {report['seconds']:.1f} s: {report['unchanged']:,} unchanged, {report['moved']:,} moved, "
        f"{report['copies']:,} copies, {report['missing']:,} missing, {report['failed']:,} could not be read."
    )
    for sentence in report["offline"]:
        out.print(f"  {sentence}", markup=False, highlight=False)
    for failure in report["failures"][:FAILURES_SHOWN]:
        out.print(f"  {failure['path']}: {failure['reason']}", markup=False, highlight=False)
    if (more := len(report["failures"]) - FAILURES_SHOWN) > 0:
        out.print(f"  … and {more:,} more; --json lists them all.")


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


def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE …", help="Image files.")],
    json: Json = False,
) -> None:
    """How was this file made? Needs no library."""
    # Loads every parser, which no other command needs.
    from mysticanvas.features.importing import inspect as import_inspect

    unreadable = 0
    for file in files:
        try:
            row = import_inspect.inspect(file)
        except UnreadableFileError as error:
            unreadable += 1
            row = {"path": str(file), "error": str(error)}
        if json:
            print_json({"path": str(file), **row})
        else:
            _print_inspection(str(file), row)
    if unreadable:
        raise typer.Exit(1)


def _print_inspection(path: str, row: dict[str, Any]) -> None:
    table = Table(title=path, show_header=False, title_justify="left")
    for name, value in row.items():
        if value not in (None, [], "", {}) and name != "path":
            table.add_row(name.replace("_", " "), str(value))
    out.print(table, markup=False)
