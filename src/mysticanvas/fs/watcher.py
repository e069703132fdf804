"""Watches folders. Events are hints to scan a folder; a scan determines what changed.

Each folder has a thread of its own, so a folder that cannot be watched disturbs no other. Such a folder is scanned from
time to time instead.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchfiles import watch

from mysticanvas.fs.exclusions import LIBRARY_DATABASE

log = logging.getLogger(__name__)

DEBOUNCE_MS = 400
STEP_MS = 100
CHECK_MS = 1_000
# How often a folder is scanned that cannot be watched, and how often watching it is tried again.
RETRY_S = 120.0
_LIBRARY_DATABASE = LIBRARY_DATABASE.decode()


@dataclass(frozen=True, slots=True)
class Hint:
    """Something changed in `folder`, relative to `root`. `recursive`: the folder itself may be new."""

    root: str
    folder: bytes
    recursive: bool


@dataclass(frozen=True, slots=True)
class Listeners:
    """Called on the thread of a folder: `on_change` with the hints of a batch of events, `on_failure` with the folder
    and the reason why it cannot be watched, once for each reason."""

    on_change: Callable[[list[Hint]], None]
    on_failure: Callable[[str, str], None]


class FolderWatcher:
    """Watches nothing until it is started. A context manager, which ends the watching.

    A folder that cannot be watched (too many folders, a network drive, a file name that is not UTF-8) is scanned every
    `retry_s` seconds.
    """

    def __init__(self, *, retry_s: float = RETRY_S) -> None:
        self._retry_s = retry_s
        self._listeners: Listeners | None = None
        self._watches: dict[str, _Watch] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "FolderWatcher":
        return self

    def start(self, listeners: Listeners) -> None:
        with self._lock:
            self._listeners = listeners
            for one in self._watches.values():
                one.start(listeners)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            watches, self._watches, self._listeners = list(self._watches.values()), {}, None
        for one in watches:
            one.stop()
        for one in watches:
            one.join()

    def add(self, root: str) -> None:
        """Start watching a folder."""
        with self._lock:
            if root not in self._watches:
                self._watches[root] = one = _Watch(root, self._retry_s)
                if self._listeners is not None:
                    one.start(self._listeners)

    def remove(self, root: str) -> None:
        """Stop watching a folder."""
        with self._lock:
            one = self._watches.pop(root, None)
        if one is not None:
            one.stop()

    def is_watching(self, root: str) -> bool:
        """Whether changes in the folder are noticed as they happen."""
        one = self._watches.get(root)
        return one is not None and one.is_watching and os.path.isdir(root)

    def find_failure(self, root: str) -> str | None:
        """Why the folder is scanned from time to time instead of being watched."""
        one = self._watches.get(root)
        return one.failure if one is not None else None


class _Watch:
    """One folder. `failure` is why it is not watched now."""

    def __init__(self, root: str, retry_s: float) -> None:
        self.failure: str | None = None
        self._root = root
        self._retry_s = retry_s
        self._stop = threading.Event()
        self._reported: set[str] = set()
        self._thread: threading.Thread | None = None

    def start(self, listeners: Listeners) -> None:
        self._thread = threading.Thread(target=self._work, args=(listeners,), name="watching")
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    @property
    def is_watching(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and self.failure is None

    def _work(self, listeners: Listeners) -> None:
        while not self._stop.is_set():
            if not os.path.isdir(self._root):
                self._stop.wait(CHECK_MS / 1_000)
                continue
            try:
                self._watch_folder(listeners)
            # Not only OSError: watchfiles has errors of its own, and whatever happens, the folder must be scanned.
            except Exception as error:
                reason = str(error) or type(error).__name__
                if reason not in self._reported:
                    log.warning("failed to watch a folder", extra={"folder": self._root}, exc_info=True)
                self._fail(listeners, reason)
                self._scan_all(listeners)
                self._stop.wait(self._retry_s)

    def _watch_folder(self, listeners: Listeners) -> None:
        """Returns when the watching is stopped or another folder has taken this path."""
        spellings = list_spellings([self._root])
        began_s, place = time.monotonic(), _find_place(self._root)
        changes = watch(
            self._root,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=self._stop,
            raise_interrupt=False,
            rust_timeout=CHECK_MS,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        )
        is_first = self.failure is not None
        for moment in changes:
            if is_first:
                # What changed while it was not watched.
                self._scan_all(listeners)
                is_first = False
            hints = {hint for _, path in moment if (hint := _build_hint(spellings, path)) is not None}
            if hints:
                self._report(listeners, sorted(hints, key=lambda hint: hint.folder))
            if self.failure is not None and time.monotonic() - began_s >= self._retry_s:
                self.failure = None
            if _find_place(self._root) != place:
                self._scan_all(listeners)
                return

    def _fail(self, listeners: Listeners, reason: str) -> None:
        self.failure = reason
        if reason in self._reported:
            return
        self._reported.add(reason)
        try:
            listeners.on_failure(self._root, reason)
        except Exception:
            log.exception("a failure to watch a folder could not be recorded", extra={"folder": self._root})

    def _scan_all(self, listeners: Listeners) -> None:
        self._report(listeners, [Hint(self._root, b"", True)])

    def _report(self, listeners: Listeners, hints: list[Hint]) -> None:
        try:
            listeners.on_change(hints)
        except Exception:
            # The changes after these must still be reported.
            log.exception("changed folders could not be scanned", extra={"folder": self._root})


def _find_place(root: str) -> tuple[int, int] | None:
    """What tells a folder from another one at the same path, None when it is not there."""
    try:
        stat = os.stat(root)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def list_spellings(folders: list[str]) -> dict[str, str]:
    """Maps each path under which events arrive to its folder in `folders`. macOS reports real paths, even if the
    folder, or a folder above it, is a link."""
    return {os.path.realpath(folder): folder for folder in folders} | {folder: folder for folder in folders}


def _build_hint(spellings: dict[str, str], path: str) -> Hint | None:
    # A library in a watched folder writes to its database all the time.
    if os.path.basename(path).startswith(_LIBRARY_DATABASE):
        return None
    is_folder = os.path.isdir(path) and not os.path.islink(path)
    folder = Path(path) if is_folder else Path(path).parent
    spelling = next((known for known in spellings if folder.is_relative_to(known)), None)
    if spelling is None:
        return None
    relative = folder.relative_to(spelling).as_posix()
    return Hint(spellings[spelling], b"" if relative == "." else os.fsencode(relative), is_folder)
