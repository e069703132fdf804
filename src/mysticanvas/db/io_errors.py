"""Turns errors of the disk or the machine into messages for the user."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from mysticanvas.domain.errors import LibraryError

# Never caused by the statement itself.
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
    """Raises `LibraryError` in place of any of `DISK_ERRORS`. `done` completes “The database could not be …”:
    read, copied …"""
    try:
        yield
    except DISK_ERRORS as error:
        raise LibraryError(describe_disk_error(error, done)) from error
    except UnicodeDecodeError as error:
        # A flipped bit in a text: SQLite does not validate UTF-8.
        raise LibraryError(describe_disk_error(error, done)) from error


def describe_disk_error(error: Exception, done: str) -> str:
    if isinstance(error, apsw.FullError):
        return "The disk is full, so nothing was changed. Free some space; MystiCanvas then continues automatically."
    if isinstance(error, apsw.BusyError):
        return "Another program is writing to the database. Close it; MystiCanvas then continues automatically."
    if isinstance(error, apsw.NoMemError):
        return "This machine is out of memory, so nothing was changed. Close some programs and try again."
    if isinstance(error, UnicodeDecodeError):
        return f"The database is damaged: it contains invalid text, so it could not be {done}. Restore a backup."
    return f"The database could not be {done}: {error}"
