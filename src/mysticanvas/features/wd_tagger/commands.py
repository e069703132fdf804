"""`vision`: tags by a tagger that looks at the pictures."""

from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.cli.client import absolute, connect, wait_for_jobs
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas vision --model ~/models/wd-vit-tagger-v3 is:favourite")(vision)


def vision(
    query: Annotated[str | None, typer.Argument(help='Look at what this finds; "" is everything.')] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="The folder of a WD tagger: model.onnx and selected_tags.csv.")
    ] = None,
    general: Annotated[float, typer.Option(min=0, max=1, help="With --model: least confidence of a tag.")] = 0.35,
    character: Annotated[float, typer.Option(min=0, max=1, help="With --model: least of a character's name.")] = 0.85,
    after_import: Annotated[
        bool, typer.Option("--after-import/--on-demand", help="With --model: whether new images are looked at.")
    ] = True,
    again: Annotated[bool, typer.Option("--again", help="Also images that this tagger has spoken of.")] = False,
    off: Annotated[bool, typer.Option("--off", help="No tagger any more; what it said stays.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all are looked at.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Tags by a tagger that looks at the pictures: choose one with --model, then say at which. Its words are
    proposals until you take them in. Needs the extra mysticanvas[vision]."""
    with connect(settings_for(library)) as client:
        if off:
            client.post("/api/vision/tagger", {"folder": None})
        elif model is not None:
            wishes = {"least_general": general, "least_character": character, "after_import": after_import}
            client.post("/api/vision/tagger", {"folder": absolute(model), **wishes})
        queued = None
        if query is not None and not off:
            queued = client.post("/api/vision/start", {"q": query, "again": again})["queued"]
            if wait:
                wait_for_jobs(client)
        said = client.get("/api/vision") | {"queued": queued}
    if json:
        print_json(said)
        return
    tagger = said["tagger"]
    out.print("No tagger is chosen." if tagger is None else f"Tagger: {tagger['folder']}", markup=False)
    if queued is not None:
        out.print(f"{'Looked at' if wait else 'Queued'} {queued:,} images.")
