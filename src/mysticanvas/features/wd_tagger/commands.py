"""`vision`: tags images with a WD tagger."""

from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.cli.client import connect, make_absolute, wait_for_jobs
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.plurals import format_count


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas vision --model ~/models/wd-vit-tagger-v3 is:favorite")(vision)


def vision(
    query: Annotated[
        str | None, typer.Argument(help='Tag the images that match this search. "" tags all images.')
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="Folder of a WD tagger: model.onnx and selected_tags.csv.")
    ] = None,
    general: Annotated[
        float, typer.Option(min=0, max=1, help="With --model: minimum confidence for general tags.")
    ] = 0.35,
    character: Annotated[
        float, typer.Option(min=0, max=1, help="With --model: minimum confidence for character tags.")
    ] = 0.85,
    after_import: Annotated[
        bool,
        typer.Option(
            "--after-import/--on-demand", help="With --model: tag new images after import, or only on demand."
        ),
    ] = True,
    again: Annotated[bool, typer.Option("--again", help="Include images that this tagger has already tagged.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Stop using the tagger. Its tags are kept.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all images are tagged.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Tag images with a WD tagger. Select a model with --model, then tag the images that match a query.

    New tag names are suggested tags until you accept them. Requires the extra `vision`.
    """
    with connect(load_settings(library)) as client:
        if off:
            client.put("/api/v1/tagger", {"folder": None})
        elif model is not None:
            settings = {"least_general": general, "least_character": character, "after_import": after_import}
            client.put("/api/v1/tagger", {"folder": make_absolute(model), **settings})
        queued = None
        if query is not None and not off:
            queued = client.post("/api/v1/tagger:run", {"q": query, "again": again})["queued"]
            if wait:
                wait_for_jobs(client)
        state = client.get("/api/v1/tagger") | {"queued": queued}
    if json:
        print_json(state)
        return
    tagger = state["tagger"]
    out.print("No tagger is selected." if tagger is None else f"Tagger: {tagger['folder']}", markup=False)
    if queued is not None:
        out.print(f"{'Tagged' if wait else 'Queued'} {format_count(queued, 'image')}.")
