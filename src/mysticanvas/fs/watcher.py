"""Watches folders. Events are hints to scan a folder; a scan determines what changed."""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchfiles import watch

from mysticanvas.fs.exclusions import LIBRARY_DATABASE

log = logging.getLogger(__name__)

DEBOUNCE_MS = 400
STEP_MS = 100
RESTART_AFTER_S = 5.0
_LIBRARY_DATABASE = LIBRARY_DATABASE.decode()


@dataclass(frozen=True, slots=True)
class Hint:
    """Something changed in `folder`, relative to `root`. `recursive`: the folder itself may be new."""

    root: str
    folder: bytes
    recursive: bool


class FolderWatcher:
    """Watches nothing until it is started. A context manager, which ends the watching.

    When folders cannot be watched (too many folders, a network drive), this is logged; scans find all changes.
    """

    def __init__(self) -> None:
        self._on_change: Callable[[list[Hint]], None] = lambda hints: None
        self._started = False
        self._folders: set[str] = set()
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="watching")

    def __enter__(self) -> "FolderWatcher":
        return self

    def start(self, on_change: Callable[[list[Hint]], None]) -> None:
        """Call `on_change` on a thread of its own with the hints of each batch of events."""
        self._on_change = on_change
        self._started = True
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._wake.set()
        if self._started:
            self._thread.join()

    def add(self, root: str) -> None:
        """Start watching a folder."""
        self._folders.add(root)
        self._wake.set()

    def remove(self, root: str) -> None:
        """Stop watching a folder."""
        self._folders.discard(root)
        self._wake.set()

    def is_watching(self, root: str) -> bool:
        return self._started and root in self._folders and os.path.isdir(root)

    def _work(self) -> None:
        while not self._closing:
            self._wake.clear()
            folders = sorted(root for root in self._folders if os.path.isdir(root))
            if not folders:
                self._wake.wait()
                continue
            try:
                self._watch_folders(folders)
            except OSError as error:
                log.warning("failed to watch folders", extra={"reason": str(error)})
                self._wake.wait(RESTART_AFTER_S)

    def _watch_folders(self, folders: list[str]) -> None:
        spellings = list_spellings(folders)
        changes = watch(
            *folders,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=self._wake,
            raise_interrupt=False,
            rust_timeout=1_000,
            ignore_permission_denied=True,
        )
        for moment in changes:
            hints = {hint for _, path in moment if (hint := _build_hint(spellings, path)) is not None}
            if hints:
                self._on_change(sorted(hints, key=lambda hint: (hint.root, hint.folder)))


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
