"""Other galleries come over, and whole libraries of our own: one door, and an adapter for each kind of gallery.

An image that came over once is left alone from then on, so a second import changes nothing. Whether its
file is here is asked again, so that images whose files came later find theirs.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from mysticanvas.db import snapshot_copy
from mysticanvas.db.database import Database
from mysticanvas.domain.errors import InvalidInputError, LibraryError, MystiCanvasError, NotFoundError
from mysticanvas.features.archive.service import WholeImport, WholeReport
from mysticanvas.features.importing.service import Importing
from mysticanvas.features.migrate import diffusion_desk_queries
from mysticanvas.features.migrate.record import TakeOver
from mysticanvas.features.migrate.types import LibraryReport
from mysticanvas.fs import archives
from mysticanvas.fs.paths import file_named, folder_named

log = logging.getLogger(__name__)

POLL_S = 0.5
REPORTS_KEPT = 20
# An adapter is a module of the store with the functions of `diffusion_desk`; the first that knows a file reads it.
ADAPTERS = (diffusion_desk_queries,)


@dataclass(slots=True)
class _Asked:
    id: str
    path: Path
    images: Path | None
    dry_run: bool
    folders: Mapping[str, str]
    over: threading.Event = field(default_factory=threading.Event)
    report: LibraryReport | WholeReport | None = None
    error: MystiCanvasError | None = None
    message: str = "Waiting"
    done: int = 0
    total: int = 0


class LibraryImporting:
    """Take-overs, one at a time, on a thread of their own. A context manager."""

    def __init__(self, database: Database, importing: Importing, *, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._importing = importing
        self._now_ms = now_ms
        self._all: dict[str, _Asked] = {}
        self._waiting: SimpleQueue[_Asked | None] = SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="taking-over")

    def __enter__(self) -> "LibraryImporting":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._waiting.put(None)
        self._thread.join()

    def start(self, path: str, *, images: str | None, dry_run: bool, folders: Mapping[str, str]) -> str:
        """Queue a take-over of the database or the export at `path`. `images` is where the images of the one
        are, if it is not plain; `folders` where those of the other are now. Raises `InvalidInputError` where
        there is no such file or folder."""
        file = file_named(path)
        folder = folder_named(images) if images else None
        one = _Asked(str(uuid.uuid4()), file, folder, dry_run, folders)
        for old in [i for i, other in self._all.items() if other.over.is_set()][:-REPORTS_KEPT]:
            del self._all[old]
        self._all[one.id] = one
        self._waiting.put(one)
        return one.id

    def follow(self, take_over: str, *, wait_s: float = 0.0) -> dict[str, Any]:
        """Progress, and the report once it is over. Raises `NotFoundError`, and what ended it."""
        one = self._all.get(take_over)
        if one is None:
            raise NotFoundError("There is no such take-over; its report may be gone.")
        over = one.over.wait(wait_s)
        if one.error is not None:
            raise one.error
        report = asdict(one.report) if over and one.report is not None else None
        return {"message": one.message, "done": one.done, "total": one.total, "report": report}

    def _work(self) -> None:
        while (one := self._waiting.get()) is not None:
            try:
                self._take_in(one)
            except MystiCanvasError as error:
                one.error = error
            except Exception as error:
                log.exception("a take-over stopped by a fault", extra={"path": str(one.path)})
                one.error = LibraryError(f"{one.path} could not be taken over: {error}")
            finally:
                one.over.set()

    def _take_in(self, one: _Asked) -> None:
        if archives.is_zip(one.path):
            run = WholeImport(self._database, self._importing, say=partial(self._say, one), now_ms=self._now_ms)
            one.report = run.run(one.path, one.folders, dry_run=one.dry_run)
        else:
            self._take_over(one)

    def _say(self, one: _Asked, message: str, done: int, total: int) -> bool:
        one.message, one.done, one.total = message, done, total
        return not self._closing.is_set()

    def _take_over(self, one: _Asked) -> None:
        with snapshot_copy.opened(one.path, scratch=self._database.folder / "scratch") as source:
            adapter = next((a for a in ADAPTERS if source.read(a.is_one)), None)
            if adapter is None:
                raise InvalidInputError(f"{one.path} is no gallery that MystiCanvas knows.")
            folders = _image_folders(one, source.read(adapter.image_folders))
            if not one.dry_run:
                self._import_images(one, folders)
            one.total = source.read(adapter.count)
            one.message = "Taking over"
            run = TakeOver(self._database, source, adapter, folders[0], dry_run=one.dry_run, now_ms=self._now_ms)
            for done in run.images():
                one.done = done
                if self._closing.is_set():
                    return
            run.rest()
            one.report = run.report

    def _import_images(self, one: _Asked, folders: Sequence[Path]) -> None:
        """The images themselves come in as any others do, read where they are."""
        there = [str(folder) for folder in folders if folder.is_dir()]
        if not there:
            return
        one.message = "Importing its images"
        started = self._importing.start(there, watch=False)
        while self._importing.report(started, wait_s=POLL_S) is None:
            progress = self._importing.progress(started)
            one.done, one.total = progress.seen - progress.todo, progress.seen
            if self._closing.is_set():
                return
        one.done = 0


def _image_folders(one: _Asked, said: Sequence[str]) -> list[Path]:
    """Where the images may be: as the person says; else as the gallery says; else beside the database."""
    if one.images is not None:
        return [one.images]
    home = one.path.parent
    named = [(home / text).resolve() for text in said]
    found = [folder for folder in (*named, home / "outputs", home.parent / "outputs") if folder.is_dir()]
    return found[:1] or [home / "outputs"]
