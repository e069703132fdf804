"""`sidecars`: writes tags and ratings to sidecar files for other programs."""

from collections import Counter
from typing import Annotated

import typer

from mysticanvas.cli.client import connect
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count
from mysticanvas.formats.sidecars.own import SidecarFormat

IMAGES_PER_REQUEST = 200


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas sidecars write 'rating:>=4' --format xmp")(sidecars)


def sidecars(
    action: Annotated[str, typer.Argument(metavar="write")],
    query: Annotated[
        str, typer.Argument(help="Write sidecars for the images that match this search. Default: all images.")
    ] = "",
    how: Annotated[SidecarFormat, typer.Option("--format", help="Sidecar format. digiKam and Lightroom read xmp.")] = (
        SidecarFormat.XMP
    ),
    library: Library = None,
    json: Json = False,
) -> None:
    """Write tags and ratings to sidecar files next to your images, for other programs.

    Sidecars are only written on request. The sidecar of another program is never overwritten, and no image is changed.
    """
    if action != "write":
        raise InvalidInputError(f"Unknown action “{action}”. The only action is “write”.")
    done = Counter[str]()
    with connect(load_settings(library)) as client, progress_bar() as bars:
        view = client.post("/api/v1/snapshots", {"q": query})
        bar = bars.add_task("Writing sidecars", total=view["total"], rate="")
        for start in range(0, view["total"], IMAGES_PER_REQUEST):
            end = min(view["total"], start + IMAGES_PER_REQUEST)
            asked = {"snapshot": view["snapshot"], "ranges": [[start, end]], "format": how.value}
            done.update(client.post("/api/v1/sidecars", asked))
            bars.update(bar, completed=end)
    if json:
        print_json(dict(done))
        return
    out.print(f"Wrote {format_count(done['written'], 'sidecar')}. Already up to date: {done['unchanged']:,}.")
    for name, text in (
        ("foreign", "skipped: another program's sidecar exists"),
        ("failed", "failed: MystiCanvas cannot write to the folder"),
        ("nothing", "skipped: no tags or rating, or a missing file"),
    ):
        if done[name]:
            out.print(f"{done[name]:,} {text}.")
