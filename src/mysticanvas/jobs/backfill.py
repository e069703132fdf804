"""Backfills: queue work that is missing, such as vectors for prompts after an upgrade. Features provide them.

They run on a thread of their own at each start, slice by slice, so that a million images block nothing.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from mysticanvas.db.database import Database
from mysticanvas.domain.errors import MystiCanvasError

log = logging.getLogger(__name__)


class Backfill(Protocol):
    """Queues what is missing; running it twice has no further effect. Stops between two slices once `goes_on`
    returns False."""

    def __call__(self, database: Database, /, *, now_ms: Callable[[], int], goes_on: Callable[[], bool]) -> object: ...


class BackfillRunner:
    """Runs the backfills in order while the context is open. The next start finds what this one did not."""

    def __init__(self, database: Database, backfills: Sequence[Backfill], *, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._backfills = backfills
        self._now_ms = now_ms
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="backfill")

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
            # Nothing is lost: the next start runs all backfills again.
            log.warning("a backfill was not completed", extra={"error": str(error)})
