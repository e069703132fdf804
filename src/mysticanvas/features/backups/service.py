"""Hourly verified backups while the library changes, thinned out with age, and a monthly restore test."""

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
LOOK_EVERY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Restored:
    """`previous` is the backup of the replaced database, None if there was none. `journals` have the edits that were
    made after the restored backup."""

    previous: Backup | None
    journals: list[Path]

    @property
    def newer_edits(self) -> str | None:
        """Sentences that say where the edits after the backup are, and how to get them; None without a journal."""
        if not self.journals:
            return None
        return (
            "Ratings, tags and notes that you changed after this backup are kept in the journal "
            f"{self.journals[-1]}. To add them to the restored library, run: "
            f'mysticanvas rebuild --journal "{self.journals[-1]}"'
        )


def restore(folder: Path, copy: Path) -> Restored:
    """Restore like `database.restore`, and set the journal aside: it contains changes that are newer than the copy."""
    previous = db_database.restore(folder, copy)
    journals = folder / journal_files.FOLDER
    moved = [journal_files.set_aside(journals, library) for library in journal_files.find_journals(journals)]
    return Restored(previous, [path for paths in moved for path in paths])


@dataclass(frozen=True, slots=True)
class RestoreTest:
    """The result of restoring the backup `name` to a temporary folder. `images` counts the images in it. `error` says
    which checks failed, and is null if all passed."""

    name: str
    images: int
    error: str | None


@dataclass(frozen=True, slots=True)
class BackupProgress:
    """A backup that is being created: `phase` is copying or checking, with `done` of `total` bytes."""

    phase: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """`ask` restores a backup: the server stops, restores it and starts again. Raises `ConflictError` if no server
    is running for the library."""

    ask: Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class ListedBackup:
    """A backup. `name` is the name of its file, which identifies it. `why` says why it was created, such as hourly or
    asked. `verified` is false for the copy of a damaged database."""

    name: str
    path: str
    bytes: int
    made_at: int
    why: str
    verified: bool


def describe(one: Backup) -> ListedBackup:
    return ListedBackup(Path(one.path).name, one.path, one.bytes, one.made_at, one.why, one.verified)


def describe_folder(library: Path) -> dict[str, Any]:
    """The backups of a library that is not open, as `GET /api/v1/backups` lists them."""
    folder = library / db_database.BACKUPS
    listed = [asdict(describe(one)) for one in db_backup.list_backups(folder)]
    return {"backups": listed, "folder": str(folder), "running": None, "drill": None}


class BackupRunner:
    """Creates backups of one library, one at a time, and records each in the event log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._busy = Lock()
        self._phase: str | None = None
        self._looked_at = 0
        self._is_damaged = False

    def back_up(self, *, why: str = "asked") -> Backup:
        """Create and verify a backup. Raises `ConflictError` while another one is being created, and the errors of
        `Database.back_up`."""
        if not self._busy.acquire(blocking=False):
            raise ConflictError("A backup is already being created. Wait until it is finished.")
        try:
            made = self._database.back_up(why=why, on_phase=self._set_phase)
        except (MystiCanvasError, OSError) as error:
            self._log_event("backup.failed", level="warning", subject=str(error), data={"why": why})
            raise
        finally:
            self._phase = None
            self._busy.release()
        self._log_event("backup", subject=Path(made.path).name, data={"bytes": made.bytes, "why": made.why})
        return made

    def drill(self, name: str | None = None) -> RestoreTest:
        """Restore a backup (None: the newest) to a temporary folder, open it and check every invariant. The library is
        not changed. Raises `NotFoundError` if the backup does not exist."""
        copy = Path(self.find_by_name(name).path) if name is not None else self._find_newest()
        with tempfile.TemporaryDirectory(prefix="drill-", dir=self._database.backups) as place:
            try:
                done = RestoreTest(copy.name, *_check_copy(Path(place), copy))
            except MystiCanvasError as error:
                done = RestoreTest(copy.name, 0, str(error))
        level = "info" if done.error is None else "error"
        self._log_event("backup.drill", level=level, subject=copy.name, data=asdict(done))
        return done

    def is_damaged(self) -> bool:
        """Returns whether a page of the database is damaged. Checks this once a day, and records damage as an event."""
        if now_ms() - self._looked_at < LOOK_EVERY_MS:
            return self._is_damaged
        self._looked_at = now_ms()
        failed = [check for check in checks.find_damage(self._database) if not check.ok]
        self._is_damaged = bool(failed)
        if failed:
            what = "; ".join(f"{check.name}: {check.detail}" for check in failed)
            why = (
                f"{what}. To see what can be repaired, run: mysticanvas doctor. "
                "Hourly backups are not deleted until the damage is repaired."
            )
            self._log_event("library.damaged", level="error", subject=None, data={"why": why})
        return self._is_damaged

    def is_drill_due(self) -> bool:
        last = self._database.read(event_log.find_last, "backup.drill")
        return (last is None or now_ms() - last.at > DRILL_EVERY_MS) and bool(self._list_verified())

    def find_by_name(self, name: str) -> Backup:
        """The backup with this name. Raises `NotFoundError`."""
        for one in db_backup.list_backups(self._database.backups):
            if Path(one.path).name == name:
                return one
        raise NotFoundError("This backup no longer exists. Reload the list of backups.")

    def progress(self) -> BackupProgress | None:
        """The backup that is being created; None if there is none."""
        if (phase := self._phase) is None:
            return None
        part = max((path.stat().st_size for path in self._database.backups.glob("*.part")), default=0)
        return BackupProgress(phase, part, max(part, self._database.path.stat().st_size))

    def _set_phase(self, phase: str) -> None:
        self._phase = phase

    def _list_verified(self) -> list[Backup]:
        return [one for one in db_backup.list_backups(self._database.backups) if one.verified]

    def _find_newest(self) -> Path:
        if not (found := self._list_verified()):
            raise NotFoundError("There is no verified backup yet. Create a backup first.")
        return Path(found[0].path)

    def _log_event(self, kind: str, *, level: str = "info", subject: str | None, data: dict[str, Any]) -> None:
        self._database.write_bulk(event_log.append, level=level, kind=kind, subject=subject, data=data, now_ms=now_ms())


def _check_copy(place: Path, copy: Path) -> tuple[int, str | None]:
    """The number of images in the restored copy, and its failed checks (None if all passed)."""
    db_database.restore(place, copy)
    with Database.open(place) as restored:
        failed = [check for check in checks.run_all(restored) if not check.ok]
        images = restored.read(generations.count_images)
    return images, "; ".join(f"{check.name}: {check.detail}" for check in failed) or None


class HourlyBackups:
    """Runs while the context is open. A failed backup is logged, recorded in the event log and retried an hour
    later."""

    def __init__(self, database: Database, backups: BackupRunner, *, every_s: float = EVERY_S) -> None:
        self._database = database
        self._backups = backups
        self._every_s = every_s
        self._closing = Event()
        self._thread = Thread(target=self._run, name="backups")

    def __enter__(self) -> "HourlyBackups":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        backed_up = self._database.changes
        while not self._closing.wait(self._every_s):
            if self._database.changes == backed_up:
                continue
            try:
                self._backups.back_up(why=db_backup.HOURLY)
                # The older backups may be the last from before the damage.
                if not self._backups.is_damaged():
                    db_backup.prune_hourly(self._database.backups)
                    if self._backups.is_drill_due():
                        self._backups.drill()
            except (MystiCanvasError, OSError) as error:
                log.warning("the hourly backup failed", extra={"reason": str(error)})
            backed_up = self._database.changes
