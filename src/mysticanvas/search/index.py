"""Exact answers about a million images: what is found, how many, in which order.

Derived from the database: built in the background when the library opens, and after each COMMIT told the
ids of what changed. It reads those anew when it is next asked, or at once in the background. So the
writer waits for nothing, and whoever asks after a commit finds it in the answer. Until it is warm, and
for pages always, SQL answers (docs/adr/0005).
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from mysticanvas.db.connections import GIVEN_UP
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
# Past so many images that are gone, and half of all, positions are given anew. An index of so few is read in
# hundredths of a second, so what an image leaves behind (some 130 bytes) need not wait for more.
GONE_KEPT = 2_000
# Images read at once while following.
FOLLOWED = 20_000


class NotWarmError(LibraryError):
    """The index is still being read; SQL has the answer."""


class Index:
    """Thread-safe. `warm` says whether it can be asked; `start` builds it."""

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
        """Build it and keep it up to date, in the background."""
        self._thread = threading.Thread(target=self._keep, name="index", daemon=True)
        self._thread.start()

    @property
    def warm(self) -> bool:
        return self._state is not None

    def build(self) -> None:
        """Read all of the library. Until then SQL answers."""
        began_s = time.process_time()
        # What is committed from here on is told, and what was before is read.
        self._changed.clear()
        self._collected.clear()
        state = self._database.read_within(BUILD_LIMIT_MS, IndexState.of)
        with self._lock:
            self._state = state
        log.info("index built", extra={"images": state.alive_count, "cpu_s": time.process_time() - began_s})

    def ask(self, work: Callable[Concatenate[ReadTx, IndexState, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work` over the index with every commit that was told so far, and over a state of the database
        that has them too. Raises `NotWarmError`, `TimeLimitError`."""
        with self._lock:
            state = self._caught_up()
            return self._database.read_within(ASK_LIMIT_MS, lambda tx: work(tx, state, *args, **kwargs))

    def _caught_up(self) -> IndexState:
        """Images that changed are read in a state of the database that is newer than what was told."""
        if self._state is None:
            # What is told now is for the index that is being read.
            raise NotWarmError("The index is not warm yet.")
        while self._collected:
            self._state.forget_collections(self._collected.popleft())
        ids: list[int] = []
        while self._changed:
            ids += self._changed.popleft()
        if len(ids) > max(FOLLOWED, self._state.alive_count // 3):
            # Reading all of it anew is quicker, and nobody waits for it.
            self._renew()
            raise NotWarmError("The index is being read anew.")
        # Whoever gives up now would leave it half read.
        asked_by = GIVEN_UP.set(None)
        try:
            for begin in range(0, len(ids), FOLLOWED):
                self._database.read_within(BUILD_LIMIT_MS, self._state.follow, ids[begin : begin + FOLLOWED])
        except BaseException:
            # Half read is not read: SQL answers until it is built anew.
            self._renew()
            raise
        finally:
            GIVEN_UP.reset(asked_by)
        return self._state

    def _renew(self) -> None:
        self._state = None
        self._wake.set()

    def count(self, query: Query) -> int:
        return self.ask(lambda tx, state: find(tx, state, query).total)

    def ids(self, query: Query) -> NDArray[np.int64]:
        """All that the query finds, in its order."""
        return self.ask(lambda tx, state: ordering.ids(tx, find(tx, state, query), query))

    # -- following ----------------------------------------------------------------------------

    def _on_commit(self, changes: ChangeSet) -> None:
        """On the writer thread: only notes what is to be read."""
        if changes.collections:
            self._collected.append(changes.collections)
        ids: list[int] = [*changes.added, *changes.changed, *changes.removed]
        if ids:
            self._changed.append(ids)
            self._wake.set()

    def _keep(self) -> None:
        GIVEN_UP.set(self._stop)
        while not self._stop.is_set():
            self._wake.clear()
            try:
                if self._state is None:
                    self.build()
                if self._changed:
                    self._renew_if_hollow(self.ask(lambda _, state: state.columns.count - state.alive_count))
            except (LibraryError, TimeLimitError):
                if not self._stop.is_set():
                    log.exception("the index could not be read")
            self._wake.wait()

    def _renew_if_hollow(self, gone: int) -> None:
        with self._lock:
            if self._state is not None and gone > max(GONE_KEPT, self._state.alive_count):
                self._renew()
