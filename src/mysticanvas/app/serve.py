"""`serve` and `demo`: the gallery, for as long as the person wants it."""

import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.cli.client import absolute, connect
from mysticanvas.cli.options import Library, settings_for
from mysticanvas.cli.output import err, out, progress_bar
from mysticanvas.cli.starting import open_unless_served
from mysticanvas.fs.instance_file import holder_address
from mysticanvas.settings import Settings

Port = Annotated[int | None, typer.Option(min=0, max=65_535, help="Port; 0 takes any that is free.")]
Host = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Listen at this address too, for other machines; wants a password."),
]
HostName = Annotated[
    list[str] | None,
    typer.Option("--host-name", metavar="NAME", help="A name that their browsers will use; may be repeated."),
]
Executor = Annotated[
    str | None,
    typer.Option(metavar="local|dask://HOST:PORT", help="Where jobs are done.", show_default="local"),
]
SendFiles = Annotated[
    bool | None,
    typer.Option("--send-files", help="Send images to the cluster; without it, it reads them at the same paths."),
]
Open = Annotated[bool, typer.Option("--open/--no-open", help="Open the gallery in your browser.")]


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas serve ~/ComfyUI/output")(serve)
    app.command(epilog="Example: mysticanvas demo")(demo)


def serve(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[FOLDER …]", help="Folders to take in and watch.")
    ] = None,
    port: Port = None,
    host: Host = None,
    host_name: HostName = None,
    open_browser: Open = True,
    executor: Executor = None,
    send_files: SendFiles = None,
    library: Library = None,
) -> None:
    """Open the gallery: take in the folders, watch them, serve until Ctrl+C."""
    names = ",".join(host_name) if host_name else None
    settings = settings_for(library, port=port, host=host, host_names=names, executor=executor, send_files=send_files)
    _serve(settings, [absolute(folder) for folder in folders or []], open_browser=open_browser)


def demo(
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where the pictures go. Default: inside the library.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=5_000, help="How many pictures.")] = 240,
    port: Port = None,
    open_browser: Open = True,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Open the gallery afterwards.")] = True,
    library: Library = None,
) -> None:
    """Paint a small library of pictures with real metadata, and open the gallery on it."""
    from mysticanvas.demo.make import make_demo

    settings = settings_for(library, port=port)
    if library is None:
        settings = settings.model_copy(update={"library": settings.library.with_name("mysticanvas-demo")})
    pictures = Path(absolute(folder)) if folder else settings.library / "demo-pictures"
    with progress_bar() as bars:
        bar = bars.add_task("Painting pictures", total=count, rate="")
        make_demo(pictures, count=count, on_progress=lambda done: bars.update(bar, completed=done))
    out.print(f"{count} pictures are in {pictures}", markup=False)
    if serve:
        _serve(settings, [absolute(pictures)], open_browser=open_browser)


def _serve(settings: Settings, paths: list[str], *, open_browser: bool) -> None:
    if holder_address(settings.library) is not None:
        _join_the_holder(settings, paths, open_browser=open_browser)
        return
    # All of the library's parts take half a second to load.
    from mysticanvas.app.orchestrator import Orchestrator, serve_library

    def say(orchestrator: Orchestrator) -> None:
        for elsewhere in orchestrator.addresses_elsewhere():
            out.print(f"For other machines, with the password: {elsewhere}", markup=False, highlight=False)
        _say_where(orchestrator.sign_in_address(), open_browser=open_browser)

    served = open_unless_served(settings.library, lambda: serve_library(settings, paths, on_ready=say))
    if served is not None:
        _join_the_holder(settings, paths, open_browser=open_browser)
        return
    # A terminal that was closed cannot be written to.
    with suppress(OSError):
        err.print("MystiCanvas has stopped; everything is saved.")


def _join_the_holder(settings: Settings, paths: list[str], *, open_browser: bool) -> None:
    """The library is being served already: give it the folders and open its gallery."""
    with connect(settings) as client:
        if paths:
            client.post("/api/imports", {"paths": paths, "dry_run": False, "watch": True})
        address = client.post("/api/session/code")["url"]
    out.print("This library is being served already.")
    _say_where(address, open_browser=open_browser)


def _say_where(address: str, *, open_browser: bool) -> None:
    out.print(f"Your gallery: [bold]{address}[/]", soft_wrap=True, highlight=False)
    out.print("Press Ctrl+C to stop.")
    if open_browser:
        webbrowser.open(address)
