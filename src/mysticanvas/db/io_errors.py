"""Turns errors of the disk or the machine into messages for the user."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from mysticanvas.domain.errors import DamagedLibraryError, LibraryError

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
# Of an `OSError`: the disk is full, or the quota of the user is used up.
DISK_FULL = tuple(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))
_DAMAGE = (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError)
# Our statements fit the schema, so a name that is missing was changed in the database.
_SCHEMA_DAMAGE = re.compile(r"no such |malformed |error in ")
WAYS_OUT = (
    "Restore a backup with `mysticanvas backup restore FILE` (`mysticanvas backup list` lists them), or rebuild the "
    "library from your folders and the journal with `mysticanvas library rebuild --set-aside`."
)


@contextmanager
def translate_disk_errors(done: str) -> Iterator[None]:
    """Raises `LibraryError`, or `DamagedLibraryError`, in place of any of `DISK_ERRORS`. `done` completes “The database
    could not be …”: read, copied …"""
    try:
        yield
    except (*DISK_ERRORS, UnicodeDecodeError) as error:
        raise build_library_error(error, done) from error
    except apsw.SQLError as error:
        if not _SCHEMA_DAMAGE.match(str(error)):
            raise
        raise DamagedLibraryError(describe_disk_error(error, done)) from error


def build_library_error(error: Exception, done: str) -> LibraryError:
    kind = DamagedLibraryError if isinstance(error, _DAMAGE) else LibraryError
    return kind(describe_disk_error(error, done))


def describe_disk_error(error: Exception, done: str) -> str:
    """`error` is an error of APSW, or a `UnicodeDecodeError`: SQLite does not check that a text is valid UTF-8."""
    if isinstance(error, apsw.FullError) or _get_code(error) == apsw.SQLITE_IOERR_SHMSIZE:
        if done == "opened":
            return "The disk is full, so the library could not be opened. Free some space and try again."
        return "The disk is full, so nothing was changed. Free some space; MystiCanvas then continues automatically."
    if isinstance(error, apsw.BusyError):
        return "Another program is writing to the database. Close it; MystiCanvas then continues automatically."
    if isinstance(error, apsw.NoMemError):
        return "This machine is out of memory, so nothing was changed. Close some programs and try again."
    if isinstance(error, UnicodeDecodeError):
        return f"The database is damaged: it contains invalid text, so it could not be {done}. {WAYS_OUT}"
    if isinstance(error, _DAMAGE):
        return f"The database is damaged, so it could not be {done} ({_name(error)}). {WAYS_OUT}"
    if isinstance(error, apsw.SQLError):
        return f"The structure of the database is damaged, so it could not be {done} ({error}). {WAYS_OUT}"
    if isinstance(error, apsw.ReadOnlyError):
        return (
            f"MystiCanvas cannot write to the library folder ({_name(error)}). Allow MystiCanvas to write to it, or "
            "copy the library to another folder."
        )
    if isinstance(error, (apsw.IOError, apsw.CantOpenError)):
        return (
            f"The disk reported an error, so the database could not be {done} ({_name(error)}). Check that the disk is "
            f"connected, works and has free space, and then try again. If the error persists: {WAYS_OUT}"
        )
    return f"The database could not be {done}: {error}"


def describe_full_disk(error: OSError) -> str:
    where = f" {error.filename} could not be written." if error.filename is not None else ""
    return f"The disk is full.{where} Free some space, then try again."


def _name(error: Exception) -> str:
    """The name of the error in the documentation of SQLite, such as SQLITE_IOERR_WRITE."""
    code = _get_code(error)
    name = apsw.mapping_extended_result_codes.get(code) or apsw.mapping_result_codes.get(code)
    return str(name or type(error).__name__)


def _get_code(error: Exception) -> int:
    """The extended result code; 0 for an error that SQLite did not report."""
    return int(getattr(error, "extendedresult", 0))
