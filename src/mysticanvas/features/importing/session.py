"""One import: folders are listed, new files read in worker processes, rows committed in batches.

The thread that calls `ImportRun.run` owns all state here; workers answer through one queue.
"""

import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from threading import Event

from mysticanvas.db.database import Database
from mysticanvas.db.images import failures, files
from mysticanvas.db.images import missing as image_missing
from mysticanvas.db.images.files import KnownFile
from mysticanvas.db.images.folders import Root
from mysticanvas.domain.errors import TaskError, UnreadableFileError, WorkerCrashedError
from mysticanvas.domain.file import Failure, FileStat
from mysticanvas.domain.task import Answer, Executor, Task
from mysticanvas.features.importing import file_identity, missing, record
from mysticanvas.features.importing.messages import (
    FileToRead,
    ImageRead,
    ImagesRead,
    ListFolder,
    NotRead,
    ReadImages,
)
from mysticanvas.features.importing.missing import Scope
from mysticanvas.features.importing.record import Found
from mysticanvas.features.importing.types import ImportCounts, ImportState
from mysticanvas.fs.scanner import FolderListing

TASKS_IN_FLIGHT = 12
# Enough that a message costs little beside the files it asks for; few enough that all workers have some.
FILES_A_TASK = 16
# A person's edit waits behind at most one bulk transaction, and this many rows take some 30 ms.
BATCH_FILES = 150
BATCH_WAIT_S = 0.2
# Listing runs ahead of reading by this much, so that the total is known early but memory stays small.
FILES_AHEAD = 20_000
# Paths of each kind of change that a dry run names.
EXAMPLES = 50


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin: a folder of a root; `recursive` walks its sub-folders too."""

    root: Root
    folder: bytes = b""
    recursive: bool = True


@dataclass(frozen=True, slots=True)
class _Folder:
    root: Root
    path_bytes: bytes
    recursive: bool
    again: bool = False


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file to read. `known` is its row when the path is known with other content.
    `since_s` is when this content was first seen incomplete, None before."""

    root: Root
    stat: FileStat
    sidecars: list[bytes]
    known: KnownFile | None
    since_s: float | None = None


@dataclass(slots=True)
class Tally:
    """What a run has done so far; read by other threads, written by its own."""

    state: ImportState = ImportState.LISTING
    counts: ImportCounts = field(default_factory=ImportCounts)
    failures: list[Failure] = field(default_factory=list)
    offline: list[str] = field(default_factory=list)
    examples: dict[str, list[str]] = field(default_factory=dict)
    asks: bool = False
    message: str = ""

    def note(self, what: str, path: str) -> None:
        """An example of what a dry run counts as `what`, which names a count."""
        setattr(self.counts, what, getattr(self.counts, what) + 1)
        if len(some := self.examples.setdefault(what, [])) < EXAMPLES:
            some.append(path)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Files of one root that are read by one task."""

    wanted: list[_Wanted]
    again: bool = False


_Origin = _Folder | _Batch


def _task_of(origin: _Origin) -> Task:
    if isinstance(origin, _Folder):
        return ListFolder(os.fsencode(origin.root.path), origin.path_bytes)
    asked = [FileToRead(wanted.stat.path_bytes, wanted.sidecars) for wanted in origin.wanted]
    return ReadImages(os.fsencode(origin.wanted[0].root.path), asked)


class ImportRun:
    """`settle_s`: how long an incomplete file must stay unchanged before it counts as damaged.
    `accept`: a person has said that what is not found is gone, however much it is."""

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
        self.tally = Tally()
        self._database = database
        self._executor = executor
        self._dry_run = dry_run
        self._accept = accept
        self._settle_s = settle_s
        self._cancelled = cancelled
        self._on_step = on_step
        self._now_ms = now_ms
        self._starts = starts
        self._folders: deque[_Folder] = deque()
        self._scopes: dict[int, Scope] = {}
        self._files: deque[_Wanted] = deque()
        # Known paths with other content: looked at when everything new has its row, so that a file that
        # was moved is found before what took its place.
        self._changed: deque[_Wanted] = deque()
        # Those of them whose content nothing is known of: edited in place, unless what was there turns out to
        # have moved to the place of another. So they come last.
        self._edited: list[Found] = []
        self._found_again: list[KnownFile] = []
        self._unsettled: deque[tuple[float, _Wanted]] = deque()
        self._answers: SimpleQueue[tuple[_Origin, Future[Answer]]] = SimpleQueue()
        self._in_flight = 0
        self._ready: list[Found] = []
        self._ready_fingerprints: set[bytes] = set()
        # Of the files that are being settled: those that the database has.
        self._known_prints: set[bytes] = set()
        # Of a dry run: files that it met at another place.
        self._moved: set[int] = set()
        self._failed: list[record.Failed] = []
        self._committed_at_s = time.monotonic()

    @property
    def todo(self) -> int:
        return self.tally.counts.seen - self.tally.counts.settled

    def run(self) -> None:
        """Returns when every file found is committed, or soon after `cancelled` is set."""
        self._begin()
        while self._has_work() and not self._cancelled.is_set():
            self._submit()
            self._take_answer()
            ready = len(self._ready) + len(self._failed) + len(self._found_again)
            if ready >= BATCH_FILES or self._waited_long():
                self._commit()
            self._on_step()
        self._commit()
        if not self._cancelled.is_set():
            self._settle_missing()

    def _begin(self) -> None:
        """Roots that are away are left out, with everything in them."""
        last_file_id = self._database.read(files.last_id)
        for start in self._starts:
            if start.root.id is not None and start.root.id not in self._scopes:
                why = None if self._accept else missing.why_offline(self._database, self._executor, start.root)
                if why is not None:
                    self.tally.message = why
                    self.tally.offline.append(why)
                    if not self._dry_run:
                        missing.note_offline(self._database, start.root, why, now_ms=self._now_ms())
                    continue
                self._scopes[start.root.id] = Scope(start.root, last_file_id)
            if start.root.id is None or start.root.id in self._scopes:
                self._folders.append(_Folder(start.root, start.folder, start.recursive))
                self._note_scope(start)

    def _note_scope(self, start: Start) -> None:
        if start.root.id is not None:
            scope = self._scopes[start.root.id]
            if start.recursive:
                scope.trees.append(start.folder)
            else:
                scope.folders.add(start.folder)

    def _settle_missing(self) -> None:
        for scope in self._scopes.values():
            if self._dry_run:
                self._look_for_missing(scope)
            else:
                self.tally.counts.missing += missing.settle(
                    self._database, self._executor, scope, accept=self._accept, now_ms=self._now_ms()
                )

    def _look_for_missing(self, scope: Scope) -> None:
        lost = missing.lost_in(self._database, scope)
        self.tally.counts.missing += len(lost)
        self.tally.asks = self.tally.asks or missing.brakes(self._database, scope.root, lost)
        some = self.tally.examples.setdefault("missing", [])
        paths = self._database.read(image_missing.paths_of, lost[: EXAMPLES - len(some)])
        some += [os.path.join(scope.root.path, path) for path in paths]

    def _has_work(self) -> bool:
        return bool(self._folders or self._files or self._in_flight or self._unsettled or self._changed or self._edited)

    def _waited_long(self) -> bool:
        return time.monotonic() - self._committed_at_s > BATCH_WAIT_S

    # -- asking the workers -------------------------------------------------------------------

    def _submit(self) -> None:
        self._retry_unsettled()
        while self._in_flight < TASKS_IN_FLIGHT:
            if self._folders and len(self._files) < FILES_AHEAD:
                self._ask(self._folders.popleft())
            elif self._files:
                self._ask(_Batch(self._next_batch()))
            elif self._changed and not self._in_flight:
                self._commit()
                self._files, self._changed = self._changed, deque()
            elif self._edited and not self._in_flight:
                self._settle_edited()
            else:
                break
        if not self._folders and self.tally.state is ImportState.LISTING:
            self.tally.state = ImportState.READING

    def _settle_edited(self) -> None:
        self._commit()
        edited, self._edited = self._edited, []
        for found in edited:
            if self._cancelled.is_set():
                return
            self._settle_known(found)
            self._on_step()

    def _next_batch(self) -> list[_Wanted]:
        batch = [self._files.popleft()]
        while self._files and len(batch) < FILES_A_TASK and self._files[0].root == batch[0].root:
            batch.append(self._files.popleft())
        return batch

    def _ask(self, origin: _Origin) -> None:
        self._in_flight += 1
        future = self._executor.submit(_task_of(origin), urgent=True)
        future.add_done_callback(lambda done: self._answers.put((origin, done)))

    def _retry_unsettled(self) -> None:
        now_s = time.monotonic()
        while self._unsettled and self._unsettled[0][0] <= now_s:
            self._files.append(self._unsettled.popleft()[1])

    def _take_answer(self) -> None:
        try:
            origin, future = self._answers.get(timeout=0.1)
        except Empty:
            return
        self._in_flight -= 1
        try:
            answer = future.result()
        except TaskError as error:
            self._fail(origin, error)
            return
        if isinstance(origin, _Folder) and isinstance(answer, FolderListing):
            self._sort_out(origin, answer)
        elif isinstance(origin, _Batch) and isinstance(answer, ImagesRead):
            self._settle_all(origin.wanted, answer.reads)

    # -- folders ------------------------------------------------------------------------------

    def _sort_out(self, folder: _Folder, listing: FolderListing) -> None:
        """Tell the new and changed files of a folder from those already known."""
        if folder.recursive:
            self._folders.extend(_Folder(folder.root, path, True) for path in listing.folders)
        paths = [stat.path_bytes for stat in listing.images]
        known = self._database.read(files.known, root_id=folder.root.id, paths=paths)
        failed = self._database.read(failures.known, root_id=folder.root.id, paths=paths)
        beside = _by_stem(listing.sidecars)
        self.tally.counts.seen += len(listing.images)
        for stat in listing.images:
            row = known.get(stat.path_bytes)
            failure = failed.get(stat.path_bytes)
            if row is not None and (row.bytes, row.mtime_ns) == (stat.bytes, stat.mtime_ns):
                self._count_unchanged(folder.root, row)
            elif failure is not None and (failure.bytes, failure.mtime_ns) == (stat.bytes, stat.mtime_ns):
                self._count_failure(folder.root, stat.path_bytes, failure.reason)
            else:
                wanted = _Wanted(folder.root, stat, beside.get(_stem(stat.path_bytes), []), row)
                (self._files if row is None else self._changed).append(wanted)

    def _count_unchanged(self, root: Root, row: KnownFile) -> None:
        self.tally.counts.unchanged += 1
        self._met(root, row)
        if row.missing_at is not None:
            self._found_again.append(row)

    def _met(self, root: Root, row: KnownFile) -> None:
        if root.id is not None:
            self._scopes[root.id].seen.add(row.id)

    # -- files --------------------------------------------------------------------------------

    def _settle_all(self, batch: list[_Wanted], reads: list[ImageRead | NotRead]) -> None:
        self._files.extendleft(reversed(batch[len(reads) :]))
        prints = [read.fingerprint for read in reads if isinstance(read, ImageRead)]
        self._known_prints = self._database.read(files.known_fingerprints, prints)
        for wanted, read in zip(batch, reads, strict=False):
            if isinstance(read, NotRead):
                self._fail_file(wanted.root, wanted.stat, read.reason)
            else:
                self._settle(wanted, read)

    def _settle(self, wanted: _Wanted, read: ImageRead) -> None:
        if not read.complete and self._may_still_grow(wanted, read):
            return
        found = Found(root=wanted.root, read=read, known=wanted.known)
        if self._dry_run:
            self._count_dry(found)
            return
        if read.fingerprint in self._ready_fingerprints:
            self._commit()
        if wanted.known is not None and read.fingerprint not in self._known_prints:
            self._edited.append(found)
            return
        if read.fingerprint in self._known_prints:
            self._commit()
            self._settle_known(found)
            return
        self._ready.append(found)
        self._ready_fingerprints.add(read.fingerprint)

    def _may_still_grow(self, wanted: _Wanted, read: ImageRead) -> bool:
        """Put an incomplete file aside while somebody may still be writing it."""
        now_s = time.time()
        age_s = now_s - read.stat.mtime_ns / 1e9
        same = wanted.since_s is not None and read.stat == wanted.stat
        since_s = wanted.since_s if same and wanted.since_s is not None else now_s
        if age_s < 0 or age_s >= self._settle_s or now_s - since_s >= self._settle_s:
            return False
        again = _Wanted(wanted.root, read.stat, wanted.sidecars, wanted.known, since_s)
        wait_s = min(1.0, self._settle_s)
        self._unsettled.append((time.monotonic() + wait_s, again))
        self.tally.message = "Waiting for files that are still being written."
        return True

    def _settle_known(self, found: Found) -> None:
        """The path or the fingerprint is known: identity is decided by the whole content."""
        try:
            outcome = file_identity.settle(self._database, self._executor, found, now_ms=self._now_ms())
        except (TaskError, UnreadableFileError) as error:
            self._fail_file(found.root, found.read.stat, str(error))
            return
        counts = self.tally.counts
        match outcome:
            case file_identity.Outcome.IMPORTED:
                counts.imported += 1
            case file_identity.Outcome.CHANGED:
                counts.changed += 1
            case file_identity.Outcome.UNCHANGED:
                counts.unchanged += 1
            case file_identity.Outcome.MOVED:
                counts.moved += 1
            case file_identity.Outcome.COPY:
                counts.copies += 1
        self._known_prints.add(found.read.fingerprint)
        path = found.read.stat.path_bytes
        for row in self._database.read(files.known, root_id=found.root.id, paths=[path]).values():
            self._met(found.root, row)

    def _count_dry(self, found: Found) -> None:
        """As `identity.settle` would decide, without hashing anything."""
        fingerprint, here = found.read.fingerprint, found.known
        path = os.path.join(found.root.path, shown(found.read.stat.path_bytes))
        if here is not None and here.fingerprint == fingerprint:
            self.tally.counts.unchanged += 1
            self._met(found.root, here)
        elif (left := self._left(fingerprint)) is not None:
            self.tally.note("moved", path)
            self._met_anywhere(left)
        elif here is not None:
            self.tally.note("changed", path)
            self._met(found.root, here)
        elif fingerprint in self._ready_fingerprints or fingerprint in self._known_prints:
            self.tally.note("copies", path)
        else:
            self.tally.note("imported", path)
        self._ready_fingerprints.add(fingerprint)

    def _left(self, fingerprint: bytes) -> KnownFile | None:
        """A file of this content that is no longer where it was, and was not met elsewhere in this run."""
        if fingerprint not in self._known_prints:
            return None
        for candidate in self._database.read(files.with_fingerprint, fingerprint):
            if candidate.id not in self._moved and file_identity.seems_moved(candidate):
                return candidate
        return None

    def _met_anywhere(self, file: KnownFile) -> None:
        self._moved.add(file.id)
        for scope in self._scopes.values():
            scope.seen.add(file.id)

    # -- failures -----------------------------------------------------------------------------

    def _fail(self, origin: _Origin, error: TaskError) -> None:
        if isinstance(origin, _Batch) and len(origin.wanted) > 1:
            # One of them is to blame: each is asked for alone.
            for wanted in origin.wanted:
                self._ask(_Batch([wanted]))
        elif isinstance(error, WorkerCrashedError) and not origin.again:
            # A worker that was killed, for want of memory or by hand, says nothing of what it was at.
            self._ask(replace(origin, again=True))
        elif isinstance(origin, _Folder):
            self._fail_folder(origin, str(error))
        else:
            self._fail_file(origin.wanted[0].root, origin.wanted[0].stat, str(error))

    def _fail_folder(self, folder: _Folder, reason: str) -> None:
        """A folder that is gone is no failure: what was in it is missing. Another says nothing about
        what is in it."""
        path = os.path.join(os.fsencode(folder.root.path), folder.path_bytes)
        if os.path.isdir(folder.root.path) and not os.path.lexists(path):
            return
        if folder.root.id is not None:
            self._scopes[folder.root.id].unlisted.add(folder.path_bytes)
        self.tally.counts.seen += 1
        self._count_failure(folder.root, folder.path_bytes, reason)

    def _fail_file(self, root: Root, stat: FileStat, reason: str) -> None:
        self._count_failure(root, stat.path_bytes, reason)
        self._failed.append(record.Failed(root, stat, reason))

    def _count_failure(self, root: Root, path_bytes: bytes, reason: str) -> None:
        self.tally.counts.failed += 1
        path = os.path.join(root.path, shown(path_bytes)) if path_bytes else root.path
        self.tally.failures.append(Failure(path, reason))

    # -- committing ---------------------------------------------------------------------------

    def _commit(self) -> None:
        self._committed_at_s = time.monotonic()
        if self._dry_run:
            return
        if self._found_again:
            self._database.write_bulk(record.found_again, self._found_again, now_ms=self._now_ms())
            self._found_again = []
        if not (self._ready or self._failed):
            return
        self._database.write_bulk(record.take_in, self._ready, self._failed, now_ms=self._now_ms())
        self.tally.counts.imported += len(self._ready)
        self._ready, self._failed = [], []
        self._known_prints |= self._ready_fingerprints
        self._ready_fingerprints.clear()


def shown(path_bytes: bytes) -> str:
    """A path for reading: bytes that are no UTF-8 become U+FFFD."""
    return path_bytes.decode("utf-8", "replace")


def _stem(path_bytes: bytes) -> bytes:
    folder, _, name = path_bytes.rpartition(b"/")
    return folder + b"/" + name.rpartition(b".")[0]


def _by_stem(sidecars: list[bytes]) -> dict[bytes, list[bytes]]:
    """Sidecar paths under the stem of the image they may belong to: `a.json` and `a.png.json`
    both belong to `a.png`."""
    beside: dict[bytes, list[bytes]] = {}
    for path in sidecars:
        stem = _stem(path)
        beside.setdefault(stem, []).append(path)
        if b"." in stem.rpartition(b"/")[2]:
            beside.setdefault(_stem(stem), []).append(path)
    return beside
