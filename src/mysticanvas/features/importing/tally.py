"""State that the parts of an import share: start folders, queues, counts and scanned scopes."""

import os
import time
from collections import deque
from dataclasses import dataclass, field

from mysticanvas.db.images.files import KnownFile
from mysticanvas.db.images.folders import WatchedFolder
from mysticanvas.domain.file import Failure, FileStat
from mysticanvas.features.importing.missing import Scope
from mysticanvas.features.importing.types import ImportCounts, ImportState

# Enough that the message costs little compared to its files, and few enough to keep all workers busy.
FILES_PER_TASK = 16
# How many paths a dry run lists per kind of change.
MAX_EXAMPLES = 50


@dataclass(frozen=True, slots=True)
class Start:
    """A folder of a root where the import starts; `recursive` includes its subfolders."""

    root: WatchedFolder
    folder: bytes = b""
    recursive: bool = True


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder to list, with the exclude patterns of its root. `again`: this is a retry after a worker crash."""

    root: WatchedFolder
    path_bytes: bytes
    recursive: bool
    excludes: tuple[str, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class PendingFile:
    """A file to read. `known` is the row of its path if the file has changed, None for a new path. `since_s` is when
    the file was first found incomplete, None before."""

    root: WatchedFolder
    stat: FileStat
    sidecars: list[bytes]
    known: KnownFile | None
    since_s: float | None = None


@dataclass(slots=True)
class Tally:
    """The progress of an import. Written by its own thread, read by others."""

    state: ImportState = ImportState.LISTING
    counts: ImportCounts = field(default_factory=ImportCounts)
    failures: list[Failure] = field(default_factory=list)
    offline: list[str] = field(default_factory=list)
    examples: dict[str, list[str]] = field(default_factory=dict)
    not_shown: dict[str, int] = field(default_factory=dict)
    asks: bool = False
    message: str = ""

    def add_example(self, what: str, path: str) -> None:
        """Increase the count named `what`, and keep `path` as an example in a dry run."""
        setattr(self.counts, what, getattr(self.counts, what) + 1)
        if len(some := self.examples.setdefault(what, [])) < MAX_EXAMPLES:
            some.append(path)

    def add_failure(self, root: WatchedFolder, path_bytes: bytes, reason: str) -> None:
        self.counts.failed += 1
        path = os.path.join(root.path, decode_path(path_bytes)) if path_bytes else root.path
        self.failures.append(Failure(path, reason))


class Queue:
    """The folders and files that wait for a worker."""

    def __init__(self) -> None:
        self.folders: deque[Folder] = deque()
        self.files: deque[PendingFile] = deque()
        # Known paths with new content. They are read after all new files have rows, so that a moved file is found
        # before the file that replaced it.
        self.changed: deque[PendingFile] = deque()
        self._unsettled: deque[tuple[float, PendingFile]] = deque()

    def __bool__(self) -> bool:
        return bool(self.folders or self.files or self.changed or self._unsettled)

    def next_files(self) -> list[PendingFile]:
        """The files for the next task, all from one root."""
        batch = [self.files.popleft()]
        while self.files and len(batch) < FILES_PER_TASK and self.files[0].root == batch[0].root:
            batch.append(self.files.popleft())
        return batch

    def take_changed(self) -> None:
        self.files, self.changed = self.changed, deque()

    def put_aside(self, pending: PendingFile, *, for_s: float) -> None:
        """Read a file again later, because it is still being written."""
        self._unsettled.append((time.monotonic() + for_s, pending))

    def retry_unsettled(self) -> None:
        now_s = time.monotonic()
        while self._unsettled and self._unsettled[0][0] <= now_s:
            self.files.append(self._unsettled.popleft()[1])


class Scopes(dict[int, Scope]):
    """What an import has scanned, by root ID. A root that is not stored (dry run) has no scope."""

    def mark_seen(self, root: WatchedFolder, row: KnownFile) -> None:
        if root.id is not None:
            self[root.id].seen.add(row.id)

    def mark_seen_anywhere(self, row: KnownFile) -> None:
        for scope in self.values():
            scope.seen.add(row.id)


def decode_path(path_bytes: bytes) -> str:
    """A path for display. Bytes that are not UTF-8 become U+FFFD."""
    return path_bytes.decode("utf-8", "replace")
