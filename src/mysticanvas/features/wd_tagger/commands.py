"""The noun `tagger`: tags images with a WD tagger."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import connect, make_absolute, wait_for_jobs
from mysticanvas.cli.edits import join_search
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.plurals import format_count

COMMANDS = Commands()


@COMMANDS.add("tagger enable", "~/models/wd-vit-tagger-v3", "~/models/wd-vit-tagger-v3 --general 0.5 --on-demand")
def enable(
    model: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder of a WD tagger: model.onnx and selected_tags.csv.")
    ],
    general: Annotated[float, typer.Option(min=0, max=1, help="Minimum confidence for general tags.")] = 0.35,
    character: Annotated[float, typer.Option(min=0, max=1, help="Minimum confidence for character tags.")] = 0.85,
    after_import: Annotated[
        bool, typer.Option("--after-import/--on-demand", help="Tag new images after import, or only on demand.")
    ] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Select a WD tagger. Requires the extra: pip install mysticanvas[vision]"""
    settings = {"least_general": general, "least_character": character, "after_import": after_import}
    _select({"folder": make_absolute(model), **settings}, library, json=json)


@COMMANDS.add("tagger disable")
def disable(library: Library = None, json: Json = False) -> None:
    """Stop using the tagger. Its tags are kept."""
    _select({"folder": None}, library, json=json)


def _select(settings: dict[str, Any], library: Path | None, *, json: bool) -> None:
    with connect(load_settings(library)) as client:
        state = client.put("/api/v1/tagger", settings)
    print_json(state) if json else _print_tagger(state["tagger"])


@COMMANDS.add("tagger status")
def status(library: Library = None, json: Json = False) -> None:
    """Show which tagger is selected."""
    with connect(load_settings(library)) as client:
        state = client.get("/api/v1/tagger")
    print_json(state) if json else _print_tagger(state["tagger"])


@COMMANDS.add("tagger run", "is:favorite", "--again 'date:30d'")
def run(
    query: Annotated[
        list[str], typer.Argument(metavar="SEARCH", help='Tag the images that match this search. "" tags all images.')
    ],
    again: Annotated[bool, typer.Option("--again", help="Include images that this tagger has already tagged.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all images are tagged.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Tag the images that match a search. New tag names are suggested tags until you accept them."""
    with connect(load_settings(library)) as client:
        queued = client.post("/api/v1/tagger:run", {"q": join_search(query), "again": again})["queued"]
        if wait:
            wait_for_jobs(client)
        state = client.get("/api/v1/tagger") | {"queued": queued}
    if json:
        print_json(state)
        return
    out.print(f"{'Tagged' if wait else 'Queued'} {format_count(queued, 'image')}.")


def _print_tagger(tagger: dict[str, Any] | None) -> None:
    out.print("No tagger is selected." if tagger is None else f"Tagger: {tagger['folder']}", markup=False)
