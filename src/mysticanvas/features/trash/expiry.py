"""Deletes images whose retention period in the Trash is over: at each start, then once a day."""

import logging
from collections.abc import Callable
from threading import Event, Thread

from mysticanvas.db.database import Database
from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.features.trash import purge, queries
from mysticanvas.fs.trash import DiscardMethod

log = logging.getLogger(__name__)

DAY_S = 86_400.0
PAUSE_AFTER_ERROR_S = 5.0


class TrashExpiry:
    """A thread that runs while the context is open. Each run first finishes purges that a crash interrupted."""

    def __init__(self, database: Database, *, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        self._closing = Event()
        self._thread = Thread(target=self._work, name="trash expiry")

    def __enter__(self) -> "TrashExpiry":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._closing.is_set():
            wait_s = DAY_S
            try:
                self._purge()
            except MystiCanvasError as error:
                log.warning("purging expired images failed, retrying", extra={"reason": str(error)})
                wait_s = PAUSE_AFTER_ERROR_S
            except Exception:
                log.exception("purging expired images failed")
            self._closing.wait(wait_s)

    def _purge(self) -> None:
        purge.recover(self._database, now_ms=self._now_ms)
        due = self._database.read(queries.list_ids, before_ms=self._now_ms(), limit=purge.MAX_IMAGES)
        if due:
            purge.purge(self._database, due, DiscardMethod.SYSTEM_TRASH, now_ms=self._now_ms)
