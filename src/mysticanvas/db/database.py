"""The database of one library: concurrent reads, one writer, backup and restore."""

import functools
import queue
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import apsw

from mysticanvas.db import backup, known_damage
from mysticanvas.db.backup import Backup
from mysticanvas.db.checkpoints import forget_sums, has_sums
from mysticanvas.db.connections import (
    ChangeSet,
    ReadTx,
    WriteTx,
    check_sqlite,
    open_copy,
    open_reader,
    open_writer,
    run_within_limit,
)
from mysticanvas.db.io_errors import DISK_ERRORS, WAYS_OUT, build_library_error, translate_disk_errors
from mysticanvas.db.known_damage import KnownDamage
from mysticanvas.db.leftovers import remove_leftovers
from mysticanvas.db.lock import LibraryLock
from mysticanvas.db.migrate import migrate, refuse_foreign_file
from mysticanvas.db.page_copy import PageCopy, make_page_copy
from mysticanvas.db.page_damage import Check
from mysticanvas.db.problems import Problems
from mysticanvas.db.reserve import release_if_full
from mysticanvas.db.writer import BeforeCommit, Listener, Writer
from mysticanvas.domain.errors import DamagedLibraryError, LibraryError, NotFoundError
from mysticanvas.fs.durable import replace, sync

__all__ = ["ChangeSet", "Database", "ReadTx", "WriteTx"]

P = ParamSpec("P")
T = TypeVar("T")

FILE_NAME = "mysticanvas.db"
BACKUPS = "backups"
MAX_IDLE_READERS = 4


class Database:
    """Open between `Database.open` and `close`; a context manager.

    Any number of threads may read and write. `owner_id` is unique for each opening: a running job with
    another one is orphaned. `was_full`: the disk was full at the opening, and the reserve was deleted.
    """

    def __init__(self, folder: Path, lock: LibraryLock, *, read_limit_ms: int) -> None:
        self.folder = folder
        self.path = folder / FILE_NAME
        self.owner_id = str(uuid.uuid4())
        self._lock = lock
        self._read_limit_ms = read_limit_ms
        self.was_full = False
        self._readers: queue.LifoQueue[apsw.Connection] = queue.LifoQueue(MAX_IDLE_READERS)
        self._backing_up = threading.Lock()
        # The running query of each thread: (start, name).
        self._reading: dict[int, tuple[float, str]] = {}
        self._writer = Writer(self.path, oldest_reader=self._oldest_reader)
        self.problems = Problems()
        self.damage = KnownDamage(self._writer.checkpoints.damage_at_open, self.problems)
        self._writer.on_error(self._report_error)

    @classmethod
    def open(cls, folder: Path, *, read_limit_ms: int = 60_000) -> "Database":
        """Opens the library in `folder`, creates it when there is none, and migrates it to this schema. Reads are
        canceled after `read_limit_ms`; the default is for background work, such as verifying a backup.

        Raises `LibraryBusyError`, `ForeignFileError`, `NewerLibraryError`, `DamagedLibraryError`,
        and then leaves the file unchanged.
        """
        check_sqlite()
        _make_folder(folder)
        was_full = release_if_full(folder)
        lock = LibraryLock.take(folder)
        try:
            remove_leftovers(folder)
            with translate_disk_errors("opened"):
                _upgrade(folder)
                opened = cls(folder, lock, read_limit_ms=read_limit_ms)
                opened.was_full = was_full
                return opened
        except BaseException:
            lock.release()
            raise

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        try:
            self._writer.finish()
            with suppress(*DISK_ERRORS):
                while not self._readers.empty():
                    self._readers.get_nowait().close()
            self._writer.close()
        finally:
            self._lock.release()

    # -- reading ------------------------------------------------------------------------------

    def read(self, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `query` on the calling thread, on a consistent view of the database, within the time limit.

        Raises `TimeLimitError`.
        """
        return self.read_within(self._read_limit_ms, query, *args, **kwargs)

    def read_within(
        self, limit_ms: int, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with translate_disk_errors("read"):
            return self._read(limit_ms, query, *args, **kwargs)

    def read_on_new_connection(
        self, limit_ms: int, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Like `read_within`, on a connection without cached state."""
        with translate_disk_errors("read"), closing(open_reader(self.path)) as connection:
            result: T = run_within_limit(
                connection, limit_ms, lambda: _read_in_transaction(connection, query, *args, **kwargs)
            )
            return result

    def read_copy(self, limit_ms: int, query: Callable[[WriteTx, PageCopy], T]) -> T:
        """Runs `query` on a copy of the pages as they are now, which is deleted afterwards. Raises `NoRoomError`."""
        with translate_disk_errors("checked"), ExitStack() as opened:
            source = opened.enter_context(closing(open_reader(self.path)))
            with self._writer.checkpoints.pause() as sums:
                # Without a transaction, each commit of the writer would start the copy again.
                source.execute("BEGIN")
                source.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
            copy = opened.enter_context(make_page_copy(source, self.folder, sums))
            source.execute("ROLLBACK")
            connection = opened.enter_context(closing(open_copy(copy.path)))
            result: T = run_within_limit(connection, limit_ms, lambda: _run_in_copy(connection, copy, query))
            return result

    def note_damage(self, checks: Sequence[Check]) -> None:
        """Notes in `damage` what checks found, and remembers damaged pages beyond the end of this process."""
        if (detail := self.damage.note(checks)) is not None:
            # A check may run in a transaction of the writer.
            self.write_later(known_damage.keep, detail)

    def record_sums(self, sums: Sequence[tuple[int, int]]) -> None:
        """Records the checksums of pages (`PageCopy.unknown`) that passed all checks."""
        self._writer.checkpoints.fill(sums)

    def _read(self, limit_ms: int, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        connection = self._borrow()
        thread = threading.get_ident()
        self._reading[thread] = time.monotonic(), getattr(query, "__qualname__", "?")
        try:
            result: T = run_within_limit(
                connection, limit_ms, lambda: _read_in_transaction(connection, query, *args, **kwargs)
            )
        except BaseException:
            connection.close()
            raise
        finally:
            self._reading.pop(thread, None)
        self._give_back(connection)
        return result

    def _oldest_reader(self) -> str | None:
        reading = sorted(self._reading.copy().values())
        return f"{reading[0][1]}, for {time.monotonic() - reading[0][0]:.0f} s" if reading else None

    def _borrow(self) -> apsw.Connection:
        try:
            return self._readers.get_nowait()
        except queue.Empty:
            return open_reader(self.path)

    def _give_back(self, connection: apsw.Connection) -> None:
        try:
            self._readers.put_nowait(connection)
        except queue.Full:
            connection.close()

    # -- writing ------------------------------------------------------------------------------

    def write(self, change: Callable[Concatenate[WriteTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """For edits by the user: runs before bulk work, and is on the disk when this returns."""
        done: Future[T] = self._writer.edit(_bind(change, *args, **kwargs))
        return done.result()

    def write_bulk(self, change: Callable[Concatenate[WriteTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Committed when this returns. A power cut may lose the last commits, but never part of one."""
        done: Future[T] = self._writer.bulk(_bind(change, *args, **kwargs))
        return done.result()

    def write_later(self, change: Callable[Concatenate[WriteTx, P], object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Like `write_bulk`, without waiting: readers may not see the change yet."""
        self._writer.bulk(_bind(change, *args, **kwargs))

    def after_commit(self, listener: Listener) -> None:
        """Calls `listener` on the writer thread after each commit; it must return quickly."""
        self._writer.after_commit(listener)

    def before_commit(self, listener: BeforeCommit) -> None:
        """Calls `listener` on the writer thread at the end of each transaction. What it writes is committed with it."""
        self._writer.before_commit(listener)

    @property
    def changes(self) -> int:
        """A number that grows with every transaction."""
        return self._writer.serial

    @property
    def error(self) -> str | None:
        """Why nothing can be written, such as a full disk; None while writing works."""
        return self._writer.error

    def _report_error(self, sentence: str | None) -> None:
        self.problems.report("database", sentence)

    # -- backup -------------------------------------------------------------------------------

    @property
    def backups(self) -> Path:
        return self.folder / BACKUPS

    def back_up(self, *, why: str = "asked", on_phase: Callable[[str], None] = lambda _: None) -> Backup:
        """Raises `DamagedLibraryError` when the copy does not pass its checks."""
        with self._backing_up, translate_disk_errors("copied"):
            connection = open_reader(self.path)
            # VACUUM INTO counts as a write, though it does not change the library.
            connection.execute("PRAGMA query_only = OFF").fetchall()
            try:
                return backup.make(connection, self.backups, why=why, on_phase=on_phase)
            finally:
                connection.close()


def _read_in_transaction(
    connection: apsw.Connection, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    connection.execute("BEGIN")
    try:
        return query(ReadTx(connection), *args, **kwargs)
    finally:
        # After a disk error SQLite has already rolled back.
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _run_in_copy(connection: apsw.Connection, copy: PageCopy, query: Callable[[WriteTx, PageCopy], T]) -> T:
    connection.execute("BEGIN")
    try:
        return query(WriteTx(connection), copy)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _bind(change: Callable[Concatenate[WriteTx, P], T], *args: P.args, **kwargs: P.kwargs) -> Callable[[WriteTx], T]:
    return functools.partial(_call, change, args, kwargs)


def _call(change: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], tx: WriteTx) -> T:
    return change(tx, *args, **kwargs)


def restore(folder: Path, copy: Path) -> Backup | None:
    """Replaces the library in `folder` with `copy`. Backs up the current database first and returns that backup
    (None when there was no database). The library must be closed.

    Raises `NotFoundError`, `LibraryBusyError`, `ForeignFileError`, `NewerLibraryError`, `DamagedLibraryError`,
    and then changes nothing.
    """
    lock = LibraryLock.take(folder)
    try:
        if not copy.is_file():
            raise NotFoundError(f"The backup {copy} does not exist. List backups with: mysticanvas backup list")
        refuse_foreign_file(copy)
        return _swap(folder, copy)
    finally:
        lock.release()


def move_to_backups(folder: Path) -> Backup | None:
    """Moves the database in `folder` to its backups, so that the library can be rebuilt. Returns that backup,
    None when there was no database. The library must be closed.

    Raises `LibraryBusyError`.
    """
    lock = LibraryLock.take(folder)
    try:
        path = folder / FILE_NAME
        previous = _set_aside(path, folder / BACKUPS, why="before-rebuild")
        for name in (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
            (folder / name).unlink(missing_ok=True)
        forget_sums(folder)
        return previous
    finally:
        lock.release()


def _swap(folder: Path, copy: Path) -> Backup | None:
    path, new = folder / FILE_NAME, folder / f"{FILE_NAME}.restored"
    shutil.copyfile(copy, new)
    try:
        backup.verify(new, name=copy.name)
        _reset_journal(new)
        sync(new)
        previous = _set_aside(path, folder / BACKUPS, why="before-restore")
        # The WAL of the old database would corrupt the new one.
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)
        forget_sums(folder)
        replace(new, path)
        sync(folder)
    finally:
        new.unlink(missing_ok=True)
    return previous


def _reset_journal(path: Path) -> None:
    """Starts a new journal: the existing one describes a later state than this database."""
    connection = open_writer(path)
    try:
        connection.execute("DELETE FROM settings WHERE name = 'journal.library'").fetchall()
    finally:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        connection.close()


def _set_aside(path: Path, backups: Path, *, why: str) -> Backup | None:
    """Backs up the current database; one too damaged for that is copied as it is."""
    if not path.exists():
        return None
    try:
        connection = open_writer(path)
        try:
            return backup.make(connection, backups, why=why)
        finally:
            connection.close()
    except (apsw.Error, DamagedLibraryError):
        return backup.keep_damaged(path, backups)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"The library folder {folder} cannot be created ({error.strerror}). Choose another folder with --library, "
            "or set MYSTICANVAS_LIBRARY."
        ) from error


def _refuse_emptied_file(path: Path) -> None:
    """An empty file next to backups is a database that lost its content, not a new one."""
    wal = path.with_name(f"{path.name}-wal")
    if not path.exists() or path.stat().st_size or (wal.exists() and wal.stat().st_size):
        return
    if any((path.parent / BACKUPS).glob("*.db")) or any((path.parent / "journal").glob("*.jsonl")):
        raise DamagedLibraryError(f"The database {path} is empty: its content was lost. {WAYS_OUT}")


def _upgrade(folder: Path) -> None:
    path = folder / FILE_NAME
    _refuse_emptied_file(path)
    refuse_foreign_file(path)
    try:
        connection = open_writer(path)
        try:
            migrate(connection, folder / BACKUPS)
        finally:
            if not has_sums(folder):
                connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            connection.close()
    except (*DISK_ERRORS, apsw.BusyError) as error:
        raise build_library_error(error, "opened") from error
    except apsw.Error as error:
        raise LibraryError(f"The library in {folder} cannot be opened: {error}. {WAYS_OUT}") from error
