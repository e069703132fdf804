"""The writer: one thread, one connection, one queue; replies come after COMMIT (D2, D5, D6)."""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from mysticanvas.domain.errors import LibraryError
from mysticanvas.store.connections import ChangeSet, WriteTx, open_writer

log = logging.getLogger(__name__)

# A person's edit waits for at most one bulk transaction, so that one stays short.
BULK_LIMIT_S = 0.05
IDENTITY_EVERY_S = 5.0


@dataclass(slots=True)
class _Change:
    apply: Callable[[WriteTx], Any]
    done: Future[Any]


Listener = Callable[[ChangeSet], None]


class Writer:
    """`edit` and `bulk` queue a change and return its future, which is settled after COMMIT."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._edits: deque[_Change] = deque()
        self._bulk: deque[_Change] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._listeners: list[Listener] = []
        self._connection = open_writer(path)
        self._identity = _identity(path)
        self._checked_s = time.monotonic()
        self._lost: LibraryError | None = None
        self._thread = threading.Thread(target=self._work, name="writer")
        self._thread.start()

    def edit(self, apply: Callable[[WriteTx], Any]) -> Future[Any]:
        """A person's deed: ahead of bulk work, and on the disk before the future is settled."""
        return self._queue(self._edits, apply)

    def bulk(self, apply: Callable[[WriteTx], Any]) -> Future[Any]:
        return self._queue(self._bulk, apply)

    def after_commit(self, listener: Listener) -> None:
        """`listener` is called on the writer thread, and must be quick."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Everything queued is committed first."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()
        self._connection.close()

    def _queue(self, queue: deque[_Change], apply: Callable[[WriteTx], Any]) -> Future[Any]:
        change = _Change(apply, Future())
        with self._wake:
            if self._closing:
                raise LibraryError("The library is closing.")
            queue.append(change)
            self._wake.notify()
        return change.done

    # -- the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._wake:
                while not (self._edits or self._bulk or self._closing):
                    self._wake.wait()
                if not (self._edits or self._bulk):
                    return
                durable = bool(self._edits)
            self._check_identity()
            if self._lost is not None:
                self._refuse_all(self._lost)
                continue
            self._commit_some(self._edits if durable else self._bulk, durable=durable)

    def _commit_some(self, queue: deque[_Change], *, durable: bool) -> None:
        """One transaction over what is queued: all edits, or as much bulk as fits the time."""
        settled: list[tuple[_Change, Any]] = []
        taken: list[_Change] = [queue.popleft()]
        changes = ChangeSet()
        began_s = time.monotonic()
        try:
            self._begin(durable=durable)
            self._apply(taken[0], settled, changes)
            while queue and (durable or self._may_go_on(began_s)):
                taken.append(queue.popleft())
                self._apply(taken[-1], settled, changes)
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            self._roll_back()
            log.exception("a commit failed", extra={"changes": len(taken)})
            sentence = LibraryError(f"The database could not be written: {error}")
            sentence.__cause__ = error
            for change in taken:
                if not change.done.done():
                    change.done.set_exception(sentence)
            return
        self._tell(changes)
        for change, result in settled:
            change.done.set_result(result)

    def _begin(self, *, durable: bool) -> None:
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._connection.execute("BEGIN IMMEDIATE")

    def _may_go_on(self, began_s: float) -> bool:
        return time.monotonic() - began_s < BULK_LIMIT_S and not self._edits

    def _apply(self, change: _Change, settled: list[tuple[_Change, Any]], changes: ChangeSet) -> None:
        """In a savepoint of its own, so that one failure does not sink the others."""
        tx = WriteTx(self._connection)
        self._connection.execute("SAVEPOINT change")
        try:
            result = change.apply(tx)
        except Exception as error:  # noqa: BLE001 - it goes to whoever asked for the change
            self._connection.execute("ROLLBACK TO change")
            self._connection.execute("RELEASE change")
            change.done.set_exception(error)
            return
        self._connection.execute("RELEASE change")
        settled.append((change, result))
        changes.take(tx.changes)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except apsw.Error:
                log.exception("a rollback failed")

    def _tell(self, changes: ChangeSet) -> None:
        if not changes:
            return
        for listener in self._listeners:
            try:
                listener(changes)
            except Exception:
                log.exception("a listener failed on a commit")

    # -- is the file still ours? --------------------------------------------------------------

    def _check_identity(self) -> None:
        """D9: a database that was deleted or replaced under us takes writes into nothing."""
        now_s = time.monotonic()
        if self._lost is not None or now_s - self._checked_s < IDENTITY_EVERY_S:
            return
        self._checked_s = now_s
        if _identity(self._path) != self._identity:
            rescued = self._rescue()
            self._lost = LibraryError(
                f"The database {self._path} was deleted or replaced while it was open. "
                f"What was in it is safe in {rescued}; restart MystiCanvas."
            )
            log.error("the database was taken away", extra={"rescued": str(rescued)})

    def _rescue(self) -> Path:
        rescued = self._path.with_name(f"rescued-{time.time_ns() // 1_000_000}.db")
        self._connection.execute("VACUUM INTO ?", (str(rescued),))
        return rescued

    def _refuse_all(self, error: LibraryError) -> None:
        with self._wake:
            refused = [*self._edits, *self._bulk]
            self._edits.clear()
            self._bulk.clear()
        for change in refused:
            change.done.set_exception(error)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
