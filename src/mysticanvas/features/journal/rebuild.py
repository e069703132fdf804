"""A library is made again from its folders and its journal, when its database is gone.

Folders are imported as ever; then every image that the journal knows gets back its name and what the
person wrote, told by its content. Nothing is half done for good: a rebuild that was broken off begins
again and finds what it had done.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

from mysticanvas import __version__
from mysticanvas.db import event_log
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import folders as image_folders
from mysticanvas.domain.errors import ConflictError, InvalidInputError, LibraryError, MystiCanvasError
from mysticanvas.edits import changesets as edit_changesets
from mysticanvas.edits import derived
from mysticanvas.edits.kinds import recorded_tables
from mysticanvas.features.importing.service import Importing
from mysticanvas.features.journal import files as journal_files
from mysticanvas.features.journal import queries, rebuild_queries, service
from mysticanvas.features.journal.files import Journal
from mysticanvas.features.journal.queries import Thing
from mysticanvas.features.journal.rebuild_queries import Ids

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH_IMAGES = 100
POLL_S = 0.5
JOURNAL_WAIT_S = 60.0


@dataclass(slots=True)
class RebuildReport:
    """`absent`: images whose files are not there; they are marked missing, with all that was written.
    `unread`: damaged lines of the journal."""

    images: int = 0
    absent: int = 0
    tags: int = 0
    collections: int = 0
    templates: int = 0
    folders: int = 0
    unread: int = 0


class Rebuilding:
    """One rebuild at a time, on a thread of its own. A context manager."""

    def __init__(self, database: Database, importing: Importing, *, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._importing = importing
        self._now_ms = now_ms
        self._closing = Event()
        self._over = Event()
        self._thread: Thread | None = None
        self._error: MystiCanvasError | None = None
        self._report: RebuildReport | None = None
        self._message, self._done, self._total = "Waiting", 0, 0

    def __enter__(self) -> "Rebuilding":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def waiting(self) -> list[str]:
        """The libraries whose journals lie here, beside this library's own."""
        own = self._database.read(queries.library_of)
        return [library for library in journal_files.journals(self._folder) if library != own]

    def start(self) -> None:
        """Raises `ConflictError` while one goes on, `InvalidInputError` where there is no journal."""
        if self._thread is not None and self._thread.is_alive():
            raise ConflictError("The library is being rebuilt already.")
        if not self.waiting():
            raise InvalidInputError(f"There is no journal of another library in {self._folder}.")
        self._over.clear()
        self._error, self._report = None, RebuildReport()
        self._thread = Thread(target=self._work, name="rebuilding")
        self._thread.start()

    def follow(self, *, wait_s: float = 0.0) -> dict[str, Any]:
        """Progress, and the report once it is over. Raises what ended it."""
        over = self._thread is not None and self._over.wait(wait_s)
        if self._error is not None:
            raise self._error
        report = asdict(self._report) if over and self._report is not None else None
        return {"message": self._message, "done": self._done, "total": self._total, "report": report}

    # -- the thread ---------------------------------------------------------------------------

    @property
    def _folder(self) -> Path:
        return self._database.folder / journal_files.FOLDER

    def _work(self) -> None:
        try:
            # Its own name first: until it has one, the newest journal could be taken for an old one.
            service.catch_up(self._database, wait_s=JOURNAL_WAIT_S)
            for library, files in journal_files.journals(self._folder).items():
                if library != self._database.read(queries.library_of) and not self._closing.is_set():
                    self._rebuild(library, journal_files.read(files))
        except MystiCanvasError as error:
            self._error = error
        except OSError as error:
            self._error = LibraryError(f"The journal could not be read: {error}")
        except Exception as error:
            log.exception("a rebuild stopped by a fault")
            self._error = LibraryError(f"The library could not be rebuilt: {error}")
        finally:
            self._over.set()

    def _rebuild(self, library: str, written: Journal) -> None:
        assert self._report is not None
        ids = Ids()
        self._message = "Reading the journal"
        self._database.write_bulk(recorded, lambda tx: _add_vocabulary(tx, written, ids))
        self._report.unread += written.unread
        self._report.tags += len(ids.tags)
        self._report.collections += len(ids.collections)
        self._report.templates += written.count("template")
        self._import()
        self._add_images(written, ids)
        if self._closing.is_set():
            return
        self._database.write_bulk(recorded, lambda tx: _link(tx, written))
        self._database.write_bulk(_tell, self._report, now_ms=self._now_ms())
        service.catch_up(self._database, wait_s=JOURNAL_WAIT_S)
        journal_files.set_aside(self._folder, library)

    def _import(self) -> None:
        """Every folder that is there; one that is not is offline, and its images wait for it."""
        assert self._report is not None
        for root in self._database.read(image_folders.all_roots):
            self._message = f"Importing {root.path}"
            self._report.folders += 1
            started = self._importing.rescan(root)
            while self._importing.report(started, wait_s=POLL_S) is None:
                progress = self._importing.progress(started)
                self._done, self._total = progress.seen - progress.todo, progress.seen
                if self._closing.is_set():
                    return

    def _add_images(self, written: Journal, ids: Ids) -> None:
        self._message = "Giving back what you wrote"
        self._done, self._total = 0, written.count("image")
        some: list[Thing] = []
        for one in written.things("image"):
            some.append(one)
            if len(some) == BATCH_IMAGES:
                self._add_some(some, ids)
                some = []
            if self._closing.is_set():
                return
        self._add_some(some, ids)

    def _add_some(self, some: Sequence[Thing], ids: Ids) -> None:
        assert self._report is not None
        now_ms = self._now_ms()
        self._report.absent += self._database.write_bulk(
            recorded, lambda tx: rebuild_queries.add_images(tx, some, ids, app_version=__version__, now_ms=now_ms)
        )
        self._report.images += len(some)
        self._done += len(some)


def recorded(tx: WriteTx, change: Callable[[WriteTx], T]) -> T:
    """What is derived follows, as it follows a deed."""
    with edit_changesets.recording(tx, recorded_tables()) as recorded:
        result = change(tx)
    if recorded.changeset:
        derived.update(tx, edit_changesets.changes_in(tx, recorded.changeset, inverted=False))
    return result


def _add_vocabulary(tx: WriteTx, written: Journal, ids: Ids) -> None:
    """Before the folders are imported, so that tags of prompts find the tags that the person made of them."""
    rebuild_queries.add_by_name(tx, written.things(*rebuild_queries.BY_NAME))
    rebuild_queries.add_tags(tx, list(written.things("tag")), ids)
    rebuild_queries.add_collections(tx, list(written.things("collection")), ids)
    rebuild_queries.add_templates(tx, written.things("template"))


def _link(tx: WriteTx, written: Journal) -> None:
    rebuild_queries.link_parents(tx, written.things("image"))
    rebuild_queries.show_images(tx, written.things("collection"), written.things("template"))


def _tell(tx: WriteTx, report: RebuildReport, *, now_ms: int) -> None:
    event_log.append(tx, level="info", kind="rebuild", subject=None, data=asdict(report), now_ms=now_ms)
