"""What the routes need, handed in by the Orchestrator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mysticanvas.domain.task import Executor
from mysticanvas.library.backing_up import BackingUp
from mysticanvas.library.carrying_on import CarryingOn
from mysticanvas.library.importing import Importing
from mysticanvas.library.importing_libraries import LibraryImporting
from mysticanvas.library.job_progress import JobProgress
from mysticanvas.library.rebuilding import Rebuilding
from mysticanvas.library.thumb_cache import ThumbCache
from mysticanvas.search.duplicates import Duplicates
from mysticanvas.search.snapshots import Snapshots
from mysticanvas.server.live import LiveUpdates
from mysticanvas.server.passwords import Passwords
from mysticanvas.server.sessions import Sessions
from mysticanvas.store.database import Database


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
