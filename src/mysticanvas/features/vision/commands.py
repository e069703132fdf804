"""The noun `vision`: settings of image analysis."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import connect, make_absolute, wait_for_jobs
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json

COMMANDS = Commands()


@COMMANDS.add("vision enable", "", "--clip ~/models/clip-vit-b32")
def enable(
    clip: Annotated[
        Path | None,
        typer.Option(help="Folder of a CLIP model: clip_image.onnx and optionally clip_text.onnx with its vocabulary."),
    ] = None,
    no_clip: Annotated[bool, typer.Option("--no-clip", help="Remove the CLIP model.")] = False,
    explicit: Annotated[
        float | None, typer.Option(min=0, max=1, help="Blur images with at least this NSFW score.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all images are analyzed.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Analyze all new and existing images on this machine. Requires the extra: pip install mysticanvas[vision]

    `looks:ID` finds visually similar images, `nsfw:>.7` images with an NSFW score above 0.7, and, with a CLIP
    model, `looks:"a red car"` images that show a red car.
    """
    changes = {"is_on": True, "clip_folder": "" if no_clip else None if clip is None else make_absolute(clip)}
    with connect(load_settings(library)) as client:
        state = client.patch("/api/v1/vision", changes | {"least_explicit": explicit})
        if wait:
            wait_for_jobs(client)
            state = client.get("/api/v1/vision")
    print_json(state) if json else _print_state(state)


@COMMANDS.add("vision disable")
def disable(library: Library = None, json: Json = False) -> None:
    """Stop analyzing images. The results so far are kept."""
    with connect(load_settings(library)) as client:
        state = client.patch("/api/v1/vision", {"is_on": False})
    print_json(state) if json else _print_state(state)


@COMMANDS.add("vision status")
def status(library: Library = None, json: Json = False) -> None:
    """Show whether image analysis is on, and how many images have been analyzed."""
    with connect(load_settings(library)) as client:
        state = client.get("/api/v1/vision")
    print_json(state) if json else _print_state(state)


def _print_state(state: dict[str, Any]) -> None:
    settings = state["settings"]
    out.print("Image analysis is on." if settings["is_on"] else "Image analysis is off.")
    for one in state["progress"]:
        out.print(f"Images analyzed by {one['space'].removeprefix('picture-')}: {one['seen']:,}", markup=False)
