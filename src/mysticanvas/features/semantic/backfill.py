"""What earlier starts left to do: prompts without vectors, pictures that no model has looked at.

Looked for on a thread of its own at each start, slice by slice, so that a million images keep nobody waiting.
"""

import logging
import threading
from collections.abc import Callable

from mysticanvas.db.database import Database
from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.features.duplicates import service as duplicate_service
from mysticanvas.features.semantic import service
from mysticanvas.features.vision import service as vision_service

log = logging.getLogger(__name__)

STEPS = (service.queue_missing, duplicate_service.hash_missing, vision_service.queue_missing)


class Backfilling:
    """Runs while the context is open. What is not found by its end is found at the next start."""

    def __init__(self, database: Database, *, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="backfilling")

    def __enter__(self) -> "Backfilling":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            for step in STEPS:
                step(self._database, now_ms=self._now_ms, goes_on=lambda: not self._closing.is_set())
        except MystiCanvasError as error:
            # Nothing is lost: whatever is missing is missing at the next start, too.
            log.warning("what is left to do was not looked for to the end", extra={"error": str(error)})
