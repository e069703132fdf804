"""What the routes need, handed in by the Orchestrator."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mysticanvas.domain.task import Executor
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
    """`base_url` is where the gallery is served, without a slash at the end; `origins` as the gate wants them."""

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
    base_url: str
    static: Path
