"""A verified backup every hour in which something changed, thinned as it ages (I1)."""

import logging
from pathlib import Path
from threading import Event, Thread

from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.store import backup, database, events, journal_files
from mysticanvas.store.backup import Backup
from mysticanvas.store.database import Database

log = logging.getLogger(__name__)

EVERY_S = 3600.0


def restore(folder: Path, copy: Path) -> Backup | None:
    """As `database.restore`; the journal, which tells of later days than the copy, is set aside."""
    until_now = database.restore(folder, copy)
    journals = folder / journal_files.FOLDER
    for library in journal_files.journals(journals):
        journal_files.set_aside(journals, library)
    return until_now


class HourlyBackups:
    """Runs while the context is open. A backup that fails is logged, told in the events, and tried again
    an hour later."""

    def __init__(self, database: Database, *, every_s: float = EVERY_S) -> None:
        self._database = database
        self._every_s = every_s
        self._closing = Event()
        self._thread = Thread(target=self._work, name="backups")

    def __enter__(self) -> "HourlyBackups":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        backed_up = self._database.changes
        while not self._closing.wait(self._every_s):
            if self._database.changes == backed_up:
                continue
            try:
                self._database.back_up(why=backup.HOURLY)
                backup.thin(self._database.backups)
            except (MystiCanvasError, OSError) as error:
                self._tell(str(error))
            backed_up = self._database.changes

    def _tell(self, reason: str) -> None:
        log.warning("the hourly backup failed", extra={"reason": reason})
        self._database.write_later(
            events.append, level="warning", kind="backup.failed", subject=reason, data={}, now_ms=now_ms()
        )
