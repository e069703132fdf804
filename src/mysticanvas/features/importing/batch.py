"""Collects the results of an import and commits many files in one transaction."""

import time
from collections.abc import Callable

from mysticanvas.db.database import Database
from mysticanvas.db.images.files import KnownFile
from mysticanvas.features.importing import record
from mysticanvas.features.importing.record import Failed, Found
from mysticanvas.features.importing.tally import Tally

# An edit by the user waits for at most one bulk transaction. This many rows take about 30 ms.
BATCH_FILES = 150
BATCH_WAIT_S = 0.2


class Batch:
    """`fingerprints` are those of files that are ready to commit, `known_fingerprints` those of the current files that
    are in the database. A dry run commits nothing."""

    def __init__(self, database: Database, tally: Tally, *, dry_run: bool, now_ms: Callable[[], int]) -> None:
        self.fingerprints: set[bytes] = set()
        self.known_fingerprints: set[bytes] = set()
        self.found_again: list[KnownFile] = []
        self.failed: list[Failed] = []
        self._ready: list[Found] = []
        self._database = database
        self._tally = tally
        self._dry_run = dry_run
        self._now_ms = now_ms
        self._committed_at_s = time.monotonic()

    def add(self, found: Found) -> None:
        self._ready.append(found)
        self.fingerprints.add(found.read.fingerprint)

    @property
    def is_due(self) -> bool:
        ready = len(self._ready) + len(self.failed) + len(self.found_again)
        return ready >= BATCH_FILES or time.monotonic() - self._committed_at_s > BATCH_WAIT_S

    def commit(self) -> None:
        self._committed_at_s = time.monotonic()
        if self._dry_run:
            return
        if self.found_again:
            self._database.write_bulk(record.mark_found, self.found_again, now_ms=self._now_ms())
            self.found_again = []
        if not (self._ready or self.failed):
            return
        self._database.write_bulk(record.add_images, self._ready, self.failed, now_ms=self._now_ms())
        self._tally.counts.imported += len(self._ready)
        self._ready, self.failed = [], []
        self.known_fingerprints |= self.fingerprints
        self.fingerprints.clear()
