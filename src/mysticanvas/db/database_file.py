"""Watches the file of an open database: whether it was replaced, and whether its WAL grows without bound."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

# A long-running reader keeps the WAL growing; this is far more than any import needs.
LARGE_WAL_BYTES = 256 * 1024 * 1024


class DatabaseFile:
    """Not thread-safe. `oldest_reader` names the longest-running read, for the log."""

    def __init__(self, path: Path, *, oldest_reader: Callable[[], str | None]) -> None:
        self.path = path
        self._oldest_reader = oldest_reader
        self._identity = _get_identity(path)
        self._checked_s = time.monotonic()
        self._wal_is_large = False

    def is_due(self, every_s: float) -> bool:
        """Whether the last check was at least `every_s` ago. True counts as a check."""
        now_s = time.monotonic()
        if now_s - self._checked_s < every_s:
            return False
        self._checked_s = now_s
        return True

    def is_replaced(self) -> bool:
        """Whether the path now holds another file, or none."""
        return _get_identity(self.path) != self._identity

    def check_wal(self) -> None:
        """Warns about a large WAL, which means that a reader does not end. Logged once until the WAL is small again."""
        try:
            large = os.stat(f"{self.path}-wal").st_size > LARGE_WAL_BYTES
        except OSError:
            large = False
        if large and not self._wal_is_large:
            log.warning("the write-ahead log is large", extra={"oldest_reader": self._oldest_reader()})
        self._wal_is_large = large

    def rescue_path(self) -> Path:
        """A new path next to the database."""
        return self.path.with_name(f"rescued-{time.time_ns() // 1_000_000}.db")


def _get_identity(path: Path) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
