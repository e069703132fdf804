"""`sight`: whether models look at pictures, and which."""

from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.cli.client import absolute, connect, wait_for_jobs
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas sight --on")(sight)


def sight(
    on: Annotated[bool | None, typer.Option("--on/--off", help="Look at every picture, new and old.")] = None,
    clip: Annotated[
        Path | None,
        typer.Option(help="The folder of a CLIP model: clip_image.onnx, and clip_text.onnx with its words."),
    ] = None,
    no_clip: Annotated[bool, typer.Option("--no-clip", help="No model of your own any more.")] = False,
    explicit: Annotated[
        float | None, typer.Option(min=0, max=1, help="From this score on a picture is blurred.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="With --on: wait until all are looked at.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Models look at your pictures, on this machine: then `looks:ID` finds what looks alike, `explicit:>.7` what not
    everybody wants to see, and with a CLIP model `looks:"a red car"` what shows that. Needs mysticanvas[vision]."""
    asked = {"is_on": on, "clip_folder": "" if no_clip else None if clip is None else absolute(clip)}
    with connect(settings_for(library)) as client:
        said = client.post("/api/looking", asked | {"least_explicit": explicit})
        if on and wait:
            wait_for_jobs(client)
            said = client.get("/api/looking")
    if json:
        print_json(said)
        return
    chosen = said["sight"]
    out.print("Models look at your pictures." if chosen["is_on"] else "No model looks at your pictures.")
    for one in said["progress"]:
        out.print(f"{one['seen']:,} pictures seen by {one['space'].removeprefix('picture-')}", markup=False)
