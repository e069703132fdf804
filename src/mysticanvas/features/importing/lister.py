"""Lists the folders of an import, and finds new, changed and missing files in them."""

import os
from collections.abc import Callable
from dataclasses import replace

from mysticanvas.db.database import Database
from mysticanvas.db.images import excludes as excludes_queries
from mysticanvas.db.images import failures, files
from mysticanvas.db.images import missing as image_missing
from mysticanvas.db.images.files import KnownFile
from mysticanvas.db.images.folders import WatchedFolder
from mysticanvas.domain.file import FileKind
from mysticanvas.domain.task import Executor
from mysticanvas.features.importing import missing, related_files_queries
from mysticanvas.features.importing.batch import Batch
from mysticanvas.features.importing.missing import Scope
from mysticanvas.features.importing.tally import MAX_EXAMPLES, Folder, PendingFile, Queue, Scopes, Start, Tally
from mysticanvas.fs.not_shown import add_counts
from mysticanvas.fs.paths import join_system_path
from mysticanvas.fs.scanner import FolderListing

_WITH_SIDECARS = (FileKind.FINAL, FileKind.COPY)


class Lister:
    """Fills the queue. `accept`: the user confirmed that files that are not found are missing, no matter how many."""

    def __init__(
        self,
        database: Database,
        executor: Executor,
        batch: Batch,
        queue: Queue,
        scopes: Scopes,
        tally: Tally,
        *,
        dry_run: bool,
        accept: bool,
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._executor = executor
        self._batch = batch
        self._queue = queue
        self._scopes = scopes
        self._tally = tally
        self._dry_run = dry_run
        self._accept = accept
        self._now_ms = now_ms

    def begin(self, starts: list[Start]) -> None:
        """Queue the start folders. Offline roots are skipped, with all folders in them."""
        last_file_id = self._database.read(files.get_last_id)
        for start in starts:
            if start.root.id is not None and start.root.id not in self._scopes:
                why = None if self._accept else missing.find_offline_reason(self._database, self._executor, start.root)
                if why is not None:
                    self._skip_offline(start.root, why)
                    continue
                self._scopes[start.root.id] = Scope(start.root, last_file_id)
            excludes = self._database.read(excludes_queries.list_patterns, start.root.id)
            self._queue.folders.append(Folder(start.root, start.folder, start.recursive, tuple(excludes)))
            self._extend_scope(start)

    def _skip_offline(self, root: WatchedFolder, why: str) -> None:
        self._tally.message = why
        self._tally.offline.append(why)
        if not self._dry_run:
            missing.record_offline(self._database, root, why, now_ms=self._now_ms())

    def _extend_scope(self, start: Start) -> None:
        if start.root.id is not None:
            scope = self._scopes[start.root.id]
            if start.recursive:
                scope.trees.append(start.folder)
            else:
                scope.folders.add(start.folder)

    # -- listed folders --------------------------------------------------------------------

    def classify_files(self, folder: Folder, listing: FolderListing) -> None:
        """Queue the new and changed files of a folder, and count the unchanged ones."""
        if folder.recursive:
            self._queue.folders.extend(replace(folder, path_bytes=path, again=False) for path in listing.folders)
        add_counts(self._tally.not_shown, listing.not_shown)
        if folder.root.id is not None:
            add_counts(self._scopes[folder.root.id].not_shown, listing.not_shown)
        paths = [stat.path_bytes for stat in listing.images]
        known = self._database.read(files.find_by_paths, root_id=folder.root.id, paths=paths)
        failed = self._database.read(failures.find_failures, root_id=folder.root.id, paths=paths)
        beside = _group_by_stem(listing.sidecars)
        known_sidecars = self._database.read(
            related_files_queries.find_known_sidecars, root_id=folder.root.id, paths=listing.sidecars
        )
        self._tally.counts.seen += len(listing.images)
        for stat in listing.images:
            row = known.get(stat.path_bytes)
            failure = failed.get(stat.path_bytes)
            sidecars = beside.get(_get_stem(stat.path_bytes), [])
            # A sidecar may be written after the image was read.
            is_read = row is not None and (row.kind not in _WITH_SIDECARS or known_sidecars.issuperset(sidecars))
            if row is not None and is_read and (row.bytes, row.mtime_ns) == (stat.bytes, stat.mtime_ns):
                self._count_unchanged(folder.root, row)
            elif failure is not None and (failure.bytes, failure.mtime_ns) == (stat.bytes, stat.mtime_ns):
                self._tally.add_failure(folder.root, stat.path_bytes, failure.reason)
            else:
                pending = PendingFile(folder.root, stat, sidecars, row)
                (self._queue.files if row is None else self._queue.changed).append(pending)

    def _count_unchanged(self, root: WatchedFolder, row: KnownFile) -> None:
        self._tally.counts.unchanged += 1
        self._scopes.mark_seen(root, row)
        if row.missing_at is not None:
            self._batch.found_again.append(row)

    def fail(self, folder: Folder, reason: str) -> None:
        """Record a folder that could not be listed. A folder that no longer exists is not a failure: its files are
        missing. The files in any other folder are not marked as missing."""
        path = join_system_path(os.fsencode(folder.root.path), folder.path_bytes)
        if os.path.isdir(folder.root.path) and not os.path.lexists(path):
            return
        if folder.root.id is not None:
            self._scopes[folder.root.id].unlisted.add(folder.path_bytes)
        self._tally.counts.seen += 1
        self._tally.add_failure(folder.root, folder.path_bytes, reason)

    # -- missing files ---------------------------------------------------------------------------

    def resolve_missing(self) -> None:
        """Mark files as missing, or count them in a dry run. Call it after all files are processed."""
        for scope in self._scopes.values():
            if self._dry_run:
                self._count_missing(scope)
            else:
                self._tally.counts.missing += missing.mark_missing(
                    self._database, self._executor, scope, accept=self._accept, now_ms=self._now_ms()
                )

    def _count_missing(self, scope: Scope) -> None:
        lost = missing.find_unseen(self._database, scope).missing
        self._tally.counts.missing += len(lost)
        self._tally.asks = self._tally.asks or missing.needs_confirmation(self._database, scope.root, lost)
        some = self._tally.examples.setdefault("missing", [])
        paths = self._database.read(image_missing.list_paths, lost[: MAX_EXAMPLES - len(some)])
        some += [os.path.join(scope.root.path, path) for path in paths]


def _get_stem(path_bytes: bytes) -> bytes:
    folder, _, name = path_bytes.rpartition(b"/")
    return folder + b"/" + name.rpartition(b".")[0]


def _group_by_stem(sidecars: list[bytes]) -> dict[bytes, list[bytes]]:
    """Sidecar paths by the stem of the image they may belong to: both `a.json` and `a.png.json` may belong to
    `a.png`."""
    beside: dict[bytes, list[bytes]] = {}
    for path in sidecars:
        stem = _get_stem(path)
        beside.setdefault(stem, []).append(path)
        if b"." in stem.rpartition(b"/")[2]:
            beside.setdefault(_get_stem(stem), []).append(path)
    return beside
