"""What earlier starts left to do, such as prompts without vectors after an upgrade. Each feature brings its own.

Looked for on a thread of its own at each start, slice by slice, so that a million images keep nobody waiting.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from mysticanvas.db.database import Database
from mysticanvas.domain.errors import MystiCanvasError

log = logging.getLogger(__name__)


class Backfill(Protocol):
    """Queues what is missing; asked twice, it does no harm. It ends between two slices when `goes_on` says no."""

    def __call__(self, database: Database, /, *, now_ms: Callable[[], int], goes_on: Callable[[], bool]) -> object: ...


class BackfillRunner:
    """Runs while the context is open, one after the other. What is not found by its end is found at the next start."""

    def __init__(self, database: Database, backfills: Sequence[Backfill], *, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._backfills = backfills
        self._now_ms = now_ms
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="backfilling")

    def __enter__(self) -> "BackfillRunner":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            for backfill in self._backfills:
                backfill(self._database, now_ms=self._now_ms, goes_on=lambda: not self._closing.is_set())
        except MystiCanvasError as error:
            # Nothing is lost: whatever is missing is missing at the next start, too.
            log.warning("what is left to do was not looked for to the end", extra={"error": str(error)})
