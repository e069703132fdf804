"""The in-memory search index: exact matches, counts and orders for a million images (docs/adr/0005).

It is derived from the database and built in the background when the library opens. Each COMMIT records the IDs of
the changed images. They are read again in the background, or by the next query at the latest. So the writer never
waits, and a query after a commit always includes it. Until the index is warm, SQL answers.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from mysticanvas.db.connections import READ_CANCELLED
from mysticanvas.db.database import ChangeSet, Database, ReadTx
from mysticanvas.domain.errors import LibraryError, TimeLimitError
from mysticanvas.domain.query import Query
from mysticanvas.search import ordering
from mysticanvas.search.index_state import IndexState
from mysticanvas.search.matches import find

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

BUILD_LIMIT_MS = 600_000
ASK_LIMIT_MS = 20_000
# The index is rebuilt when more than this number of images, and more than half of all, were removed. Rebuilding an
# index of this size takes hundredths of a second; a removed image uses about 130 bytes until then.
MAX_REMOVED = 2_000
# Changed images that are read in one batch.
UPDATE_BATCH = 20_000


class NotWarmError(LibraryError):
    """The index is not built yet; SQL must answer."""


class Index:
    """Thread-safe. `start` builds it; `warm` is whether it can answer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._state: IndexState | None = None
        self._lock = threading.RLock()
        self._changed: deque[list[int]] = deque()
        self._collected: deque[set[int]] = deque()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        database.after_commit(self._on_commit)

    def __enter__(self) -> "Index":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def start(self) -> None:
        """Build the index and keep it up to date in the background."""
        self._thread = threading.Thread(target=self._run, name="index", daemon=True)
        self._thread.start()

    @property
    def warm(self) -> bool:
        return self._state is not None

    def build(self) -> None:
        """Read all images. Until then, SQL answers."""
        began_s = time.process_time()
        # Earlier commits are included in what is read below; later ones are recorded again.
        self._changed.clear()
        self._collected.clear()
        state = self._database.read_within(BUILD_LIMIT_MS, IndexState.load)
        with self._lock:
            self._state = state
        log.info("index built", extra={"images": state.alive_count, "cpu_s": time.process_time() - began_s})

    def ask(self, work: Callable[Concatenate[ReadTx, IndexState, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `work` with a read transaction and the index, both including every commit that was recorded so far.
        Raises `NotWarmError`, `TimeLimitError`."""
        with self._lock:
            state = self._catch_up()
            return self._database.read_within(ASK_LIMIT_MS, lambda tx: work(tx, state, *args, **kwargs))

    def _catch_up(self) -> IndexState:
        """Read all recorded changes. The data can be newer than the recorded changes, never older."""
        if self._state is None:
            # Recorded changes now belong to the index that is being built.
            raise NotWarmError("The index is not loaded yet.")
        while self._collected:
            self._state.forget_collections(self._collected.popleft())
        ids: list[int] = []
        while self._changed:
            ids += self._changed.popleft()
        if len(ids) > max(UPDATE_BATCH, self._state.alive_count // 3):
            # Rebuilding is faster, and SQL answers in the meantime.
            self._discard()
            raise NotWarmError("The index is being rebuilt.")
        # A cancelled request must not leave the index partially updated.
        asked_by = READ_CANCELLED.set(None)
        try:
            for begin in range(0, len(ids), UPDATE_BATCH):
                self._database.read_within(BUILD_LIMIT_MS, self._state.update, ids[begin : begin + UPDATE_BATCH])
        except BaseException:
            # A partial update is unusable: SQL answers until the index is rebuilt.
            self._discard()
            raise
        finally:
            READ_CANCELLED.reset(asked_by)
        return self._state

    def _discard(self) -> None:
        """Rebuild the index in the background."""
        self._state = None
        self._wake.set()

    def count(self, query: Query) -> int:
        return self.ask(lambda tx, state: find(tx, state, query).total)

    def ids(self, query: Query) -> NDArray[np.int64]:
        """The IDs of all matches, in the order of the query."""
        return self.ask(lambda tx, state: ordering.sort_ids(tx, find(tx, state, query), query))

    # -- updates ------------------------------------------------------------------------------

    def _on_commit(self, changes: ChangeSet) -> None:
        """Runs on the writer thread, so it only records what to read."""
        if changes.collections:
            self._collected.append(changes.collections)
        ids: list[int] = [*changes.added, *changes.changed, *changes.removed]
        if ids:
            self._changed.append(ids)
            self._wake.set()

    def _run(self) -> None:
        READ_CANCELLED.set(self._stop)
        while not self._stop.is_set():
            self._wake.clear()
            try:
                if self._state is None:
                    self.build()
                if self._changed:
                    self._discard_if_sparse(self.ask(lambda _, state: state.columns.count - state.alive_count))
            except (LibraryError, TimeLimitError):
                if not self._stop.is_set():
                    log.exception("the index could not be built or updated")
            self._wake.wait()

    def _discard_if_sparse(self, removed: int) -> None:
        with self._lock:
            if self._state is not None and removed > max(MAX_REMOVED, self._state.alive_count):
                self._discard()
