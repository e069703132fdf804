"""The writer: one thread and one connection; futures complete after COMMIT (docs/adr/0001-one-writer-thread.md).

Each transaction stores a serial number. After an error from COMMIT, the number on the disk tells whether the
transaction was committed.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from mysticanvas.db.checkpoints import SERIAL, CheckpointedConnection
from mysticanvas.db.connections import ChangeSet, WriteTx, open_writer
from mysticanvas.db.database_file import DatabaseFile
from mysticanvas.db.io_errors import DISK_ERRORS, build_library_error
from mysticanvas.domain.errors import LibraryError

log = logging.getLogger(__name__)

# An edit waits for at most one bulk transaction, so that one is kept short.
BULK_LIMIT_S = 0.05
CHECK_FILE_EVERY_S = 5.0


@dataclass(slots=True)
class _Change:
    apply: Callable[[WriteTx], Any]
    done: Future[Any]


Listener = Callable[[ChangeSet], None]
BeforeCommit = Callable[[WriteTx, ChangeSet], None]


@dataclass(frozen=True, slots=True)
class _Listeners:
    before_commit: list[BeforeCommit] = field(default_factory=list)
    after_commit: list[Listener] = field(default_factory=list)
    error: list[Callable[[str | None], None]] = field(default_factory=list)


class Writer:
    """`edit` and `bulk` queue a change and return its future, which completes after COMMIT.

    `error` is why the database cannot be written, None while it can. `oldest_reader`
    names the longest-running read, for the log.
    """

    def __init__(self, path: Path, *, oldest_reader: Callable[[], str | None]) -> None:
        self._edits: deque[_Change] = deque()
        self._bulk: deque[_Change] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._listeners = _Listeners()
        self._checkpoints = CheckpointedConnection(path, open_writer)
        self.serial = self._checkpoints.read_serial()
        self._file = DatabaseFile(path, oldest_reader=oldest_reader)
        self._lost: LibraryError | None = None
        self.error: str | None = None
        self._thread = threading.Thread(target=self._work, name="writer")
        self._thread.start()

    @property
    def _connection(self) -> apsw.Connection:
        return self._checkpoints.connection

    @property
    def checkpoints(self) -> CheckpointedConnection:
        return self._checkpoints

    def edit(self, apply: Callable[[WriteTx], Any]) -> Future[Any]:
        """For edits by the user: runs before bulk work, and is on the disk when the future completes."""
        return self._queue(self._edits, apply)

    def bulk(self, apply: Callable[[WriteTx], Any]) -> Future[Any]:
        return self._queue(self._bulk, apply)

    def after_commit(self, listener: Listener) -> None:
        """Calls `listener` on the writer thread after each commit; it must return quickly."""
        self._listeners.after_commit.append(listener)

    def before_commit(self, listener: BeforeCommit) -> None:
        """Calls `listener` on the writer thread at the end of each transaction, with what it changed. What the listener
        writes is committed with it; if it raises, only that is rolled back."""
        self._listeners.before_commit.append(listener)

    def on_error(self, listener: Callable[[str | None], None]) -> None:
        """Calls `listener` on the writer thread when `error` changes."""
        self._listeners.error.append(listener)

    def finish(self) -> None:
        """Commits everything queued and stops. Later changes raise `LibraryError`."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def close(self) -> None:
        """Close this connection last: SQLite then merges the WAL into the database and removes it. After a disk
        error, that happens at the next start."""
        try:
            self._checkpoints.close()
        except DISK_ERRORS:
            log.warning("the write-ahead log could not be merged into the database", exc_info=True)

    def _queue(self, queue: deque[_Change], apply: Callable[[WriteTx], Any]) -> Future[Any]:
        change = _Change(apply, Future())
        with self._wake:
            if self._closing:
                raise LibraryError(
                    "MystiCanvas is shutting down, so nothing was changed. Restart MystiCanvas and try again."
                )
            queue.append(change)
            self._wake.notify()
        return change.done

    # -- the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._wake:
                if not (self._edits or self._bulk or self._closing):
                    self._wake.wait(CHECK_FILE_EVERY_S)
                idle = not (self._edits or self._bulk)
                if idle and self._closing:
                    return
                durable = bool(self._edits)
            self._check_file()
            if idle:
                continue
            if self._lost is not None:
                self._refuse_all(self._lost)
                continue
            with self._checkpoints.lock:
                self._commit_some(self._edits if durable else self._bulk, durable=durable)
                self._checkpoints.checkpoint_if_due()

    def _commit_some(self, queue: deque[_Change], *, durable: bool) -> None:
        """One transaction: all queued edits, or as much bulk work as fits `BULK_LIMIT_S`."""
        settled: list[tuple[_Change, Any]] = []
        taken: list[_Change] = [queue.popleft()]
        changes = ChangeSet()
        began_s = time.monotonic()
        try:
            self._begin(durable=durable)
            self._apply(taken[0], settled, changes)
            while queue and (durable or self._has_time(began_s)):
                taken.append(queue.popleft())
                self._apply(taken[-1], settled, changes)
            self._call_before_commit(changes)
            self._connection.execute("COMMIT")
        except (apsw.Error, UnicodeDecodeError) as error:
            log.exception("a commit failed", extra={"changes": len(taken)})
            if not self._is_on_disk():
                self._refuse(taken, error)
                return
        self._set_error(None)
        self._notify(changes)
        for change, result in settled:
            change.done.set_result(result)

    def _call_before_commit(self, changes: ChangeSet) -> None:
        if not changes:
            return
        for listener in self._listeners.before_commit:
            tx = WriteTx(self._connection)
            try:
                with tx.savepoint():
                    listener(tx, changes)
            except Exception as error:
                if isinstance(error, DISK_ERRORS) or not self._connection.in_transaction:
                    raise
                log.exception("a listener before a commit failed")
            else:
                changes.merge(tx.changes)

    def _begin(self, *, durable: bool) -> None:
        # Before BEGIN: otherwise a transaction that fails to begin would look like the last committed one.
        self.serial += 1
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute(
            """
            INSERT INTO settings (name, value_json)
            VALUES (:name, :serial)
                ON CONFLICT (name) DO UPDATE SET value_json = excluded.value_json
            """,
            {"name": SERIAL, "serial": str(self.serial)},
        )

    def _set_error(self, sentence: str | None) -> None:
        if sentence == self.error:
            return
        self.error = sentence
        for listener in self._listeners.error:
            listener(sentence)

    def _is_on_disk(self) -> bool:
        """Whether the transaction that just failed was committed nevertheless."""
        if self._file.is_replaced():
            # Opening the path again would create a new file; our connection still has the old one.
            return False
        try:
            self._checkpoints.reopen()
            on_disk = self._checkpoints.read_serial()
        except apsw.Error:
            log.exception("the database could not be reopened")
            return False
        committed = on_disk == self.serial
        self.serial = on_disk
        return committed

    def _refuse(self, changes: list[_Change], error: Exception) -> None:
        refusal = build_library_error(error, "written")
        refusal.__cause__ = error
        self._set_error(str(refusal))
        for change in changes:
            if not change.done.done():
                change.done.set_exception(refusal)

    def _has_time(self, began_s: float) -> bool:
        return time.monotonic() - began_s < BULK_LIMIT_S and not self._edits

    def _apply(self, change: _Change, settled: list[tuple[_Change, Any]], changes: ChangeSet) -> None:
        """Runs the change in a savepoint, so that a failure does not roll back the others."""
        tx = WriteTx(self._connection)
        self._connection.execute("SAVEPOINT change")
        try:
            result = change.apply(tx)
        except Exception as error:
            if isinstance(error, DISK_ERRORS) or not self._connection.in_transaction:
                # SQLite may have rolled back the statement or the whole transaction.
                raise
            self._connection.execute("ROLLBACK TO change")
            self._connection.execute("RELEASE change")
            change.done.set_exception(error)
            return
        self._connection.execute("RELEASE change")
        settled.append((change, result))
        changes.merge(tx.changes)

    def _notify(self, changes: ChangeSet) -> None:
        if not changes:
            return
        for listener in self._listeners.after_commit:
            try:
                listener(changes)
            except Exception:
                log.exception("a commit listener failed")

    # -- the file -----------------------------------------------------------------------------

    def _check_file(self) -> None:
        if self._lost is None and self._file.is_due(CHECK_FILE_EVERY_S):
            self._check_identity()
            self._file.check_wal()

    def _check_identity(self) -> None:
        """Refuses writes after the file was deleted or replaced: they would be lost."""
        if not self._file.is_replaced():
            return
        try:
            where = f"Its content was saved to {self._rescue()}. Restart MystiCanvas."
        except apsw.Error:
            log.exception("the content of the deleted database could not be saved")
            where = "Its content could not be saved. Free some disk space before you stop MystiCanvas."
        self._lost = LibraryError(f"The database {self._file.path} was deleted or replaced while it was open. {where}")
        self._set_error(str(self._lost))
        log.error("the database was deleted or replaced", extra={"sentence": str(self._lost)})

    def _rescue(self) -> Path:
        rescued = self._file.rescue_path()
        self._connection.execute("VACUUM INTO ?", (str(rescued),))
        return rescued

    def _refuse_all(self, error: LibraryError) -> None:
        with self._wake:
            refused = [*self._edits, *self._bulk]
            self._edits.clear()
            self._bulk.clear()
        for change in refused:
            change.done.set_exception(error)
