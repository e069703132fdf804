"""The database of one library: who reads, who writes, and when a change counts."""

import functools
import os
import queue
import shutil
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import apsw

from mysticanvas.db import backup
from mysticanvas.db.backup import Backup
from mysticanvas.db.connections import ChangeSet, ReadTx, WriteTx, check_sqlite, open_reader, open_writer, within
from mysticanvas.db.io_errors import DISK_ERRORS, told_plainly
from mysticanvas.db.lock import LibraryLock
from mysticanvas.db.migrate import migrate, refuse_strangers
from mysticanvas.db.writer import Listener, Writer
from mysticanvas.domain.errors import DamagedLibraryError, LibraryError, NotFoundError

__all__ = ["ChangeSet", "Database", "ReadTx", "WriteTx"]

P = ParamSpec("P")
T = TypeVar("T")

FILE_NAME = "mysticanvas.db"
READERS_KEPT = 4
_WAYS_OUT = (
    "Nothing was changed. `mysticanvas rebuild --set-aside` makes the library again from your folders and the "
    "journal; `mysticanvas backup restore FILE` takes a backup."
)


class Database:
    """Open between `Database.open` and `close`; a context manager.

    Any number of threads may read and write. `boot_id` names this opening: a job claimed under
    another one has lost its owner.
    """

    def __init__(self, folder: Path, lock: LibraryLock, *, read_limit_ms: int) -> None:
        self.folder = folder
        self.path = folder / FILE_NAME
        self.boot_id = str(uuid.uuid4())
        self._lock = lock
        self._read_limit_ms = read_limit_ms
        self._readers: queue.LifoQueue[apsw.Connection] = queue.LifoQueue(READERS_KEPT)
        self._backing_up = threading.Lock()
        # What is being read, by thread: (since when, what).
        self._reading: dict[int, tuple[float, str]] = {}
        self._writer = Writer(self.path, oldest_reader=self._oldest_reader)

    @classmethod
    def open(cls, folder: Path, *, read_limit_ms: int = 60_000) -> "Database":
        """The library in `folder`, made when there is none and brought to this version's schema. Reads are broken
        off after `read_limit_ms`; the default is for work that nobody waits for, such as trying out a backup.

        Raises `LibraryBusyError`, `ForeignFileError`, `NewerLibraryError`, `DamagedLibraryError`;
        the file is untouched then.
        """
        check_sqlite()
        _make_folder(folder)
        lock = LibraryLock.take(folder)
        try:
            with told_plainly("opened"):
                _bring_up_to_date(folder)
                return cls(folder, lock, read_limit_ms=read_limit_ms)
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
        """`query` on this thread, over one state of the database, within the time limit.

        Raises `TimeLimitError`.
        """
        return self.read_within(self._read_limit_ms, query, *args, **kwargs)

    def read_within(
        self, limit_ms: int, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with told_plainly("read"):
            return self._read(limit_ms, query, *args, **kwargs)

    def read_anew(
        self, limit_ms: int, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `read_within`, on a connection that remembers nothing."""
        with told_plainly("read"), closing(open_reader(self.path)) as connection:
            result: T = within(connection, limit_ms, lambda: _in_one_state(connection, query, *args, **kwargs))
            return result

    def _read(self, limit_ms: int, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        connection = self._borrow()
        thread = threading.get_ident()
        self._reading[thread] = time.monotonic(), getattr(query, "__qualname__", "?")
        try:
            result: T = within(connection, limit_ms, lambda: _in_one_state(connection, query, *args, **kwargs))
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
        """A person's deed: ahead of bulk work; on the disk when this returns."""
        done: Future[T] = self._writer.edit(_bound(change, *args, **kwargs))
        return done.result()

    def write_bulk(self, change: Callable[Concatenate[WriteTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Committed when this returns. A power cut may take the last moments back, never half a change."""
        done: Future[T] = self._writer.bulk(_bound(change, *args, **kwargs))
        return done.result()

    def write_later(self, change: Callable[Concatenate[WriteTx, P], object], *args: P.args, **kwargs: P.kwargs) -> None:
        """As `write_bulk`, without waiting: readers may not see it yet."""
        self._writer.bulk(_bound(change, *args, **kwargs))

    def after_commit(self, listener: Listener) -> None:
        """`listener` hears what each commit changed, on the writer thread; it must be quick."""
        self._writer.after_commit(listener)

    @property
    def changes(self) -> int:
        """A number that grows with every transaction."""
        return self._writer.serial

    @property
    def trouble(self) -> str | None:
        """A sentence while nothing can be written, such as on a full disk; None when all is well."""
        return self._writer.trouble

    def on_trouble(self, listener: Callable[[str | None], None]) -> None:
        """`listener` hears on the writer thread when trouble comes, changes or goes; it must be quick."""
        self._writer.on_trouble(listener)

    # -- keeping ------------------------------------------------------------------------------

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    def back_up(self, *, why: str = "asked", on_phase: Callable[[str], None] = lambda _: None) -> Backup:
        """Raises `DamagedLibraryError` when the copy does not pass its checks."""
        with self._backing_up, told_plainly("copied"):
            connection = open_reader(self.path)
            # The copy counts as a write, though the library itself stays read-only here.
            connection.execute("PRAGMA query_only = OFF").fetchall()
            try:
                return backup.make(connection, self.backups, why=why, on_phase=on_phase)
            finally:
                connection.close()


def _in_one_state(
    connection: apsw.Connection, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    connection.execute("BEGIN")
    try:
        return query(ReadTx(connection), *args, **kwargs)
    finally:
        # After a fault of the disk SQLite has ended it already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _bound(change: Callable[Concatenate[WriteTx, P], T], *args: P.args, **kwargs: P.kwargs) -> Callable[[WriteTx], T]:
    return functools.partial(_call, change, args, kwargs)


def _call(change: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], tx: WriteTx) -> T:
    return change(tx, *args, **kwargs)


def restore(folder: Path, copy: Path) -> Backup | None:
    """The library in `folder` as it was in `copy`; what it was until now becomes a backup of its own,
    which is returned (None when there was no database). Nobody may have the library open.

    Raises `LibraryBusyError`, `ForeignFileError`, `NewerLibraryError`, `DamagedLibraryError`; nothing is
    changed then.
    """
    lock = LibraryLock.take(folder)
    try:
        if not copy.is_file():
            raise NotFoundError(f"There is no backup {copy}.")
        refuse_strangers(copy)
        return _swap(folder, copy)
    finally:
        lock.release()


def put_away(folder: Path) -> Backup | None:
    """Keep the database in `folder` among its backups and leave the place empty, for a library that is to
    be made again. None when there was none. Nobody may have the library open.

    Raises `LibraryBusyError`.
    """
    lock = LibraryLock.take(folder)
    try:
        path = folder / FILE_NAME
        until_now = _set_aside(path, folder / "backups", why="before-rebuild")
        for name in (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
            (folder / name).unlink(missing_ok=True)
        return until_now
    finally:
        lock.release()


def _swap(folder: Path, copy: Path) -> Backup | None:
    path, new = folder / FILE_NAME, folder / f"{FILE_NAME}.restored"
    shutil.copyfile(copy, new)
    try:
        backup.verify(new)
        _begin_another_journal(new)
        backup.sync(new)
        until_now = _set_aside(path, folder / "backups", why="before-restore")
        # A log of the old database beside the new one would tear it.
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)
        os.replace(new, path)
        backup.sync(folder)
    finally:
        new.unlink(missing_ok=True)
    return until_now


def _begin_another_journal(path: Path) -> None:
    """The journal of the library goes on from a later state than this one."""
    connection = open_writer(path)
    try:
        connection.execute("DELETE FROM settings WHERE name = 'journal.library'").fetchall()
    finally:
        connection.close()


def _set_aside(path: Path, backups: Path, *, why: str) -> Backup | None:
    """A backup of what is there; where that is too damaged for one, the file itself is kept."""
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
            f"The library's folder {folder} cannot be made ({error.strerror}). Choose another with --library, or set "
            "MYSTICANVAS_LIBRARY."
        ) from error


def _bring_up_to_date(folder: Path) -> None:
    path = folder / FILE_NAME
    refuse_strangers(path)
    try:
        connection = open_writer(path)
        try:
            migrate(connection, folder / "backups")
        finally:
            connection.close()
    except apsw.CorruptError as error:
        raise DamagedLibraryError(f"The database {path} is damaged: {error}. {_WAYS_OUT}") from error
    except apsw.Error as error:
        raise LibraryError(f"The library in {folder} cannot be opened: {error}") from error
