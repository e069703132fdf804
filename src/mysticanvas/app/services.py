"""What the routes need, handed in by the Orchestrator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mysticanvas.app.live_updates import LiveUpdates
from mysticanvas.db.database import Database
from mysticanvas.domain.task import Executor
from mysticanvas.edits.runner import CarryingOn
from mysticanvas.features.backups.service import BackingUp
from mysticanvas.features.importing.service import Importing
from mysticanvas.features.journal.rebuild import Rebuilding
from mysticanvas.features.migrate.service import LibraryImporting
from mysticanvas.http.passwords import Passwords
from mysticanvas.http.sessions import Sessions
from mysticanvas.imaging.thumbnail_cache import ThumbCache
from mysticanvas.jobs.progress import JobProgress
from mysticanvas.search.duplicates import Duplicates
from mysticanvas.search.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class Services:
    """`base_url` is where the gallery is served, without a slash at the end; `origins` as the gate wants them.
    `is_watched` says whether the folder at a path is watched at this moment. `restore` asks for a backup to be
    restored: the gallery ends and comes back; `ConflictError` where nobody serves."""

    database: Database
    workers: Executor
    snapshots: Snapshots
    duplicates: Duplicates
    importing: Importing
    libraries: LibraryImporting
    rebuilding: Rebuilding
    carrying_on: CarryingOn
    live: LiveUpdates
    progress: JobProgress
    cache: ThumbCache
    sessions: Sessions
    passwords: Passwords
    origins: Mapping[str, str]
    is_watched: Callable[[str], bool]
    backing_up: BackingUp
    restore: Callable[[Path], None]
    base_url: str
    static: Path
