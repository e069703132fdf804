"""`mysticanvas`: all commands, and the mapping of errors to exit codes.

Exit codes: 0 success · 1 no match, or a check failed · 2 invalid command or input ·
3 not found · 4 the library cannot be used · 130 interrupted.
"""

import errno
import logging
import os
import sys

import typer

from mysticanvas import __version__
from mysticanvas.app import features, serve
from mysticanvas.app.in_process import open_in_process
from mysticanvas.app.stop_signals import stop_like_ctrl_c
from mysticanvas.cli import client
from mysticanvas.cli.output import err, write_utf8
from mysticanvas.db.io_errors import DISK_ERRORS, DISK_FULL, build_library_error, describe_full_disk
from mysticanvas.domain.errors import InvalidInputError, LibraryError, MystiCanvasError, NotFoundError
from mysticanvas.jobs import commands as job_commands
from mysticanvas.search import commands as search_commands

# A folder that may not be written, or has no room, where no part of the program has a better sentence.
_NO_FAULT_OF_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOTDIR)

app = typer.Typer(
    name="mysticanvas",
    help="A library for the images you generate. Everything stays on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

serve.add_commands(app)
features.add_commands(app)
search_commands.add_commands(app)
job_commands.add_commands(app)
client.set_in_process_opener(open_in_process)


def _show_version(is_requested: bool) -> None:
    if is_requested:
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
    """Runs a command. Expected errors print a message instead of a traceback, and set the exit code."""
    # Files that this process and its workers write are readable only by their owner.
    os.umask(0o077)
    write_utf8()
    # An entry that cannot be logged, as on a full disk, is lost without a traceback.
    logging.raiseExceptions = False
    try:
        with stop_like_ctrl_c():
            app()
    except (*DISK_ERRORS, MystiCanvasError) as failure:
        error = failure if isinstance(failure, MystiCanvasError) else build_library_error(failure, "used")
        err.print(f"[bold red]{type(error).__name__.removesuffix('Error')}:[/] ", end="")
        err.print(str(error), markup=False, highlight=False)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output closed the pipe, as `| head` does.
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        sentence = _describe_os_error(error)
        if sentence is None:
            raise
        err.print(sentence, markup=False, highlight=False)
        sys.exit(4)


def _describe_os_error(error: OSError) -> str | None:
    """Describes a full disk or an inaccessible file. Returns None if the error indicates a bug."""
    if error.errno in DISK_FULL:
        return describe_full_disk(error)
    if error.errno not in _NO_FAULT_OF_OURS or error.filename is None:
        return None
    return f"MystiCanvas cannot access {error.filename}: {error.strerror}."


if __name__ == "__main__":
    main()
