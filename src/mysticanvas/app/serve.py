"""`serve` and `demo`: run the gallery until Ctrl+C."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.cli.client import connect, make_absolute
from mysticanvas.cli.links import BROWSER_LIMIT_S, Links, fetch_links, open_browser_at, print_links
from mysticanvas.cli.options import Library, load_settings
from mysticanvas.cli.output import err, out, progress_bar
from mysticanvas.cli.starting import open_unless_served
from mysticanvas.domain.plurals import format_count
from mysticanvas.settings import Settings

Port = Annotated[int | None, typer.Option(min=0, max=65_535, help="Port to listen on. 0 selects a free port.")]
Host = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Also listen on this address so that other machines can connect. Requires a password and --host-name.",
    ),
]
HostName = Annotated[
    list[str] | None,
    typer.Option(
        "--host-name", metavar="NAME", help="Host name that browsers on other machines will use. Can be repeated."
    ),
]
Executor = Annotated[
    str | None,
    typer.Option(metavar="local|dask://HOST:PORT", help="Where jobs run.", show_default="local"),
]
SendFiles = Annotated[
    bool | None,
    typer.Option(
        "--send-files",
        help="Send image files to the cluster. Otherwise, the cluster must be able to read them at the same paths.",
    ),
]
Open = Annotated[bool, typer.Option("--open/--no-open", help="Open the gallery in your browser.")]


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas serve ~/ComfyUI/output")(serve)
    app.command(epilog="Example: mysticanvas demo")(demo)


def serve(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[FOLDER …]", help="Folders to import and watch.")
    ] = None,
    port: Port = None,
    host: Host = None,
    host_name: HostName = None,
    open_browser: Open = True,
    executor: Executor = None,
    send_files: SendFiles = None,
    library: Library = None,
) -> None:
    """Import and watch the folders, and serve the gallery until you press Ctrl+C."""
    names = ",".join(host_name) if host_name else None
    settings = load_settings(library, port=port, host=host, host_names=names, executor=executor, send_files=send_files)
    _serve(settings, [make_absolute(folder) for folder in folders or []], open_browser=open_browser)


def demo(
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where to save the images. Default: inside the library.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=5_000, help="Number of images.")] = 240,
    port: Port = None,
    open_browser: Open = True,
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the gallery after generating the images.")
    ] = True,
    library: Library = None,
) -> None:
    """Generate demo images with realistic metadata, and open the gallery with them."""
    from mysticanvas.demo.make import make_demo

    settings = load_settings(library, port=port)
    if library is None:
        settings = settings.model_copy(update={"library": settings.library.with_name("mysticanvas-demo")})
    pictures = Path(make_absolute(folder)) if folder else settings.library / "demo-pictures"
    with progress_bar() as bars:
        bar = bars.add_task("Generating demo images", total=count, rate="")
        make_demo(pictures, count=count, on_progress=lambda done: bars.update(bar, completed=done))
    out.print(f"Saved {format_count(count, 'image')} in {pictures}", markup=False)
    if serve:
        _serve(settings, [make_absolute(pictures)], open_browser=open_browser)


def _serve(settings: Settings, paths: list[str], *, open_browser: bool) -> None:
    served = open_unless_served(settings.library, lambda: _serve_here(settings, paths, open_browser=open_browser))
    if served is not None:
        _join_running_gallery(settings, paths, open_browser=open_browser)
        return
    # A terminal that was closed cannot be written to.
    with suppress(OSError):
        err.print("MystiCanvas has stopped. All changes are saved.")


def _serve_here(settings: Settings, paths: list[str], *, open_browser: bool) -> None:
    # All of the library's parts take half a second to load.
    from mysticanvas.app.orchestrator import Orchestrator, serve_library

    def print_addresses(orchestrator: Orchestrator) -> None:
        for url in orchestrator.address.external:
            out.print(f"On other machines (password required): {url}", markup=False, highlight=False)
        print_links(Links(*orchestrator.create_sign_in_links()))
        out.print("Press Ctrl+C to stop.")
        if open_browser:
            open_browser_at(orchestrator.create_sign_in_links(BROWSER_LIMIT_S)[0])

    serve_library(settings, paths, on_ready=print_addresses)


def _join_running_gallery(settings: Settings, paths: list[str], *, open_browser: bool) -> None:
    """Adds the folders to the gallery that already serves this library, and opens it."""
    with connect(settings) as client:
        if paths:
            client.post("/api/v1/imports", {"paths": paths, "dry_run": False, "watch": True})
        out.print("MystiCanvas is already running for this library.")
        print_links(fetch_links(client))
        if open_browser:
            open_browser_at(fetch_links(client, BROWSER_LIMIT_S).url)
