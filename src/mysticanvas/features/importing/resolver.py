"""Resolves the files that an import has read: new, incomplete, or known by path or content."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from mysticanvas.db.database import Database
from mysticanvas.db.images import files
from mysticanvas.db.images.files import KnownFile
from mysticanvas.db.images.folders import WatchedFolder
from mysticanvas.domain.errors import MystiCanvasError, TaskError, UnreadableFileError
from mysticanvas.domain.file import FileStat
from mysticanvas.domain.task import Executor
from mysticanvas.features.importing import file_identity
from mysticanvas.features.importing.batch import Batch, explain_refusal
from mysticanvas.features.importing.messages import ImageRead, NotRead
from mysticanvas.features.importing.record import Failed, Found
from mysticanvas.features.importing.tally import PendingFile, Queue, Scopes, Tally, decode_path

log = logging.getLogger(__name__)


class Resolver:
    """`settle_s`: how long an incomplete file must stay unchanged before it counts as damaged. `dry`: counts files
    instead of writing them, None outside a dry run."""

    def __init__(
        self,
        database: Database,
        executor: Executor,
        batch: Batch,
        queue: Queue,
        scopes: Scopes,
        tally: Tally,
        *,
        dry: "DryCount | None",
        settle_s: float,
        now_ms: Callable[[], int],
    ) -> None:
        # Known paths with unknown content: edited in place, unless the previous file turns out to have moved. So they
        # are resolved last.
        self.edited: list[Found] = []
        self._database = database
        self._executor = executor
        self._batch = batch
        self._queue = queue
        self._scopes = scopes
        self._tally = tally
        self._dry = dry
        self._settle_s = settle_s
        self._now_ms = now_ms

    def resolve_all(self, pending: list[PendingFile], reads: list[ImageRead | NotRead]) -> None:
        """Resolve files by their results. Files without a result, because the answer was full, are queued again."""
        self._queue.files.extendleft(reversed(pending[len(reads) :]))
        fingerprints = [read.fingerprint for read in reads if isinstance(read, ImageRead)]
        self._batch.known_fingerprints = self._database.read(files.find_existing_fingerprints, fingerprints)
        for one, read in zip(pending, reads, strict=False):
            if isinstance(read, NotRead):
                self.fail(one.root, one.stat, read.reason)
            else:
                self._resolve(one, read)

    def take_edited(self) -> list[Found]:
        edited, self.edited = self.edited, []
        return edited

    def resolve_known(self, found: Found) -> None:
        """Resolve a file whose path or fingerprint is known, by its whole content."""
        try:
            outcome = file_identity.identify(self._database, self._executor, found, now_ms=self._now_ms())
        except (TaskError, UnreadableFileError) as error:
            self.fail(found.root, found.read.stat, str(error))
            return
        except MystiCanvasError:
            raise
        except Exception as error:
            log.exception("a file was rejected during an import")
            self.fail(found.root, found.read.stat, explain_refusal(error))
            return
        self._count(outcome)
        self._batch.known_fingerprints.add(found.read.fingerprint)
        path = found.read.stat.path_bytes
        for row in self._database.read(files.find_by_paths, root_id=found.root.id, paths=[path]).values():
            self._scopes.mark_seen(found.root, row)

    def fail(self, root: WatchedFolder, stat: FileStat, reason: str) -> None:
        self._tally.add_failure(root, stat.path_bytes, reason)
        self._batch.failed.append(Failed(root, stat, reason))

    def _resolve(self, pending: PendingFile, read: ImageRead) -> None:
        if not read.complete and self._may_still_grow(pending, read):
            return
        found = Found(root=pending.root, read=read, known=pending.known)
        if self._dry is not None:
            self._dry.count(found)
            return
        if read.fingerprint in self._batch.fingerprints:
            self._batch.commit()
        is_known = read.fingerprint in self._batch.known_fingerprints
        if pending.known is not None and not is_known:
            self.edited.append(found)
        elif is_known:
            self._batch.commit()
            self.resolve_known(found)
        else:
            self._batch.add(found)

    def _may_still_grow(self, pending: PendingFile, read: ImageRead) -> bool:
        """Whether an incomplete file may still be written by another program. If so, it is read again later."""
        now_s = time.time()
        age_s = now_s - read.stat.mtime_ns / 1e9
        same = pending.since_s is not None and read.stat == pending.stat
        since_s = pending.since_s if same and pending.since_s is not None else now_s
        if age_s < 0 or age_s >= self._settle_s or now_s - since_s >= self._settle_s:
            return False
        again = PendingFile(pending.root, read.stat, pending.sidecars, pending.known, since_s)
        self._queue.put_aside(again, for_s=min(1.0, self._settle_s))
        self._tally.message = "Waiting for files that are still being written."
        return True

    def _count(self, outcome: file_identity.Outcome) -> None:
        counts = self._tally.counts
        match outcome:
            case file_identity.Outcome.IMPORTED:
                counts.imported += 1
            case file_identity.Outcome.CHANGED:
                counts.changed += 1
            case file_identity.Outcome.UNCHANGED:
                counts.unchanged += 1
            case file_identity.Outcome.MOVED:
                counts.moved += 1
            case file_identity.Outcome.COPY:
                counts.copies += 1


@dataclass(slots=True)
class _CountedFile:
    """A file of this dry run that would be imported. `digest`: None until it is needed."""

    root_path: str
    path_bytes: bytes
    digest: bytes | None = None


class DryCount:
    """Counts what an import would change. Like an import, it hashes only files with a known fingerprint."""

    def __init__(self, database: Database, executor: Executor, scopes: Scopes, tally: Tally) -> None:
        self._database = database
        self._executor = executor
        self._scopes = scopes
        self._tally = tally
        # IDs of files that were found at another path.
        self._moved: set[int] = set()
        self._new: dict[bytes, list[_CountedFile]] = {}

    def count(self, found: Found) -> None:
        """Count a file as `file_identity.identify` would decide."""
        fingerprint, here = found.read.fingerprint, found.known
        path = os.path.join(found.root.path, decode_path(found.read.stat.path_bytes))
        known = self._database.read(files.find_by_fingerprint, fingerprint)
        needs_digest = here is not None or known or fingerprint in self._new
        digest = self._hash(found.root.path, found.read.stat.path_bytes) if needs_digest else None
        same = [one for one in known if file_identity.seems_same(self._executor, one, digest)]
        if here is not None and file_identity.is_unchanged(here, found, digest):
            self._tally.counts.unchanged += 1
            self._scopes.mark_seen(found.root, here)
        elif (left := self._find_moved(same)) is not None:
            self._tally.add_example("moved", path)
            self._moved.add(left.id)
            self._scopes.mark_seen_anywhere(left)
        else:
            if here is not None:
                self._scopes.mark_seen(found.root, here)
            is_copy = bool(same) or self._is_counted(fingerprint, digest)
            self._tally.add_example("copies" if is_copy else "imported" if here is None else "changed", path)
        counted = _CountedFile(found.root.path, found.read.stat.path_bytes, digest)
        self._new.setdefault(fingerprint, []).append(counted)

    def _find_moved(self, same: list[KnownFile]) -> KnownFile | None:
        """A known file with this content that is no longer at its path and was not found elsewhere in this run."""
        return next((one for one in same if one.id not in self._moved and file_identity.seems_moved(one)), None)

    def _is_counted(self, fingerprint: bytes, digest: bytes | None) -> bool:
        """Whether a file of this run has the same content."""
        for one in self._new.get(fingerprint, ()):
            one.digest = one.digest or self._hash(one.root_path, one.path_bytes)
            if digest is not None and one.digest == digest:
                return True
        return False

    def _hash(self, root_path: str, path_bytes: bytes) -> bytes | None:
        try:
            return file_identity.compute_digest(self._executor, root_path, path_bytes)
        except TaskError:
            return None
