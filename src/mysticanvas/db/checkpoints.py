"""The connection of the writer, and its checkpoints: each first records the checksums of the pages that it will write
to the database. SQLite itself makes no checkpoint."""

import logging
import threading
import uuid
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from mysticanvas.db import known_damage, page_damage
from mysticanvas.db.connections import ReadTx, WriteTx, open_writer
from mysticanvas.db.io_errors import DISK_ERRORS, WAYS_OUT
from mysticanvas.db.page_damage import Check
from mysticanvas.db.page_sums import STAMP, PageSums, WalUnreadableError, compute_sum
from mysticanvas.domain.clock import now_ms

log = logging.getLogger(__name__)

CHECKPOINT_PAGES = 1_000
SUMS_NAME = "page-sums"
SERIAL = "writer.serial"
# A database of this size is read whole at its opening; doctor reads a larger one.
SMALL_BYTES = 32 * 1024 * 1024


class CheckpointedConnection:
    """`lock` is held while the connection is used. `damage_at_open`: failed checks of pages that may have been written
    since, also before the opening."""

    def __init__(self, path: Path, open_connection: Callable[[Path], apsw.Connection] = open_writer) -> None:
        self._path = path
        self._open_connection = open_connection
        self.lock = threading.RLock()
        self._wal_pages = 0
        self._is_open = False
        self.connection = self._open()
        try:
            self._sums = self._open_sums()
            is_new = self._sums.is_empty
            self._include_log()
            found = self._look_at_small(is_new=is_new)
            kept = known_damage.read_kept(ReadTx(self.connection))
            self.damage_at_open = known_damage.merge_kept(kept, found)
            for check in self.damage_at_open:
                log.error("%s", known_damage.describe(check.detail))
            # What a migration or a crash left in the log, so that a start does not depend on it again.
            self._checkpoint()
        except BaseException:
            self.connection.close(True)
            raise

    def reopen(self) -> None:
        """Closes the connection, which may have failed, and opens another. Raises `apsw.Error`: then none is open."""
        if self._is_open:
            self._is_open = False
            self.connection.close(True)
        self.connection = self._open()

    def _open(self) -> apsw.Connection:
        connection = self._open_connection(self._path)
        connection.set_wal_hook(self._count_pages)
        self._is_open = True
        return connection

    def read_serial(self) -> int:
        return int(_read_setting(self.connection, SERIAL) or 0)

    def checkpoint_if_due(self) -> None:
        """Call between two transactions. An error is logged: what was committed is in the log."""
        if self._is_open and self._wal_pages >= CHECKPOINT_PAGES:
            self._checkpoint()

    def close(self) -> None:
        """Merges the log into the database and removes it, if no other connection is open."""
        with self.lock:
            if not self._is_open:
                return
            self._include_log()
            self.connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            self.connection.close()

    @contextmanager
    def pause(self) -> Iterator["array[int] | None"]:
        """The checksum of each page of the last committed state, 0 where unknown; nothing is committed meanwhile. None
        within a transaction of this thread, or after an error of the disk."""
        with self.lock:
            if not self._is_open or self.connection.in_transaction:
                yield None
                return
            self._include_log()
            yield self._sums.copy()

    def fill(self, sums: Iterable[tuple[int, int]]) -> None:
        """Records pages of a state that passed all checks, whose checksum was unknown."""
        with self.lock:
            if not self._is_open:
                return
            self._try(lambda: self._sums.fill(sums))

    def _count_pages(self, _: apsw.Connection, __: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint(self) -> None:
        try:
            self._include_log()
            self.connection.wal_checkpoint()
        except DISK_ERRORS:
            log.warning("the write-ahead log could not be merged into the database", exc_info=True)

    def _count_frames(self) -> int:
        return max(0, self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)[0])

    def _include_log(self) -> None:
        frames = self._count_frames()
        wal = self._path.with_name(f"{self._path.name}-wal")
        self._try(lambda: self._sums.include_log(wal, frames, serial=self.read_serial()))

    def _try(self, record: Callable[[], None]) -> None:
        """Without checksums of all that is written, none may be used."""
        try:
            record()
        except (OSError, WalUnreadableError):
            log.warning("the checksums of the pages could not be recorded", exc_info=True)
            self._sums.discard()

    def _open_sums(self) -> PageSums:
        if (stamp := _read_setting(self.connection, STAMP)) is None:
            stamp = f'"{uuid.uuid4().hex}"'
            self.connection.execute("INSERT INTO settings (name, value_json) VALUES (?, ?)", (STAMP, stamp))
        page_bytes = self.connection.pragma("page_size")
        path = self._path.with_name(SUMS_NAME)
        sums = PageSums.open(path, stamp.strip('"'), page_bytes, serial=self.read_serial())
        if sums.serial < self.read_serial() and not self._count_frames():
            # Another program merged the log, as any program does that opens and closes the database after a crash.
            sums.discard()
        return sums

    def _look_at_small(self, *, is_new: bool) -> list[Check]:
        """Compares a small database before anything is written to it: a damaged page that is written again is recorded
        as it is then. One without checksums gets them."""
        page_bytes = self.connection.pragma("page_size")
        if self.connection.pragma("page_count") * page_bytes > SMALL_BYTES:
            return []
        try:
            # Without memory, this returns None.
            content = self.connection.serialize("main") or b""
        except DISK_ERRORS:
            content = b""
        if not content:
            return []
        if is_new or self._sums.is_empty:
            self._sums.serial = self.read_serial()
            self.fill(sum_pages(content, page_bytes))
            return []
        differing = self._sums.find_differing(sum_pages(content, page_bytes))
        found = page_damage.describe(ReadTx(self.connection), differing)
        # Indexes are compared with their tables at each check.
        found = [check for check in found if not check.ok and check.name == page_damage.NAME]
        for check in found:
            self._record_damage(check)
        return found

    def _record_damage(self, check: Check) -> None:
        if not known_damage.keep(WriteTx(self.connection), check.detail):
            return
        self.connection.execute(
            """
            INSERT INTO events (at, level, kind, data_json)
            VALUES (?, 'error', 'library.damaged', json_object('why', ?))
            """,
            (now_ms(), f"{check.detail}. {WAYS_OUT}"),
        )


def sum_pages(content: bytes, page_bytes: int) -> Iterator[tuple[int, int]]:
    for number in range(1, len(content) // page_bytes + 1):
        yield number, compute_sum(number, content[(number - 1) * page_bytes : number * page_bytes])


def has_sums(folder: Path) -> bool:
    """Whether a checkpoint must record checksums: a new library, or one of an older version, has none."""
    return (folder / SUMS_NAME).exists()


def forget_sums(folder: Path) -> None:
    """Call when the database is replaced or moved."""
    (folder / SUMS_NAME).unlink(missing_ok=True)


def _read_setting(connection: apsw.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value_json FROM settings WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])
