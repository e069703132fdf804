"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.settings import Settings

Library = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="PATH",
        help="The library's folder. Default: the one in your user-data folder, or MYSTICANVAS_LIBRARY.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def settings_for(library: Path | None, **given: object) -> Settings:
    """The settings with what the command line says on top; None says nothing."""
    values = {name: value for name, value in given.items() if value is not None}
    if library is not None:
        values["library"] = library
    return Settings(**values)  # type: ignore[arg-type]
