"""Watching folders: a hint that something changed, never the truth about what (F10)."""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchfiles import watch

log = logging.getLogger(__name__)

DEBOUNCE_MS = 400
STEP_MS = 100
RESTART_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class Hint:
    """Something changed in this folder of the root, `recursive` when the folder itself is new."""

    root: str
    folder: bytes
    recursive: bool


class FolderWatcher:
    """Watches nothing until it is started. A context manager, which ends what was started.

    A system that cannot watch (too many folders, a network drive) is logged; scans still find all.
    """

    def __init__(self) -> None:
        self._on_change: Callable[[list[Hint]], None] = lambda hints: None
        self._started = False
        self._roots: set[str] = set()
        self._again = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="watching")

    def __enter__(self) -> "FolderWatcher":
        return self

    def start(self, on_change: Callable[[list[Hint]], None]) -> None:
        """From now on `on_change` is called, on a thread of its own, with the hints of one moment."""
        self._on_change = on_change
        self._started = True
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._again.set()
        if self._started:
            self._thread.join()

    def add(self, root: str) -> None:
        """Watch one more folder from now on."""
        self._roots.add(root)
        self._again.set()

    def remove(self, root: str) -> None:
        """Watch it no more."""
        self._roots.discard(root)
        self._again.set()

    def watches(self, root: str) -> bool:
        return self._started and root in self._roots and os.path.isdir(root)

    def _work(self) -> None:
        while not self._closing:
            self._again.clear()
            roots = sorted(root for root in self._roots if os.path.isdir(root))
            if not roots:
                self._again.wait()
                continue
            try:
                self._follow(roots)
            except OSError as error:
                log.warning("folders cannot be watched", extra={"reason": str(error)})
                self._again.wait(RESTART_AFTER_S)

    def _follow(self, roots: list[str]) -> None:
        changes = watch(
            *roots,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=self._again,
            raise_interrupt=False,
            rust_timeout=1_000,
            ignore_permission_denied=True,
        )
        for moment in changes:
            hints = {hint for _, path in moment if (hint := _hint(roots, path)) is not None}
            if hints:
                self._on_change(sorted(hints, key=lambda hint: (hint.root, hint.folder)))


def _hint(roots: list[str], path: str) -> Hint | None:
    root = next((root for root in roots if Path(path).is_relative_to(root)), None)
    if root is None:
        return None
    is_folder = os.path.isdir(path) and not os.path.islink(path)
    folder = Path(path) if is_folder else Path(path).parent
    if not folder.is_relative_to(root):
        return None
    relative = folder.relative_to(root).as_posix()
    return Hint(root, b"" if relative == "." else os.fsencode(relative), is_folder)
