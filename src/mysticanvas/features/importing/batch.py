"""What an import has ready to be committed, in one transaction for many files."""

import time
from collections.abc import Callable

from mysticanvas.db.database import Database
from mysticanvas.db.images.files import KnownFile
from mysticanvas.features.importing import record
from mysticanvas.features.importing.record import Failed, Found
from mysticanvas.features.importing.tally import Tally

# A person's edit waits behind at most one bulk transaction, and this many rows take some 30 ms.
BATCH_FILES = 150
BATCH_WAIT_S = 0.2


class Batch:
    """`fingerprints` are the fingerprints of what is ready, `known_fingerprints` those that the database has, of the files
    that are being settled. A dry run commits nothing."""

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
