"""One way to open the database: pragmas, limits, and rows as dictionaries."""

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
from mysticanvas.domain.file import holds_workflow
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.text import hash_text, make_searchable

# 3.51.3 mends lost commits under two checkpointing connections, 3.54 overflows in FTS5.
SQLITE_NEEDED = (3, 54, 0)
BUSY_TIMEOUT_MS = 5_000
# The progress handler is asked this often, in steps of SQLite's virtual machine.
STEPS_BETWEEN_CHECKS = 2_000

Params = Mapping[str, Any]


def check_sqlite() -> None:
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < SQLITE_NEEDED:
        raise LibraryError(f"SQLite {apsw.sqlite_lib_version()} is too old: 3.54 or newer is needed.")


def open_writer(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    _prepare(connection)
    _pragma(connection, "journal_mode = WAL")
    _pragma(connection, "journal_size_limit = 67108864")
    _pragma(connection, "wal_autocheckpoint = 1000")
    return connection


def open_reader(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    _prepare(connection)
    _pragma(connection, "query_only = ON")
    return connection


def open_copy(path: Path) -> apsw.Connection:
    """A database that nobody else has open, such as a backup: no log beside it, no file made."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    _prepare(connection)
    return connection


def _prepare(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    _pragma(connection, "foreign_keys = ON")
    _pragma(connection, "trusted_schema = OFF")
    _pragma(connection, "cell_size_check = ON")
    # On macOS alone a plain fsync leaves the bytes in the drive's cache; elsewhere these do nothing.
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


# Set where nobody may want the answer any more: a read under it is broken off once the event is set.
GIVEN_UP: ContextVar[threading.Event | None] = ContextVar("GIVEN_UP", default=None)


def run_within_limit(connection: apsw.Connection, limit_ms: int, work: Callable[[], Any]) -> Any:
    """The result of `work`; its statements are broken off after `limit_ms`, or when the reader has
    `GIVEN_UP`, with `TimeLimitError`."""
    deadline_s = time.monotonic() + limit_ms / 1000
    given_up = GIVEN_UP.get()

    def stop() -> bool:
        return time.monotonic() > deadline_s or (given_up is not None and given_up.is_set())

    connection.set_progress_handler(stop, STEPS_BETWEEN_CHECKS)
    try:
        return work()
    except apsw.InterruptError as error:
        raise TimeLimitError("That takes too long to look up; ask for less at a time.") from error
    finally:
        connection.set_progress_handler(None)


@dataclass(slots=True)
class ChangeSet:
    """What a commit changed, for those who keep something derived. Ids are in order of change."""

    added: list[GenerationId] = field(default_factory=list)
    changed: list[GenerationId] = field(default_factory=list)
    removed: list[GenerationId] = field(default_factory=list)
    jobs: bool = False
    # Jobs that were cancelled while they ran: their work is to be broken off.
    cancelled: list[int] = field(default_factory=list)
    events: bool = False
    # Names of lists that are not what they were: deeds, tags, collections, trash, templates.
    stale: set[str] = field(default_factory=set)
    # Manual collections that have other images now.
    collections: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(
            self.added or self.changed or self.removed or self.jobs or self.events or self.stale or self.collections
        )

    def merge(self, other: "ChangeSet") -> None:
        self.added += other.added
        self.changed += other.changed
        self.removed += other.removed
        self.jobs |= other.jobs
        self.cancelled += other.cancelled
        self.events |= other.events
        self.stale |= other.stale
        self.collections |= other.collections


class ReadTx:
    """A consistent view of the database. Values are named: `tx.all("… = :id", id=1)`."""

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
            # A statement without a row is complete at once.
            return []
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def rows(self, sql: str, **params: Any) -> apsw.Cursor:
        """Rows as tuples, one after the other: for the few places that read very many."""
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
    """May change rows. `changes` is what it tells those who listen for commits."""

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self.changes = ChangeSet()

    @property
    def connection(self) -> apsw.Connection:
        """For edits/changesets.py, which records what a transaction changes."""
        return self._connection

    def savepoint(self) -> AbstractContextManager[object]:
        """What the block changes is rolled back when it raises."""
        return self._connection

    def run(self, sql: str, **params: Any) -> int:
        """How many rows the statement changed, not counting triggers."""
        self._connection.execute(sql, params).fetchall()
        return self._connection.changes()

    def run_many(self, sql: str, rows: Iterable[Params | Sequence[Any]]) -> None:
        self._connection.executemany(sql, rows).fetchall()

    @property
    def last_id(self) -> int:
        """The rowid of the last insert."""
        return self._connection.last_insert_rowid()
