"""`sight`: settings of image analysis."""

from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.cli.client import connect, make_absolute, wait_for_jobs
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json


def add_commands(app: typer.Typer) -> None:
    app.command("sight", epilog="Example: mysticanvas sight --on")(analyze_images)


def analyze_images(
    on: Annotated[bool | None, typer.Option("--on/--off", help="Analyze all new and existing images.")] = None,
    clip: Annotated[
        Path | None,
        typer.Option(help="Folder of a CLIP model: clip_image.onnx and optionally clip_text.onnx with its vocabulary."),
    ] = None,
    no_clip: Annotated[bool, typer.Option("--no-clip", help="Remove the CLIP model.")] = False,
    explicit: Annotated[
        float | None, typer.Option(min=0, max=1, help="Blur images with at least this NSFW score.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="With --on: wait until all images are analyzed.")
    ] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Analyze your images on this machine for visual search and NSFW scores. Requires the extra `vision`.

    `looks:ID` finds visually similar images, `nsfw:>.7` images with an NSFW score above 0.7, and, with a CLIP
    model, `looks:"a red car"` images that show a red car.
    """
    changes = {"is_on": on, "clip_folder": "" if no_clip else None if clip is None else make_absolute(clip)}
    with connect(load_settings(library)) as client:
        state = client.patch("/api/v1/vision", changes | {"least_explicit": explicit})
        if on and wait:
            wait_for_jobs(client)
            state = client.get("/api/v1/vision")
    if json:
        print_json(state)
        return
    settings = state["settings"]
    out.print("Image analysis is on." if settings["is_on"] else "Image analysis is off.")
    for one in state["progress"]:
        out.print(f"Images analyzed by {one['space'].removeprefix('picture-')}: {one['seen']:,}", markup=False)
