"""Watches library folders while the server runs, and scans what changes."""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from mysticanvas.db import event_log
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import excludes, folders
from mysticanvas.features.importing.service import ImportService
from mysticanvas.fs.exclusions import Exclusions
from mysticanvas.fs.watcher import FolderWatcher, Hint, Listeners
from mysticanvas.settings import Settings


def watch_folders(
    database: Database,
    importing: ImportService,
    watcher: FolderWatcher,
    settings: Settings,
    now_ms: Callable[[], int],
) -> AbstractContextManager[object]:
    """Start watching, unless it is disabled in the settings."""
    if settings.watch:
        for root in database.read(folders.list_watched):
            watcher.add(root.path)
        watcher.start(
            Listeners(
                on_change=lambda hints: _scan_changes(database, importing, hints),
                on_failure=lambda root, reason: database.write(_record_failure, root, reason, now_ms=now_ms()),
            )
        )
    return watcher


def _record_failure(tx: WriteTx, root: str, reason: str, *, now_ms: int) -> None:
    tx.changes.invalidated.add("roots")
    data = {"why": reason}
    event_log.append(tx, level="warning", kind="root.unwatched", subject=root, data=data, now_ms=now_ms)


def _scan_changes(database: Database, importing: ImportService, hints: list[Hint]) -> None:
    known = {root.path: root for root in database.read(folders.list_watched)}
    excluded = {
        path: Exclusions(os.fsencode(path), tuple(database.read(excludes.list_patterns, root.id)))
        for path, root in known.items()
    }
    for recursive in (False, True):
        by_root: dict[str, list[bytes]] = {}
        for hint in hints:
            if hint.recursive is recursive and hint.root in known and not _is_excluded(excluded, hint):
                by_root.setdefault(hint.root, []).append(hint.folder)
        for path, changed in by_root.items():
            importing.start_changed(known[path], changed, recursive=recursive)


def _is_excluded(excluded: Mapping[str, Exclusions], hint: Hint) -> bool:
    return excluded[hint.root].find_folder_source(hint.folder) is not None
