"""Rebuilds a library from its folders and its journal after the database was lost.

All folders are imported. Then every image in the journal is found by its content and gets back its uuid and its user
data. A cancelled rebuild can be repeated: it keeps what the previous one restored.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

from mysticanvas import __version__
from mysticanvas.db import backup as db_backup
from mysticanvas.db import event_log
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import folders as image_folders
from mysticanvas.domain.errors import ConflictError, InvalidInputError, LibraryError, MystiCanvasError
from mysticanvas.edits import changesets as edit_changesets
from mysticanvas.edits import derived
from mysticanvas.edits.kinds import list_recorded_tables
from mysticanvas.features import repairs
from mysticanvas.features.importing.service import ImportService
from mysticanvas.features.journal import files as journal_files
from mysticanvas.features.journal import queries, rebuild_queries, service
from mysticanvas.features.journal.files import Entry, Journal
from mysticanvas.features.journal.rebuild_queries import Ids

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH_IMAGES = 100
POLL_S = 0.5
JOURNAL_WAIT_S = 60.0
MAX_DAMAGED = 100


@dataclass(slots=True)
class RebuildReport:
    """What a rebuild restored: `images`, `tags`, `collections`, `templates` and `folders`. `absent` is the number of
    images without a file; they are marked as missing and keep their user data. `unread` is the number of damaged
    journal lines, `damaged` says what can be read of the first of them, and `backup` is the newest verified backup,
    which may have them; null without one. `unsound` are the failed checks of the rebuilt library."""

    images: int = 0
    absent: int = 0
    tags: int = 0
    collections: int = 0
    templates: int = 0
    folders: int = 0
    unread: int = 0
    damaged: list[str] = field(default_factory=list)
    backup: str | None = None
    unsound: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RebuildStatus:
    """`message` says what is done at the moment, with `done` of `total` files or images; `total` is 0 while it is
    unknown. `report` is null until the rebuild is done. `journals` are the IDs of the libraries from which this library
    can be rebuilt."""

    message: str
    done: int
    total: int
    report: RebuildReport | None
    journals: list[str]


class RebuildRunner:
    """Runs one rebuild at a time on a thread of its own. A context manager."""

    def __init__(self, database: Database, importing: ImportService, *, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._importing = importing
        self._now_ms = now_ms
        self._closing = Event()
        self._finished = Event()
        self._thread: Thread | None = None
        self._error: MystiCanvasError | None = None
        self._report: RebuildReport | None = None
        self._message, self._done, self._total = "Waiting", 0, 0

    def __enter__(self) -> "RebuildRunner":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def list_journals(self) -> list[str]:
        """The ids of other libraries whose journals are in the journal folder."""
        own = self._database.read(queries.get_library_id)
        return [library for library in journal_files.find_journals(self._folder) if library != own]

    def start(self) -> None:
        """Raises `ConflictError` while a rebuild is running, and `InvalidInputError` without a journal."""
        if self._thread is not None and self._thread.is_alive():
            raise ConflictError("A rebuild is already running. Wait until it finishes.")
        if not self.list_journals():
            raise InvalidInputError(f"{self._folder} contains no journal from which the library can be rebuilt.")
        self._finished.clear()
        self._error, self._report = None, RebuildReport(backup=_find_newest_backup(self._database))
        self._thread = Thread(target=self._work, name="rebuilding")
        self._thread.start()

    def get_status(self, *, wait_s: float = 0.0) -> RebuildStatus:
        """The progress, and the report when the rebuild is done, after waiting for it for at most `wait_s`.

        Raises the error that stopped the rebuild.
        """
        is_finished = self._thread is not None and self._finished.wait(wait_s)
        if self._error is not None:
            raise self._error
        report = self._report if is_finished else None
        return RebuildStatus(self._message, self._done, self._total, report, self.list_journals())

    # -- the thread ---------------------------------------------------------------------------

    @property
    def _folder(self) -> Path:
        return self._database.folder / journal_files.FOLDER

    def _work(self) -> None:
        try:
            # Wait until this library has an id, to distinguish its own journal from others.
            service.wait_until_written(self._database, wait_s=JOURNAL_WAIT_S)
            for library, files in journal_files.find_journals(self._folder).items():
                if library != self._database.read(queries.get_library_id) and not self._closing.is_set():
                    self._rebuild(library, journal_files.read_journal(files))
            self._check()
        except MystiCanvasError as error:
            self._error = error
        except OSError as error:
            self._error = LibraryError(f"MystiCanvas cannot read the journal: {error}")
        except Exception as error:
            log.exception("a rebuild failed")
            self._error = LibraryError(f"The library could not be rebuilt because of an unexpected error: {error}")
        finally:
            self._finished.set()

    def _rebuild(self, library: str, journal: Journal) -> None:
        assert self._report is not None
        ids = Ids()
        self._message = "Reading the journal"
        now_ms = self._now_ms()
        self._database.write_bulk(apply_with_derived, lambda tx: _add_vocabulary(tx, journal, ids, now_ms=now_ms))
        self._report.unread += len(journal.damaged)
        self._report.damaged += journal.damaged[:MAX_DAMAGED]
        self._report.tags += len(ids.tags)
        self._report.collections += len(ids.collections)
        self._report.templates += journal.count("template")
        self._import()
        self._add_images(journal, ids)
        if self._closing.is_set():
            return
        self._database.write_bulk(apply_with_derived, lambda tx: _add_references(tx, journal))
        self._database.write_bulk(_record_event, self._report, now_ms=self._now_ms())
        service.wait_until_written(self._database, wait_s=JOURNAL_WAIT_S)
        journal_files.set_aside(self._folder, library)

    def _import(self) -> None:
        """Import every folder. A missing folder is offline, and its images stay missing until it is available."""
        assert self._report is not None
        for root in self._database.read(image_folders.list_folders):
            self._message = f"Importing {root.path}"
            self._report.folders += 1
            started = self._importing.rescan(root)
            while self._importing.report(started, wait_s=POLL_S) is None:
                progress = self._importing.progress(started)
                self._done, self._total = progress.seen - progress.todo, progress.seen
                if self._closing.is_set():
                    return

    def _check(self) -> None:
        """Check the rebuilt library like `doctor`."""
        assert self._report is not None
        if not self._closing.is_set():
            self._message = "Checking the library"
            failed = [check for check in repairs.run_checks(self._database) if not check.ok]
            self._report.unsound = [f"{check.name}: {check.detail}" for check in failed]

    def _add_images(self, journal: Journal, ids: Ids) -> None:
        self._message = "Restoring your ratings, tags and notes"
        self._done, self._total = 0, journal.count("image")
        some: list[Entry] = []
        for one in journal.entries("image"):
            some.append(one)
            if len(some) == BATCH_IMAGES:
                self._add_batch(some, ids)
                some = []
            if self._closing.is_set():
                return
        self._add_batch(some, ids)

    def _add_batch(self, some: Sequence[Entry], ids: Ids) -> None:
        assert self._report is not None
        now_ms = self._now_ms()
        self._report.absent += self._database.write_bulk(
            apply_with_derived,
            lambda tx: rebuild_queries.add_images(tx, some, ids, app_version=__version__, now_ms=now_ms),
        )
        self._report.images += len(some)
        self._done += len(some)


def apply_with_derived(tx: WriteTx, change: Callable[[WriteTx], T]) -> T:
    """Run a change and update all derived data, as after an edit."""
    with edit_changesets.record_changes(tx, list_recorded_tables()) as recording:
        result = change(tx)
    if recording.changeset:
        derived.update(tx, edit_changesets.list_changes(tx, recording.changeset, inverted=False))
    return result


def _find_newest_backup(database: Database) -> str | None:
    verified = (one.path for one in db_backup.list_backups(database.backups) if one.verified)
    return next(verified, None)


def _add_vocabulary(tx: WriteTx, journal: Journal, ids: Ids, *, now_ms: int) -> None:
    """Called before the folders are imported, so that tags from prompts match the restored tags."""
    rebuild_queries.add_by_name(tx, journal.entries(*rebuild_queries.BY_NAME))
    rebuild_queries.add_lost_roots(tx, journal.entries("image"), now_ms=now_ms)
    rebuild_queries.add_tags(tx, list(journal.entries("tag")), ids)
    rebuild_queries.add_collections(tx, list(journal.entries("collection")), ids)
    rebuild_queries.add_templates(tx, journal.entries("template"))


def _add_references(tx: WriteTx, journal: Journal) -> None:
    rebuild_queries.link_parents(tx, journal.entries("image"))
    rebuild_queries.set_covers(tx, journal.entries("collection"), journal.entries("template"))


def _record_event(tx: WriteTx, report: RebuildReport, *, now_ms: int) -> None:
    data = {name: value for name, value in asdict(report).items() if isinstance(value, int)}
    level = "warning" if report.unread else "info"
    event_log.append(tx, level=level, kind="rebuild", subject=None, data=data, now_ms=now_ms)
