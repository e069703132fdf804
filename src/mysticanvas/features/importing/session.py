"""One import: folders are listed, new files read in worker processes, rows committed in batches.

The thread that calls `ImportRun.run` owns all state here; workers answer through one queue. `lister.py` handles
folders, `reader.py` workers, `resolver.py` the files they read, and `batch.py` commits.
"""

from collections.abc import Callable
from threading import Event

from mysticanvas.db.database import Database
from mysticanvas.domain.task import Executor
from mysticanvas.features.importing.batch import Batch
from mysticanvas.features.importing.lister import Lister
from mysticanvas.features.importing.messages import ImagesRead
from mysticanvas.features.importing.reader import Files, Reader, ReadFailure
from mysticanvas.features.importing.resolver import DryCount, Resolver
from mysticanvas.features.importing.tally import Folder, Queue, Scopes, Start, Tally
from mysticanvas.features.importing.types import ImportState
from mysticanvas.fs.scanner import FolderListing

# Listing runs ahead of reading by this much, so that the total is known early but memory stays small.
FILES_AHEAD = 20_000


class ImportRun:
    """`settle_s`: how long an incomplete file must stay unchanged before it counts as damaged.
    `accept`: the user confirmed that files that are not found are missing, no matter how many."""

    def __init__(
        self,
        database: Database,
        executor: Executor,
        starts: list[Start],
        *,
        dry_run: bool,
        accept: bool = False,
        settle_s: float,
        cancelled: Event,
        on_step: Callable[[], None],
        now_ms: Callable[[], int],
    ) -> None:
        self.tally = tally = Tally()
        self._starts = starts
        self._cancelled = cancelled
        self._on_step = on_step
        self._queue = queue = Queue()
        self._batch = batch = Batch(database, tally, dry_run=dry_run, now_ms=now_ms)
        scopes = Scopes()
        self._lister = Lister(
            database, executor, batch, queue, scopes, tally, dry_run=dry_run, accept=accept, now_ms=now_ms
        )
        self._reader = Reader(executor)
        dry = DryCount(database, executor, scopes, tally) if dry_run else None
        self._resolver = Resolver(
            database, executor, batch, queue, scopes, tally, dry=dry, settle_s=settle_s, now_ms=now_ms
        )

    @property
    def todo(self) -> int:
        return self.tally.counts.seen - self.tally.counts.processed

    def run(self) -> None:
        """Import all files. Returns when they are committed, or soon after `cancelled` is set."""
        self._begin()
        while self._has_work() and not self._cancelled.is_set():
            self._submit()
            self._take_answer()
            if self._batch.is_due:
                self._batch.commit()
            self._on_step()
        self._batch.commit()
        if not self._cancelled.is_set():
            self._lister.resolve_missing()

    def _begin(self) -> None:
        self._lister.begin(self._starts)

    def _has_work(self) -> bool:
        return bool(self._queue or self._reader.in_flight or self._resolver.edited)

    def _submit(self) -> None:
        queue, reader = self._queue, self._reader
        queue.retry_unsettled()
        while reader.has_room:
            if queue.folders and len(queue.files) < FILES_AHEAD:
                reader.submit(queue.folders.popleft())
            elif queue.files:
                reader.submit(Files(queue.next_files()))
            elif queue.changed and not reader.in_flight:
                self._batch.commit()
                queue.take_changed()
            elif self._resolver.edited and not reader.in_flight:
                self._resolve_edited()
            else:
                break
        if not queue.folders and self.tally.state is ImportState.LISTING:
            self.tally.state = ImportState.READING

    def _resolve_edited(self) -> None:
        self._batch.commit()
        for found in self._resolver.take_edited():
            if self._cancelled.is_set():
                return
            self._resolver.resolve_known(found)
            self._on_step()

    def _take_answer(self) -> None:
        match self._reader.next_answer():
            case (Folder() as folder, FolderListing() as listing):
                self._lister.classify_files(folder, listing)
            case (Folder() as folder, ReadFailure(reason)):
                self._lister.fail(folder, reason)
            case (Files(pending), ImagesRead(reads)):
                self._resolver.resolve_all(pending, reads)
            case (Files([one]), ReadFailure(reason)):
                self._resolver.fail(one.root, one.stat, reason)
