"""`mysticanvas`: every command, and the one place where errors become exit codes.

Exit codes: 0 done · 1 no match, or something was found wrong · 2 the command makes no sense ·
3 no such thing · 4 the library cannot be used · 130 interrupted.
"""

import os
import sys

import typer

from mysticanvas import __version__
from mysticanvas.app import serve
from mysticanvas.cli.output import err
from mysticanvas.domain.errors import InvalidInputError, LibraryError, MystiCanvasError, NotFoundError
from mysticanvas.features.access import commands as access_commands
from mysticanvas.features.autotag import commands as autotag_commands
from mysticanvas.features.doctor import commands as doctor_commands
from mysticanvas.features.duplicates import commands as duplicate_commands
from mysticanvas.features.folders import commands as folder_commands
from mysticanvas.features.images import commands as image_commands
from mysticanvas.features.images import edit_commands
from mysticanvas.features.importing import commands as import_commands
from mysticanvas.features.journal import commands as journal_commands
from mysticanvas.features.lineage import commands as lineage_commands
from mysticanvas.features.models import commands as model_commands
from mysticanvas.features.sidecars import commands as sidecar_commands
from mysticanvas.features.tags import commands as tag_commands
from mysticanvas.features.templates import commands as template_commands
from mysticanvas.features.trash import commands as trash_commands
from mysticanvas.features.verify import commands as verify_commands
from mysticanvas.features.vision import commands as vision_commands
from mysticanvas.features.wd_tagger import commands as wd_tagger_commands
from mysticanvas.jobs import commands as job_commands

app = typer.Typer(
    name="mysticanvas",
    help="The library for the images you generate. Everything stays on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for module in (
    serve,
    import_commands,
    image_commands,
    edit_commands,
    tag_commands,
    trash_commands,
    duplicate_commands,
    autotag_commands,
    template_commands,
    lineage_commands,
    model_commands,
    folder_commands,
    job_commands,
    doctor_commands,
    access_commands,
    journal_commands,
    verify_commands,
    wd_tagger_commands,
    vision_commands,
    sidecar_commands,
):
    module.add_commands(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mysticanvas {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def exit_code(error: MystiCanvasError) -> int:
    if isinstance(error, InvalidInputError):
        return 2
    if isinstance(error, NotFoundError):
        return 3
    if isinstance(error, LibraryError):
        return 4
    return 1


def main() -> None:
    """Never a traceback for a person's mistake: a sentence and an exit code."""
    # What is written, here and by the workers, is its owner's alone.
    os.umask(0o077)
    try:
        app()
    except MystiCanvasError as error:
        err.print(f"[bold red]{type(error).__name__.removesuffix('Error')}:[/] ", end="")
        err.print(str(error), markup=False, highlight=False)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away, as `| head` does.
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
