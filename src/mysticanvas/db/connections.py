"""Opening connections: pragmas and time limits; read and write transactions."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from mysticanvas.domain.errors import LibraryError, TimeLimitError
from mysticanvas.domain.event import Ended
from mysticanvas.domain.file import holds_workflow
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.text import hash_text, make_searchable

# 3.51.3 fixes lost commits with two checkpointing connections, 3.54 fixes overflows in FTS5.
SQLITE_NEEDED = (3, 54, 0)
BUSY_TIMEOUT_MS = 5_000
# How often the progress handler is called, in steps of SQLite's virtual machine.
STEPS_BETWEEN_CHECKS = 2_000

Params = Mapping[str, Any]


def check_sqlite() -> None:
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < SQLITE_NEEDED:
        raise LibraryError(
            f"SQLite {apsw.sqlite_lib_version()} is too old. Install a version of the Python package apsw that "
            "includes SQLite 3.54 or newer."
        )


def open_writer(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    _prepare(connection)
    _pragma(connection, "journal_mode = WAL")
    _pragma(connection, "journal_size_limit = 67108864")
    # Only db/checkpoints.py makes checkpoints, after it recorded the checksums of the pages.
    _pragma(connection, "wal_autocheckpoint = 0")
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    return connection


def open_reader(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    _prepare(connection)
    _pragma(connection, "query_only = ON")
    return connection


def open_copy(path: Path) -> apsw.Connection:
    """For a database that nothing else has open, such as a backup. Creates no file, and no WAL."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    _prepare(connection)
    return connection


def _prepare(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    _pragma(connection, "foreign_keys = ON")
    _pragma(connection, "trusted_schema = OFF")
    _pragma(connection, "cell_size_check = ON")
    # On macOS a plain fsync leaves the bytes in the cache of the drive; elsewhere these do nothing.
    _pragma(connection, "fullfsync = ON")
    _pragma(connection, "checkpoint_fullfsync = ON")
    _pragma(connection, "cache_size = -16384")
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    flags = apsw.SQLITE_INNOCUOUS
    connection.create_scalar_function("searchable", _searchable, 1, deterministic=True, flags=flags)
    connection.create_scalar_function("holds_workflow", _holds_workflow, 1, deterministic=True, flags=flags)
    connection.create_scalar_function("content_hash", _content_hash, 1, deterministic=True, flags=flags)


def _searchable(*text: Any) -> str | None:
    return make_searchable(text[0])


def _content_hash(*text: Any) -> bytes | None:
    return None if text[0] is None else hash_text(text[0])


def _holds_workflow(*content: Any) -> bool:
    return holds_workflow(content[0])


def _pragma(connection: apsw.Connection, setting: str) -> None:
    connection.execute(f"PRAGMA {setting}").fetchall()


# The cancellation event of the current context: reads stop once it is set.
READ_CANCELLED: ContextVar[threading.Event | None] = ContextVar("GIVEN_UP", default=None)


def run_within_limit(connection: apsw.Connection, limit_ms: int, work: Callable[[], Any]) -> Any:
    """The result of `work`. Raises `TimeLimitError` when it takes longer than `limit_ms`, or once the event
    in `GIVEN_UP` is set."""
    deadline_s = time.monotonic() + limit_ms / 1000
    given_up = READ_CANCELLED.get()

    def stop() -> bool:
        return time.monotonic() > deadline_s or (given_up is not None and given_up.is_set())

    connection.set_progress_handler(stop, STEPS_BETWEEN_CHECKS)
    try:
        return work()
    except apsw.InterruptError as error:
        raise TimeLimitError(
            "The search took too long and was canceled. Narrow it down, or request fewer results at a time."
        ) from error
    finally:
        connection.set_progress_handler(None)


@dataclass(slots=True)
class ChangeSet:
    """What a commit changed, for caches and other listeners. Ids are in order of change."""

    added: list[GenerationId] = field(default_factory=list)
    changed: list[GenerationId] = field(default_factory=list)
    removed: list[GenerationId] = field(default_factory=list)
    jobs: bool = False
    # Jobs that were cancelled while they ran: their tasks must be stopped.
    cancelled: list[int] = field(default_factory=list)
    events: bool = False
    # Uuids of images whose rows were deleted.
    gone: dict[GenerationId, str] = field(default_factory=dict)
    # Edits, jobs and imports that ended.
    ended: list[Ended] = field(default_factory=list)
    # Names of lists that pages must load again: edits, tags, collections, trash, templates.
    invalidated: set[str] = field(default_factory=set)
    # Manual collections whose images changed.
    collections: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(
            self.added
            or self.changed
            or self.removed
            or self.jobs
            or self.events
            or self.ended
            or self.invalidated
            or self.collections
        )

    def merge(self, other: "ChangeSet") -> None:
        self.added += other.added
        self.changed += other.changed
        self.removed += other.removed
        self.jobs |= other.jobs
        self.cancelled += other.cancelled
        self.events |= other.events
        self.gone |= other.gone
        self.ended += other.ended
        self.invalidated |= other.invalidated
        self.collections |= other.collections


class ReadTx:
    """A consistent view of the database. Parameters are named: `tx.all("… = :id", id=1)`."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @property
    def library(self) -> Path:
        """The folder of the library."""
        return Path(self._connection.db_filename("main")).parent

    def all(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        cursor = self._connection.execute(sql, params)
        try:
            names = [column[0] for column in cursor.get_description()]
        except apsw.ExecutionCompleteError:
            # Raised for a statement without rows.
            return []
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def rows(self, sql: str, **params: Any) -> apsw.Cursor:
        """Iterates over rows as tuples, for queries with very many rows."""
        return self._connection.execute(sql, params)

    def one(self, sql: str, **params: Any) -> dict[str, Any] | None:
        """The first row, or None."""
        rows = self.all(sql, **params)
        return rows[0] if rows else None

    def value(self, sql: str, **params: Any) -> Any:
        """The first column of the first row, or None."""
        row = next(iter(self._connection.execute(sql, params)), None)
        return None if row is None else row[0]

    def column(self, sql: str, **params: Any) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self._connection.execute(sql, params)]


class WriteTx(ReadTx):
    """May change rows. `changes` is what listeners receive after the commit."""

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self.changes = ChangeSet()

    @property
    def connection(self) -> apsw.Connection:
        """For edits/changesets.py, which records what a transaction changes."""
        return self._connection

    def savepoint(self) -> AbstractContextManager[object]:
        """A context manager that rolls back the changes of its block when the block raises."""
        return self._connection

    def run(self, sql: str, **params: Any) -> int:
        """The number of rows that the statement changed, without those changed by triggers."""
        self._connection.execute(sql, params).fetchall()
        return self._connection.changes()

    def run_many(self, sql: str, rows: Iterable[Params | Sequence[Any]]) -> None:
        self._connection.executemany(sql, rows).fetchall()

    @property
    def last_id(self) -> int:
        """The rowid of the last insert."""
        return self._connection.last_insert_rowid()
