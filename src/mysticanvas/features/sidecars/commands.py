"""`sidecars`: tags and ratings beside the images, for other programs."""

from collections import Counter
from typing import Annotated

import typer

from mysticanvas.cli.client import connect
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.formats.sidecars.own import SidecarFormat

AT_ONCE = 200


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas sidecars write 'rating:>=4' --format xmp")(sidecars)


def sidecars(
    action: Annotated[str, typer.Argument(metavar="write")],
    query: Annotated[str, typer.Argument(help="Which images; none: all.")] = "",
    how: Annotated[SidecarFormat, typer.Option("--format", help="xmp is read by digiKam and Lightroom.")] = (
        SidecarFormat.XMP
    ),
    library: Library = None,
    json: Json = False,
) -> None:
    """Write tags and ratings into small files beside the images, for other programs. It is done only when you
    ask for it; a sidecar of another program is never overwritten, and your images are not touched."""
    if action != "write":
        raise InvalidInputError(f"sidecars knows write; not “{action}”.")
    done = Counter[str]()
    with connect(settings_for(library)) as client, progress_bar() as bars:
        view = client.post("/api/queries", {"q": query})
        bar = bars.add_task("Writing sidecars", total=view["total"], rate="")
        for start in range(0, view["total"], AT_ONCE):
            end = min(view["total"], start + AT_ONCE)
            asked = {"snapshot": view["snapshot"], "ranges": [[start, end]], "format": how.value}
            done.update(client.post("/api/sidecars", asked))
            bars.update(bar, completed=end)
    if json:
        print_json(dict(done))
        return
    out.print(f"Wrote {done['written']:,} sidecars; {done['unchanged']:,} were as they should be.")
    for name, words in (
        ("foreign", "left alone: another program's sidecar is there"),
        ("failed", "not written: their folder may not be written"),
        ("nothing", "without tag and rating, or without their file"),
    ):
        if done[name]:
            out.print(f"{done[name]:,} {words}.")
