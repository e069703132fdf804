"""Keeps the reserve for a full disk (`db/reserve.py`), and records when it was used and when it is back."""

from contextlib import suppress
from threading import Event, Thread

from mysticanvas.db import event_log, reserve
from mysticanvas.db.database import Database
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import LibraryError

EVERY_S = 60.0
FULL = (
    "The disk was full when the library was opened, so MystiCanvas deleted its 32 MB reserve file to free some space. "
    "Empty Trash or free space in another way. The file is created again when there is enough free space."
)
FREE = "The disk has enough free space again, so MystiCanvas created its 32 MB reserve file."


class ReserveKeeper:
    """Runs while the context is open."""

    def __init__(self, database: Database, *, every_s: float = EVERY_S) -> None:
        self._database = database
        self._every_s = every_s
        self._was_used = database.was_full
        self._closing = Event()
        self._thread = Thread(target=self._run, name="reserve")

    def __enter__(self) -> "ReserveKeeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        if self._was_used:
            self._record("warning", "disk.full", FULL)
        while True:
            if reserve.create_if_room(self._database.folder) and self._was_used:
                self._was_used = False
                self._record("info", "disk.free", FREE)
            if self._closing.wait(self._every_s):
                return

    def _record(self, level: str, kind: str, why: str) -> None:
        # On a disk that is still full, the event cannot be recorded.
        with suppress(LibraryError):
            self._database.write_bulk(
                event_log.append, level=level, kind=kind, subject=None, data={"why": why}, now_ms=now_ms()
            )
