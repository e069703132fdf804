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
        help="Library folder. Default: the setting `library`, or the folder mysticanvas in your user data folder.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for scripts.")]
JsonLines = Annotated[bool, typer.Option("--jsonl", help="Print one JSON object per line for scripts.")]
Image = Annotated[str, typer.Argument(metavar="ID", help="The image ID (UUID), as printed by search.")]


def load_settings(library: Path | None, **given: object) -> Settings:
    """Loads the settings and overrides them with the command-line options that are not None."""
    values = {name: value for name, value in given.items() if value is not None}
    if library is not None:
        values["library"] = library
    return Settings(**values)
