"""Collects the results of an import and commits many files in one transaction."""

import time
from collections.abc import Callable, Sequence

from mysticanvas.db.database import Database
from mysticanvas.db.halving import store_by_halves
from mysticanvas.db.images.files import KnownFile
from mysticanvas.db.images.folders import WatchedFolder
from mysticanvas.features.importing import record
from mysticanvas.features.importing.record import Failed, Found
from mysticanvas.features.importing.tally import Tally

# An edit by the user waits for at most one bulk transaction. This many rows take about 30 ms.
BATCH_FILES = 150
BATCH_WAIT_S = 0.2


class Batch:
    """`fingerprints` are those of files that are ready to commit, `known_fingerprints` those of the current files that
    are in the database. A dry run commits nothing. A file that the database refuses fails alone."""

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
        self._commit_found_again()
        self._commit_ready()

    def _commit_found_again(self) -> None:
        refused = store_by_halves(self._mark_found, self.found_again)
        self.found_again = []
        for row, error in refused:
            self._tally.counts.unchanged -= 1
            self._tally.add_failure(WatchedFolder(None, row.root_path), row.path_bytes, explain_refusal(error))

    def _commit_ready(self) -> None:
        if not (self._ready or self.failed):
            return
        items: list[Found | Failed] = [*self._ready, *self.failed]
        refused = [(one, error) for one, error in store_by_halves(self._store, items) if isinstance(one, Found)]
        self._tally.counts.imported += len(self._ready) - len(refused)
        self._ready, self.failed = [], []
        self._fail_refused(refused)
        self.known_fingerprints |= self.fingerprints
        self.fingerprints.clear()

    def _fail_refused(self, refused: list[tuple[Found, Exception]]) -> None:
        failed = [Failed(one.root, one.read.stat, explain_refusal(error)) for one, error in refused]
        self.fingerprints -= {one.read.fingerprint for one, _ in refused}
        for one in failed:
            self._tally.add_failure(one.root, one.stat.path_bytes, one.reason)
        store_by_halves(self._store, failed)

    def _store(self, items: Sequence[Found | Failed]) -> None:
        found = [one for one in items if isinstance(one, Found)]
        failed = [one for one in items if isinstance(one, Failed)]
        self._database.write_bulk(record.add_images, found, failed, now_ms=self._now_ms())

    def _mark_found(self, rows: Sequence[KnownFile]) -> None:
        self._database.write_bulk(record.mark_found, rows, now_ms=self._now_ms())


def explain_refusal(error: Exception) -> str:
    """Why a file failed that the database refused, for the user."""
    return f"The file could not be stored in the library ({error}). See the log for details."
