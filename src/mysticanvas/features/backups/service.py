"""A verified backup every hour in which something changed, thinned as it ages (I1), and tried out monthly."""

import logging
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from mysticanvas.db import backup as db_backup
from mysticanvas.db import checks, event_log
from mysticanvas.db import database as db_database
from mysticanvas.db.backup import Backup
from mysticanvas.db.database import Database
from mysticanvas.db.images import generations
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import ConflictError, MystiCanvasError, NotFoundError
from mysticanvas.features.journal import files as journal_files

log = logging.getLogger(__name__)

EVERY_S = 3600.0
DRILL_EVERY_MS = 30 * 86_400_000


def restore(folder: Path, copy: Path) -> Backup | None:
    """As `database.restore`; the journal, which tells of later days than the copy, is set aside."""
    until_now = db_database.restore(folder, copy)
    journals = folder / journal_files.FOLDER
    for library in journal_files.journals(journals):
        journal_files.set_aside(journals, library)
    return until_now


@dataclass(frozen=True, slots=True)
class Drill:
    """What came of restoring a backup to a place of its own: `trouble` is None when all was well."""

    name: str
    images: int
    trouble: str | None


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """`ask` restores a backup: the gallery stops, restores it and starts again. Raises `ConflictError` where
    nothing serves the library."""

    ask: Callable[[Path], None]


class BackingUp:
    """Backups of one library, one at a time. Each is told in the events."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._busy = Lock()
        self._phase: str | None = None

    def back_up(self, *, why: str = "asked") -> Backup:
        """Raises `ConflictError` while another is being made, and as `Database.back_up`."""
        if not self._busy.acquire(blocking=False):
            raise ConflictError("A backup is being made already.")
        try:
            made = self._database.back_up(why=why, on_phase=self._note)
        except (MystiCanvasError, OSError) as error:
            self._tell("backup.failed", level="warning", subject=str(error), data={"why": why})
            raise
        finally:
            self._phase = None
            self._busy.release()
        self._tell("backup", subject=Path(made.path).name, data={"bytes": made.bytes, "why": made.why})
        return made

    def drill(self, name: str | None = None) -> Drill:
        """Restore a backup (None: the newest) to a folder of its own, open it and check every invariant there.
        The library is not touched. Raises `NotFoundError` when there is none."""
        copy = self.named(name) if name is not None else self._newest()
        with tempfile.TemporaryDirectory(prefix="drill-", dir=self._database.backups) as place:
            try:
                done = Drill(copy.name, *_try_out(Path(place), copy))
            except MystiCanvasError as error:
                done = Drill(copy.name, 0, str(error))
        level = "info" if done.trouble is None else "error"
        self._tell("backup.drill", level=level, subject=copy.name, data=asdict(done))
        return done

    def drill_is_due(self) -> bool:
        last = self._database.read(event_log.last_of, "backup.drill")
        return (last is None or now_ms() - last.at > DRILL_EVERY_MS) and bool(self._sound())

    def named(self, name: str) -> Path:
        """The backup of that name. Raises `NotFoundError`."""
        for one in db_backup.listed(self._database.backups):
            if Path(one.path).name == name:
                return Path(one.path)
        raise NotFoundError("There is no such backup any more.")

    def progress(self) -> dict[str, Any] | None:
        """While one is being made: `phase` is copying or checking, and how many bytes of how many are there."""
        if (phase := self._phase) is None:
            return None
        part = max((path.stat().st_size for path in self._database.backups.glob("*.part")), default=0)
        return {"phase": phase, "done": part, "total": max(part, self._database.path.stat().st_size)}

    def _note(self, phase: str) -> None:
        self._phase = phase

    def _sound(self) -> list[Backup]:
        return [one for one in db_backup.listed(self._database.backups) if one.verified]

    def _newest(self) -> Path:
        if not (found := self._sound()):
            raise NotFoundError("There is no backup yet.")
        return Path(found[0].path)

    def _tell(self, kind: str, *, level: str = "info", subject: str, data: dict[str, Any]) -> None:
        self._database.write_bulk(event_log.append, level=level, kind=kind, subject=subject, data=data, now_ms=now_ms())


def _try_out(place: Path, copy: Path) -> tuple[int, str | None]:
    """The images of the restored copy, and what is wrong with it."""
    db_database.restore(place, copy)
    with Database.open(place) as restored:
        wrong = [check for check in checks.run_all(restored) if not check.ok]
        images = restored.read(generations.total)
    return images, "; ".join(f"{check.name}: {check.detail}" for check in wrong) or None


class HourlyBackups:
    """Runs while the context is open. A backup that fails is logged, told in the events, and tried again
    an hour later."""

    def __init__(self, database: Database, backing_up: BackingUp, *, every_s: float = EVERY_S) -> None:
        self._database = database
        self._backing_up = backing_up
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
                self._backing_up.back_up(why=db_backup.HOURLY)
                db_backup.thin(self._database.backups)
                if self._backing_up.drill_is_due():
                    self._backing_up.drill()
            except (MystiCanvasError, OSError) as error:
                log.warning("the hourly backup failed", extra={"reason": str(error)})
            backed_up = self._database.changes
