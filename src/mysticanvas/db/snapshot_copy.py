"""Reads the database of another program: copied first, then opened with triggers and views disabled.

SQLite never opens the source: even reading a database in WAL mode writes next to it.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from mysticanvas.db.connections import ReadTx, run_within_limit
from mysticanvas.domain.errors import InvalidInputError

READ_LIMIT_MS = 20_000
# No gallery stores longer texts; a longer value is damaged or hostile.
MAX_VALUE_BYTES = 32 * 1024 * 1024
_BESIDE = ("", "-wal", "-journal")
_HEADER = b"SQLite format 3\0"


class ForeignDatabase:
    """A private, read-only copy. `read` has a time limit."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    def read(self, query: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The result of `query(tx, …)`. Raises `TimeLimitError`, `InvalidInputError`."""
        try:
            return run_within_limit(
                self._connection, READ_LIMIT_MS, lambda: query(ReadTx(self._connection), *args, **kwargs)
            )
        except (apsw.SQLError, apsw.CorruptError, apsw.TooBigError, apsw.NotADBError) as error:
            raise InvalidInputError(f"{self.path} cannot be read: {error}") from error


@contextmanager
def open_foreign_database(path: Path, *, scratch: Path) -> Iterator[ForeignDatabase]:
    """A copy of the database at `path` in the folder `scratch`, removed on exit.

    Raises `InvalidInputError` for a file that is missing, being written, damaged or not a database.
    """
    if not path.is_file():
        raise InvalidInputError(f"The file {path} does not exist.")
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="foreign-") as folder:
        copy = Path(folder) / "copy.db"
        _copy(path, copy)
        connection = _connect(copy, path)
        try:
            yield ForeignDatabase(connection, path)
        finally:
            connection.close()


def list_tables(tx: ReadTx) -> frozenset[str]:
    """Tables, without views: a view with the expected name could take forever to read."""
    return frozenset(tx.column("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"))


def list_columns(tx: ReadTx, table: str) -> frozenset[str]:
    return frozenset(tx.column("SELECT name FROM pragma_table_info(:table)", table=table))


def _copy(path: Path, copy: Path) -> None:
    with path.open("rb") as source:
        if source.read(len(_HEADER)) != _HEADER:
            raise InvalidInputError(f"{path} is not a database.")
    before = _stat_files(path)
    for ending in _BESIDE:
        source_path = path.with_name(path.name + ending)
        if source_path.is_file():
            shutil.copyfile(source_path, copy.with_name(copy.name + ending))
    if _stat_files(path) != before:
        raise InvalidInputError(
            f"{path} was changed while it was being read. Close the program that uses it and try again."
        )


def _stat_files(path: Path) -> list[tuple[int, int] | None]:
    found: list[tuple[int, int] | None] = []
    for ending in _BESIDE:
        try:
            stat = os.stat(path.with_name(path.name + ending))
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((stat.st_size, stat.st_mtime_ns))
    return found


def _connect(copy: Path, path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(copy))
    try:
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 0)
        connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        connection.execute("PRAGMA cell_size_check = ON").fetchall()
        connection.execute("PRAGMA mmap_size = 0").fetchall()
        # Opening the copy applies the WAL or rolls back the journal of the other program.
        answer = run_within_limit(
            connection, READ_LIMIT_MS, lambda: connection.execute("PRAGMA quick_check(1)").fetchall()
        )
        if answer != [("ok",)]:
            raise InvalidInputError(f"{path} is damaged: {answer[0][0]}")
        connection.execute("PRAGMA query_only = ON").fetchall()
    except apsw.Error as error:
        connection.close()
        raise InvalidInputError(f"{path} is damaged or not a database: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection
