"""What the parts of one import share: where it begins, what waits to be read, what it has done."""

import os
import time
from collections import deque
from dataclasses import dataclass, field

from mysticanvas.db.images.files import KnownFile
from mysticanvas.db.images.folders import Root
from mysticanvas.domain.file import Failure, FileStat
from mysticanvas.features.importing.missing import Scope
from mysticanvas.features.importing.types import ImportCounts, ImportState

# Enough that a message costs little beside the files it asks for; few enough that all workers have some.
FILES_PER_TASK = 16
# Paths of each kind of change that a dry run names.
MAX_EXAMPLES = 50


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin: a folder of a root; `recursive` walks its sub-folders too."""

    root: Root
    folder: bytes = b""
    recursive: bool = True


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder to list. `again`: a worker crashed when it was listed."""

    root: Root
    path_bytes: bytes
    recursive: bool
    again: bool = False


@dataclass(frozen=True, slots=True)
class PendingFile:
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

    def add_example(self, what: str, path: str) -> None:
        """An example of what a dry run counts as `what`, which names a count."""
        setattr(self.counts, what, getattr(self.counts, what) + 1)
        if len(some := self.examples.setdefault(what, [])) < MAX_EXAMPLES:
            some.append(path)

    def add_failure(self, root: Root, path_bytes: bytes, reason: str) -> None:
        self.counts.failed += 1
        path = os.path.join(root.path, decode_path(path_bytes)) if path_bytes else root.path
        self.failures.append(Failure(path, reason))


class Queue:
    """The folders and files that wait for a worker."""

    def __init__(self) -> None:
        self.folders: deque[Folder] = deque()
        self.files: deque[PendingFile] = deque()
        # Known paths with other content: looked at when everything new has its row, so that a file that
        # was moved is found before what took its place.
        self.changed: deque[PendingFile] = deque()
        self._unsettled: deque[tuple[float, PendingFile]] = deque()

    def __bool__(self) -> bool:
        return bool(self.folders or self.files or self.changed or self._unsettled)

    def next_files(self) -> list[PendingFile]:
        """As many as one task reads, of one root."""
        batch = [self.files.popleft()]
        while self.files and len(batch) < FILES_PER_TASK and self.files[0].root == batch[0].root:
            batch.append(self.files.popleft())
        return batch

    def take_changed(self) -> None:
        self.files, self.changed = self.changed, deque()

    def put_aside(self, pending: PendingFile, *, for_s: float) -> None:
        """A file that is still being written is read again later."""
        self._unsettled.append((time.monotonic() + for_s, pending))

    def retry_unsettled(self) -> None:
        now_s = time.monotonic()
        while self._unsettled and self._unsettled[0][0] <= now_s:
            self.files.append(self._unsettled.popleft()[1])


class Scopes(dict[int, Scope]):
    """What the run has looked at, by the ids of the roots; a root that is not kept has none."""

    def mark_seen(self, root: Root, row: KnownFile) -> None:
        if root.id is not None:
            self[root.id].seen.add(row.id)

    def mark_seen_anywhere(self, row: KnownFile) -> None:
        for scope in self.values():
            scope.seen.add(row.id)


def decode_path(path_bytes: bytes) -> str:
    """A path for reading: bytes that are no UTF-8 become U+FFFD."""
    return path_bytes.decode("utf-8", "replace")
