"""Migrates the library of another program through an adapter for that program, and imports archives.

Images that were already migrated are not changed, so a second migration changes nothing. It only looks for files that
were missing before.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from mysticanvas.db import snapshot_copy
from mysticanvas.db.database import Database
from mysticanvas.domain.errors import InvalidInputError, LibraryError, MystiCanvasError, NotFoundError
from mysticanvas.features.archive.service import ArchiveImport, ArchiveReport
from mysticanvas.features.importing.service import ImportService
from mysticanvas.features.migrate import diffusion_desk_queries
from mysticanvas.features.migrate.record import Migration
from mysticanvas.features.migrate.types import MigrationReport
from mysticanvas.fs import archives
from mysticanvas.fs.paths import resolve_file, resolve_folder

log = logging.getLogger(__name__)

POLL_S = 0.5
REPORTS_KEPT = 20
# An adapter is a module with the functions of `diffusion_desk_queries`. The first whose `is_gallery` is true is used.
ADAPTERS = (diffusion_desk_queries,)


@dataclass(slots=True)
class _Request:
    id: str
    path: Path
    images: Path | None
    dry_run: bool
    folders: Mapping[str, str]
    finished: threading.Event = field(default_factory=threading.Event)
    report: MigrationReport | ArchiveReport | None = None
    error: MystiCanvasError | None = None
    message: str = "Waiting"
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """`message` says what is done at the moment, with `done` of `total` images; `total` is 0 while it is unknown.
    `report` is null until the migration or the archive import is done."""

    message: str
    done: int
    total: int
    report: MigrationReport | ArchiveReport | None


class MigrationRunner:
    """Runs migrations and archive imports one at a time on a thread of its own. A context manager."""

    def __init__(self, database: Database, importing: ImportService, *, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._importing = importing
        self._now_ms = now_ms
        self._requests: dict[str, _Request] = {}
        self._waiting: SimpleQueue[_Request | None] = SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="migration")

    def __enter__(self) -> "MigrationRunner":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._waiting.put(None)
        self._thread.join()

    def start(self, path: str, *, images: str | None, dry_run: bool, folders: Mapping[str, str]) -> str:
        """Queue a migration from the database, or an import of the archive, at `path`. Returns its id.

        `images` is the image folder of the other program; None to detect it. `folders` maps the folders in an archive
        to those on this machine. Raises `InvalidInputError` when a file or folder does not exist.
        """
        file = resolve_file(path)
        folder = resolve_folder(images) if images else None
        one = _Request(str(uuid.uuid4()), file, folder, dry_run, folders)
        for old in [i for i, other in self._requests.items() if other.finished.is_set()][:-REPORTS_KEPT]:
            del self._requests[old]
        self._requests[one.id] = one
        self._waiting.put(one)
        return one.id

    def get_status(self, migration: str, *, wait_s: float = 0.0) -> MigrationStatus:
        """The progress, and the report when the migration is done, after waiting for it for at most `wait_s`.

        Raises `NotFoundError` for an unknown id, and the error that stopped the migration.
        """
        one = self._requests.get(migration)
        if one is None:
            raise NotFoundError("There is no migration with this ID. Its report may have been deleted.")
        is_finished = one.finished.wait(wait_s)
        if one.error is not None:
            raise one.error
        return MigrationStatus(one.message, one.done, one.total, one.report if is_finished else None)

    def _work(self) -> None:
        while (one := self._waiting.get()) is not None:
            try:
                self._run(one)
            except MystiCanvasError as error:
                one.error = error
            except Exception as error:
                log.exception("a migration failed", extra={"path": str(one.path)})
                one.error = LibraryError(f"{one.path} could not be imported because of an unexpected error: {error}")
            finally:
                one.finished.set()

    def _run(self, one: _Request) -> None:
        if archives.is_zip(one.path):
            run = ArchiveImport(
                self._database, self._importing, on_progress=partial(self._set_progress, one), now_ms=self._now_ms
            )
            one.report = run.run(one.path, one.folders, dry_run=one.dry_run)
        else:
            self._migrate(one)

    def _set_progress(self, one: _Request, message: str, done: int, total: int) -> bool:
        one.message, one.done, one.total = message, done, total
        return not self._closing.is_set()

    def _migrate(self, one: _Request) -> None:
        with snapshot_copy.open_foreign_database(one.path, scratch=self._database.folder / "scratch") as source:
            adapter = next((a for a in ADAPTERS if source.read(a.is_gallery)), None)
            if adapter is None:
                raise InvalidInputError(
                    f"{one.path} is not a supported library. Select a DiffusionDesk database or a MystiCanvas archive."
                )
            folders = _find_image_folders(one, source.read(adapter.find_image_folders))
            if not one.dry_run:
                self._import_images(one, folders)
            one.total = source.read(adapter.count_images)
            one.message = "Migrating"
            run = Migration(self._database, source, adapter, folders[0], dry_run=one.dry_run, now_ms=self._now_ms)
            for done in run.migrate_images():
                one.done = done
                if self._closing.is_set():
                    return
            run.migrate_rest()
            one.report = run.report

    def _import_images(self, one: _Request, folders: Sequence[Path]) -> None:
        """Import the image files from where they are, without watching their folders."""
        existing = [str(folder) for folder in folders if folder.is_dir()]
        if not existing:
            return
        one.message = "Importing images"
        started = self._importing.start(existing, watch=False)
        while self._importing.report(started, wait_s=POLL_S) is None:
            progress = self._importing.progress(started)
            one.done, one.total = progress.seen - progress.todo, progress.seen
            if self._closing.is_set():
                return
        one.done = 0


def _find_image_folders(one: _Request, configured: Sequence[str]) -> list[Path]:
    """The image folder: set by the user, else configured in the other program, else beside the database."""
    if one.images is not None:
        return [one.images]
    home = one.path.parent
    candidates = [(home / text).resolve() for text in configured]
    found = [folder for folder in (*candidates, home / "outputs", home.parent / "outputs") if folder.is_dir()]
    return found[:1] or [home / "outputs"]
