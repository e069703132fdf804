"""Starts, tracks and cancels imports, one at a time. `session.py` runs a single import."""

import logging
import os
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Literal

from mysticanvas.db import event_log
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import excludes
from mysticanvas.db.images import folders as image_folders
from mysticanvas.db.images.folders import WatchedFolder
from mysticanvas.domain.errors import InvalidInputError, MystiCanvasError, NotFoundError
from mysticanvas.domain.event import ImportDone
from mysticanvas.domain.task import Executor
from mysticanvas.features.importing import missing
from mysticanvas.features.importing.session import ImportRun
from mysticanvas.features.importing.tally import Start, Tally
from mysticanvas.features.importing.types import ImportCounts, ImportProgress, ImportReport, ImportState
from mysticanvas.fs.exclusions import Exclusions, find_library
from mysticanvas.fs.paths import resolve_folder
from mysticanvas.fs.watcher import FolderWatcher
from mysticanvas.http.sse import EventStream
from mysticanvas.settings import Settings

log = logging.getLogger(__name__)

PROGRESS_EVERY_S = 0.25
# How many reports of finished imports are kept.
MAX_REPORTS = 50

Listener = Callable[[ImportProgress], None]


@dataclass(slots=True)
class _Import:
    id: str
    paths: list[str]
    starts: list[Start]
    dry_run: bool
    by_watcher: bool
    accept: bool
    # The event kind in the log.
    kind: str = "scan"
    cancelled: Event = field(default_factory=Event)
    finished: Event = field(default_factory=Event)
    on_end: Listener | None = None
    run: ImportRun | None = None
    started_s: float = field(default_factory=time.monotonic)
    ended_s: float | None = None

    def progress(self) -> ImportProgress:
        seconds = (self.ended_s or time.monotonic()) - self.started_s
        tally = self.run.tally if self.run is not None else Tally()
        todo = self.run.todo if self.run is not None else 0
        rate_per_s = tally.counts.processed / seconds if seconds > 0 else 0.0
        listed = tally.state is not ImportState.LISTING
        return ImportProgress(
            id=self.id,
            state=tally.state,
            folders=self.paths,
            dry_run=self.dry_run,
            todo=todo,
            rate_per_s=rate_per_s,
            eta_s=todo / rate_per_s if listed and rate_per_s > 0 else None,
            seconds=seconds,
            message=tally.message,
            **asdict(tally.counts),
        )


class ImportService:
    """The imports of one library. Each call returns at once; the work is done by one thread.

    `on_progress` is called on that thread, at most four times a second and once at the end. For scans by the watcher,
    it is called only at the end.
    """

    def __init__(
        self,
        database: Database,
        executor: Executor,
        *,
        settle_s: float,
        now_ms: Callable[[], int],
        on_progress: Listener,
        watcher: FolderWatcher,
    ) -> None:
        self._database = database
        self._executor = executor
        self._settle_s = settle_s
        self._now_ms = now_ms
        self._on_progress = on_progress
        self._watcher = watcher
        self._imports: dict[str, _Import] = {}
        self._current: _Import | None = None
        self._waiting: SimpleQueue[_Import | None] = SimpleQueue()
        self._lock = Lock()
        self._reported_s = 0.0
        self._thread = Thread(target=self._work, name="importing")

    def __enter__(self) -> "ImportService":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        with self._lock:
            for one in self._imports.values():
                one.cancelled.set()
        self._thread.join()

    def start(self, paths: Sequence[str], *, dry_run: bool = False, watch: bool = True) -> str:
        """Queue an import of folders and return its ID. A folder inside a known root is imported as part of that root.
        Any other folder becomes a root, which is watched if `watch` is set.

        Raises `InvalidInputError` when a path is not a folder, before anything is changed.
        """
        folders = [resolve_folder(path) for path in paths]
        starts = [self._start_for(folder, dry_run=dry_run, watch=watch) for folder in folders]
        return self._enqueue([str(f) for f in folders], starts, dry_run=dry_run, kind="import")

    def rescan(
        self, root: WatchedFolder, *, accept: bool = False, dry_run: bool = False, on_end: Listener | None = None
    ) -> str:
        """Queue a scan of a whole root and return its ID. `accept`: the user confirmed that files that are not found
        are missing. `on_end` is called on the import thread."""
        return self._enqueue([root.path], [Start(root)], dry_run=dry_run, accept=accept, on_end=on_end)

    def stop_root(self, root: WatchedFolder) -> None:
        """Cancel all imports of a root and stop watching it."""
        with self._lock:
            for one in self._imports.values():
                if any(start.root == root for start in one.starts):
                    one.cancelled.set()
        self._watcher.remove(root.path)

    def start_changed(self, root: WatchedFolder, folders: Sequence[bytes], *, recursive: bool = False) -> str:
        """Queue a scan of changed folders of a root, for the watcher. Returns its ID; that of the same scan if it has
        not begun yet."""
        starts = [Start(root, folder, recursive) for folder in folders]
        with self._lock:
            same = [
                i for i, one in self._imports.items() if one.by_watcher and one.run is None and one.starts == starts
            ]
        if same:
            return same[-1]
        return self._enqueue([root.path], starts, by_watcher=True)

    def progress(self, import_id: str) -> ImportProgress:
        return self._find(import_id).progress()

    def report(self, import_id: str, *, wait_s: float = 0.0) -> ImportReport | None:
        """The report of a finished import; None if it is still running after `wait_s`."""
        one = self._find(import_id)
        if not one.finished.wait(wait_s):
            return None
        progress = one.progress()
        return ImportReport(
            files_seen=progress.seen,
            imported=progress.imported,
            changed=progress.changed,
            unchanged=progress.unchanged,
            moved=progress.moved,
            copies=progress.copies,
            failed=progress.failed,
            missing=progress.missing,
            seconds=progress.seconds,
            failures=list(one.run.tally.failures) if one.run else [],
            offline=list(one.run.tally.offline) if one.run else [],
            examples=dict(one.run.tally.examples) if one.run else {},
            asks=one.run.tally.asks if one.run else False,
            not_shown=dict(one.run.tally.not_shown) if one.run else {},
        )

    def cancel(self, import_id: str) -> None:
        """Cancel an import. Committed files stay; the next import continues with the rest."""
        self._find(import_id).cancelled.set()

    def current(self) -> ImportProgress | None:
        one = self._current
        return one.progress() if one is not None and not one.by_watcher else None

    # -- inside -------------------------------------------------------------------------------

    def _find(self, import_id: str) -> _Import:
        with self._lock:
            one = self._imports.get(import_id)
        if one is None:
            raise NotFoundError("There is no import with this ID. Its report may have been deleted.")
        return one

    def _start_for(self, folder: Path, *, dry_run: bool, watch: bool) -> Start:
        for root in self._database.read(image_folders.list_active):
            if folder == Path(root.path):
                return Start(root)
            if folder.is_relative_to(root.path):
                inside = os.fsencode(folder.relative_to(root.path).as_posix())
                self._refuse_excluded(root, inside)
                return Start(root, inside)
        if (library := find_library(os.fsencode(folder))) is not None:
            raise InvalidInputError(
                f"The folder {folder} is inside the MystiCanvas library folder {os.fsdecode(library)}, which does not "
                "contain your images. Select a folder with images."
            )
        moved = missing.find_moved_root(self._database, folder)
        if moved is not None and not dry_run:
            self._database.write(missing.relocate, moved, folder, now_ms=self._now_ms())
            return self._start_for(folder, dry_run=dry_run, watch=watch)
        if dry_run:
            return Start(WatchedFolder.for_dry_run(str(folder)))
        root = self._database.write(image_folders.add, path=str(folder), watch=watch, now_ms=self._now_ms())
        if watch:
            self._watcher.add(root.path)
        return Start(root)

    def _refuse_excluded(self, root: WatchedFolder, inside: bytes) -> None:
        patterns = self._database.read(excludes.list_patterns, root.id)
        source = Exclusions(os.fsencode(root.path), tuple(patterns)).find_folder_source(inside)
        if source is not None:
            raise InvalidInputError(
                f"The folder {os.fsdecode(inside)} in {root.path} is excluded ({source}), so nothing in it is "
                "imported. If it was excluded by a pattern, remove the pattern."
            )

    def _enqueue(
        self,
        paths: list[str],
        starts: list[Start],
        *,
        dry_run: bool = False,
        by_watcher: bool = False,
        accept: bool = False,
        kind: str = "scan",
        on_end: Listener | None = None,
    ) -> str:
        one = _Import(str(uuid.uuid4()), paths, starts, dry_run, by_watcher, accept, kind, on_end=on_end)
        with self._lock:
            self._imports[one.id] = one
            for old in [i for i, other in self._imports.items() if other.finished.is_set()][:-MAX_REPORTS]:
                del self._imports[old]
        self._waiting.put(one)
        return one.id

    def _work(self) -> None:
        while (one := self._waiting.get()) is not None:
            self._current = one
            try:
                self._run(one)
            except Exception:
                # The next import needs this thread.
                log.exception("the end of an import could not be recorded", extra={"paths": one.paths})
            finally:
                self._current = None
                one.finished.set()
            self._call_on_end(one)

    def _call_on_end(self, one: _Import) -> None:
        if one.on_end is None:
            return
        try:
            one.on_end(one.progress())
        except Exception:
            log.exception("the end of an import could not be reported", extra={"paths": one.paths})

    def _run(self, one: _Import) -> None:
        one.started_s = time.monotonic()
        one.run = run = ImportRun(
            self._database,
            self._executor,
            one.starts,
            dry_run=one.dry_run,
            accept=one.accept,
            settle_s=self._settle_s,
            cancelled=one.cancelled,
            on_step=lambda: self._report_progress(one),
            now_ms=self._now_ms,
        )
        run.tally.state = self._run_to_end(one, run)
        one.ended_s = time.monotonic()
        if not one.dry_run and (not one.by_watcher or _has_changes(run.tally.counts)):
            self._database.write_bulk(_log_end, one, now_ms=self._now_ms())
        self._report_progress(one, always=True)

    def _run_to_end(self, one: _Import, run: ImportRun) -> ImportState:
        try:
            run.run()
        except MystiCanvasError as error:
            run.tally.message = str(error)
            log.exception("import stopped", extra={"paths": one.paths})
            return ImportState.FAILED
        except Exception:
            run.tally.message = "The import stopped because of an internal error. See the log for details."
            log.exception("import stopped because of an internal error", extra={"paths": one.paths})
            return ImportState.FAILED
        run.tally.message = " ".join(run.tally.offline)
        return ImportState.CANCELLED if one.cancelled.is_set() else ImportState.DONE

    def _report_progress(self, one: _Import, *, always: bool = False) -> None:
        now_s = time.monotonic()
        if not always and (one.by_watcher or now_s - self._reported_s < PROGRESS_EVERY_S):
            return
        self._reported_s = now_s
        self._on_progress(one.progress())


def start_importing(
    database: Database,
    workers: Executor,
    watcher: FolderWatcher,
    stream: EventStream,
    settings: Settings,
    now_ms: Callable[[], int],
) -> ImportService:
    """Create the import service. Its progress is sent to all open pages."""
    return ImportService(
        database,
        workers,
        settle_s=settings.settle_s,
        now_ms=now_ms,
        on_progress=lambda progress: stream.publish("import", asdict(progress)),
        watcher=watcher,
    )


def _has_changes(counts: ImportCounts) -> bool:
    return bool(counts.imported or counts.changed or counts.missing)


def _build_event(progress: ImportProgress) -> ImportDone:
    state: Literal["done", "cancelled", "failed"] = "done"
    if progress.state in (ImportState.CANCELLED, ImportState.FAILED):
        state = "cancelled" if progress.state is ImportState.CANCELLED else "failed"
    return ImportDone(
        id=progress.id,
        state=state,
        folders=list(progress.folders),
        imported=progress.imported,
        changed=progress.changed,
        missing=progress.missing,
        failed=progress.failed,
        message=progress.message,
    )


def _log_end(tx: WriteTx, one: _Import, *, now_ms: int) -> None:
    progress = one.progress()
    tx.changes.ended.append(_build_event(progress))
    event_log.append(
        tx,
        level="info" if progress.state is ImportState.DONE else "warning",
        kind=one.kind,
        subject=", ".join(one.paths),
        data={
            "state": progress.state.value,
            "seen": progress.seen,
            "imported": progress.imported,
            "changed": progress.changed,
            "unchanged": progress.unchanged,
            "moved": progress.moved,
            "copies": progress.copies,
            "failed": progress.failed,
            "missing": progress.missing,
            "seconds": round(progress.seconds, 3),
            "message": progress.message,
            "not_shown": dict(one.run.tally.not_shown) if one.run else {},
        },
        now_ms=now_ms,
    )
