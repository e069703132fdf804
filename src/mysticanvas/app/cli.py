"""`mysticanvas`: the command line, and the mapping of errors to exit codes.

Exit codes: 0 success · 1 nothing found, or something failed · 2 invalid command or input · 3 not possible now ·
4 the library is damaged · 130 interrupted.
"""

import errno
import logging
import os
import sys
from contextlib import AbstractContextManager

import typer

from mysticanvas import __version__
from mysticanvas.app.command_table import Root
from mysticanvas.app.stop_signals import stop_like_ctrl_c
from mysticanvas.cli import client
from mysticanvas.cli.output import err, write_utf8
from mysticanvas.domain.errors import (
    ConflictError,
    DamagedLibraryError,
    InvalidInputError,
    LibraryError,
    MystiCanvasError,
    TimeLimitError,
)
from mysticanvas.settings import Settings

# A folder that may not be written, or has no room, where no part of the program has a better sentence.
_NO_FAULT_OF_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOTDIR)


def _show_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"mysticanvas {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="mysticanvas",
    cls=Root,
    help="A library for the images you generate. Everything stays on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _open_in_process(settings: Settings) -> AbstractContextManager[client.Client]:
    # Loads the library, which a command does not need while a gallery is running.
    from mysticanvas.app.in_process import open_in_process

    return open_in_process(settings)


client.set_in_process_opener(_open_in_process)


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def exit_code(error: MystiCanvasError) -> int:
    if isinstance(error, InvalidInputError):
        return 2
    if isinstance(error, DamagedLibraryError):
        return 4
    return 3 if isinstance(error, (LibraryError, ConflictError, TimeLimitError)) else 1


def main() -> None:
    """Runs a command. Expected errors print a message instead of a traceback, and set the exit code."""
    # Files that this process and its workers write are readable only by their owner.
    os.umask(0o077)
    write_utf8()
    # An entry that cannot be logged, as on a full disk, is lost without a traceback.
    logging.raiseExceptions = False
    try:
        with stop_like_ctrl_c():
            app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output closed the pipe, as `| head` does.
        sys.stderr.close()
        sys.exit(0)
    except Exception as failure:
        error = _translate(failure)
        if error is None:
            raise
        err.print("[bold red]Error:[/] ", end="")
        err.print(str(error), markup=False, highlight=False)
        sys.exit(exit_code(error))


def _translate(failure: Exception) -> MystiCanvasError | None:
    """The error to print. None if the failure indicates a bug."""
    if isinstance(failure, MystiCanvasError):
        return failure
    # Loads APSW, which is loaded only if the library was opened in this process.
    from mysticanvas.db.io_errors import DISK_ERRORS, DISK_FULL, build_library_error, describe_full_disk

    if isinstance(failure, DISK_ERRORS):
        return build_library_error(failure, "used")
    if not isinstance(failure, OSError):
        return None
    if failure.errno in DISK_FULL:
        return LibraryError(describe_full_disk(failure))
    if failure.errno not in _NO_FAULT_OF_OURS or failure.filename is None:
        return None
    return LibraryError(f"MystiCanvas cannot access {failure.filename}: {failure.strerror}.")


if __name__ == "__main__":
    main()
