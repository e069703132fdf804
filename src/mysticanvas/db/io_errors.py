"""What SQLite raises when the disk or the machine fails it, as a sentence for the person."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from mysticanvas.domain.errors import LibraryError

# Nothing of these is the fault of a statement.
DISK_ERRORS = (
    apsw.FullError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.NoMemError,
    apsw.ReadOnlyError,
)


@contextmanager
def translate_disk_errors(done: str) -> Iterator[None]:
    """`done` says what was not done: read, copied … Raises `LibraryError` for what is raised of `DISK_ERRORS`."""
    try:
        yield
    except DISK_ERRORS as error:
        raise LibraryError(describe_disk_error(error, done)) from error
    except UnicodeDecodeError as error:
        # A bit that flipped within a text: SQLite itself does not look.
        raise LibraryError(describe_disk_error(error, done)) from error


def describe_disk_error(error: Exception, done: str) -> str:
    if isinstance(error, apsw.FullError):
        return "The disk is full: nothing was changed. Free some space; work goes on by itself."
    if isinstance(error, apsw.BusyError):
        return "Another program is writing to the database: nothing was changed. Close it; work goes on by itself."
    if isinstance(error, apsw.NoMemError):
        return "This machine has no memory left: nothing was changed. Close some programs and try again."
    if isinstance(error, UnicodeDecodeError):
        return f"The database is damaged: a text in it is none any more. It could not be {done}."
    return f"The database could not be {done}: {error}"
