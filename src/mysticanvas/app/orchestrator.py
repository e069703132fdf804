"""START HERE. The Orchestrator: one process per library, and the list of its parts.

Parts are opened in the order of `_build` and closed in reverse. The lock of the library is taken first
(in `Database.open`) and released last.
"""

import asyncio
import contextlib
import ctypes
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import uvicorn

from mysticanvas.app import features
from mysticanvas.app.http import build_app
from mysticanvas.app.live_updates import LiveUpdates
from mysticanvas.app.parts import Parts
from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.db.images import folders
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import ConflictError, MystiCanvasError
from mysticanvas.domain.launch import create_launch
from mysticanvas.domain.task import Executor
from mysticanvas.edits.runner import EditRunner
from mysticanvas.features.access.routes import create_sign_in_links
from mysticanvas.features.backups import service as backup_service
from mysticanvas.features.backups.service import RestoreRequest
from mysticanvas.features.base import Feature
from mysticanvas.features.importing.service import ImportService
from mysticanvas.fs import instance_file, location_checks, log_file
from mysticanvas.fs.thumbnail_cache import SHORT_EDGES_PX, ThumbCache
from mysticanvas.fs.watcher import FolderWatcher
from mysticanvas.http import binding
from mysticanvas.http.binding import GalleryAddress
from mysticanvas.http.limits import raise_descriptor_limit
from mysticanvas.http.passwords import Passwords
from mysticanvas.http.proxies import TrustedProxies
from mysticanvas.http.server import GalleryServer
from mysticanvas.http.sessions import CODE_LIMIT_S, SESSION_FILE, Sessions
from mysticanvas.http.sse import EventStream
from mysticanvas.imaging.libvips import check_libvips
from mysticanvas.jobs.backfill import BackfillRunner
from mysticanvas.jobs.dispatcher import Dispatcher
from mysticanvas.jobs.lanes import Executors, InProcessExecutor
from mysticanvas.jobs.progress import JobProgress
from mysticanvas.search.duplicates import Duplicates
from mysticanvas.search.index import Index
from mysticanvas.search.similarity import PICTURES, Similarity
from mysticanvas.search.snapshots import Snapshots
from mysticanvas.settings import Settings
from mysticanvas.worker.cluster import MAX_IN_FLIGHT, ClusterExecutor, parse_scheduler_address
from mysticanvas.worker.pool import WorkerPool

log = logging.getLogger(__name__)

# The first task includes loading a model of half a gigabyte, maybe from a slow disk.
VISION_TASK_LIMIT_S = 120
# Time to finish open responses when the Orchestrator stops.
SHUTDOWN_S = 3
# From malloc.h of glibc.
_M_ARENA_MAX = -8
ARENAS = 2


class Orchestrator:
    """A context manager. `serving`: whether to open a port and watch folders, for a gallery rather than a single
    command of the CLI.

    Raises `LibraryError` when the library is held by another process or cannot be used.
    """

    def __init__(self, settings: Settings, *, serving: bool) -> None:
        self._settings = settings
        self._serving = serving
        self._running = ExitStack()
        # The backup to restore after this Orchestrator has stopped.
        self.restoring: Path | None = None

    def __enter__(self) -> "Orchestrator":
        try:
            self._build(self._running)
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _build(self, running: ExitStack) -> None:
        settings = self._settings
        check_libvips()
        found = features.load()
        parts = self._parts = Parts()
        parts.add(settings)
        parts.add(now_ms, Callable[[], int])
        passwords = parts.add(Passwords(settings.library))
        parts.add(TrustedProxies(settings.proxies))
        if self._serving:
            binding.check_wide(settings.host, settings.names, has_password=passwords.is_set)
        self._open_library(running, parts)
        self._open_address(running, parts)
        workers = running.enter_context(
            WorkerPool(settings.workers, memory_bytes=settings.worker_memory_bytes, task_limit_s=settings.task_limit_s)
        )
        parts.add(workers, Executor)
        parts.add(ThumbCache(settings.library / "thumbs", SHORT_EDGES_PX))
        self._open_search(running, parts)
        progress = parts.add(JobProgress())
        self._live = running.enter_context(LiveUpdates(self.database, progress, parts.add(EventStream())))
        parts.add(FolderWatcher())
        parts.add(RestoreRequest(self._ask_to_restore))
        token_file = settings.library / instance_file.TOKEN_FILE
        self.sessions = parts.add(Sessions.open(token_file, create_launch(self.port)))
        self._start_features(running, parts, found)
        self._start_jobs(running, workers, parts, found)
        parts.add(running.enter_context(EditRunner(self.database, now_ms=now_ms)))
        if self._serving:
            running.enter_context(self.sessions.keep_cookie_in(settings.library / SESSION_FILE))
        self.app = build_app(parts, found)

    @property
    def importing(self) -> ImportService:
        return self._parts.get(ImportService)

    def _open_library(self, running: ExitStack, parts: Parts) -> None:
        settings = self._settings
        self.database = running.enter_context(Database.open(settings.library, read_limit_ms=settings.read_limit_ms))
        parts.add(self.database)
        if self._serving:
            running.enter_context(log_file.log_to_file(settings.library))
        self._warn_about_location()

    def _open_address(self, running: ExitStack, parts: Parts) -> None:
        settings = self._settings
        self._sockets = self._listen(running) if self._serving else []
        port = self._sockets[0].getsockname()[1] if self._sockets else settings.port
        self.base_url = f"http://127.0.0.1:{port}"
        names = self._external_names()
        external = binding.list_external(port, names)
        self.address = parts.add(GalleryAddress(self.base_url, binding.list_origins(port, names), external))

    def _open_search(self, running: ExitStack, parts: Parts) -> None:
        vectors = self._settings.library / "vectors"
        duplicates = parts.add(Duplicates(self.database))
        parts.add(
            Snapshots(
                self.database,
                self._start_index(running),
                similarity=running.enter_context(closing(Similarity(self.database, vectors))),
                looks=running.enter_context(closing(Similarity(self.database, vectors, PICTURES))),
                duplicates=duplicates,
            )
        )

    def _start_features(self, running: ExitStack, parts: Parts, found: Sequence[Feature]) -> None:
        """Starts features in the order of the list, early loops first; they are closed in reverse."""
        for feature in found:
            for make in feature.parts:
                parts.add(parts.call(make))
        loops = [loop for feature in found for loop in feature.background]
        for loop in sorted(loops, key=lambda one: not one.early):
            if self._serving or not loop.only_serving:
                part = running.enter_context(parts.call(loop.start))
                if part is not None and not parts.has(type(part)):
                    parts.add(part)
        if self._serving:
            backfills = [backfill for feature in found for backfill in feature.backfills]
            running.enter_context(BackfillRunner(self.database, backfills, now_ms=now_ms))

    def _external_names(self) -> Sequence[str]:
        """The host names for other machines; empty while only this machine can connect."""
        if not (self._serving and binding.is_wide(self._settings.host)):
            return ()
        return (*self._settings.names, *binding.find_lan_addresses(self._settings.host))

    def _listen(self, running: ExitStack) -> list[socket.socket]:
        opened = binding.open_sockets(self._settings.host, self._settings.port)
        return [running.enter_context(one) for one in opened]

    def _start_index(self, running: ExitStack) -> Index:
        index = running.enter_context(Index(self.database))
        if self._serving:
            # For a single command, SQL is faster than building the index.
            index.start()
        return index

    def _warn_about_location(self) -> None:
        """Warns in the terminal and in the event log, at every start, about a risky location of the library."""
        danger = location_checks.find_location_risk(self._settings.library)
        if danger is not None:
            log.warning("%s", danger)
            self.database.write_bulk(
                event_log.append, level="warning", kind="library.place", subject=danger, data={}, now_ms=now_ms()
            )

    def _start_jobs(self, running: ExitStack, workers: WorkerPool, parts: Parts, found: Sequence[Feature]) -> None:
        """Starts the dispatcher. Slow jobs and image analysis have their own workers, which start when needed."""
        cluster = self._cluster(running, workers)
        runs = {task: parts.call(make) for feature in found for task, make in (feature.in_process or {}).items()}
        executors = Executors(
            workers=cluster or workers,
            slow=self._extra_worker(running, self._settings.worker_memory_bytes, self._settings.slow_task_limit_s),
            gpu=self._extra_worker(running, self._settings.vision_memory_bytes, VISION_TASK_LIMIT_S),
            in_process=InProcessExecutor(runs),
            in_flight=MAX_IN_FLIGHT if cluster else self._settings.workers * 4,
            in_view=self._settings.workers * 2,
        )
        progress = parts.get(JobProgress)
        running.enter_context(Dispatcher(self.database, executors, progress=progress, now_ms=now_ms))

    def _extra_worker(self, running: ExitStack, memory_bytes: int, task_limit_s: float) -> WorkerPool:
        pool = WorkerPool(1, memory_bytes=memory_bytes, task_limit_s=task_limit_s, when_needed=True)
        return running.enter_context(pool)

    def _cluster(self, running: ExitStack, workers: WorkerPool) -> ClusterExecutor | None:
        """None: all jobs run on this machine."""
        settings = self._settings
        if settings.executor == "local":
            return None
        return running.enter_context(
            ClusterExecutor(
                parse_scheduler_address(settings.executor),
                workers,
                send_files=settings.send_files,
                memory_bytes=settings.worker_memory_bytes,
                task_limit_s=settings.task_limit_s,
            )
        )

    # -- serving ------------------------------------------------------------------------------

    def create_sign_in_links(self, valid_s: int = CODE_LIMIT_S) -> tuple[str, str | None]:
        """A URL that signs in on this machine, and one for other machines, if they can connect. Each works once."""
        return create_sign_in_links(self.sessions, self.address, valid_s)

    def serve(self) -> None:
        """Serves the gallery until interrupted or asked to restore a backup. Meanwhile `address.json` contains its
        URL."""
        assert self._sockets
        config = uvicorn.Config(
            self.app,
            http="httptools",
            ws="none",
            # Its loggers write to our log, which limits repetitions.
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
            server_header=False,
            # Forwarded headers can be forged.
            proxy_headers=False,
        )
        address = self._settings.library / instance_file.ADDRESS_FILE
        if address.exists():
            self._log_unclean_exit()
        instance_file.write_address(address, self.base_url, self.sessions.launch)
        for root in self.database.read(folders.list_watched):
            self.importing.start_changed(root, [b""], recursive=True)
        try:
            # Ctrl+C is raised again once the server has closed its connections.
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(self._serve(GalleryServer(config, self.sessions)))
        finally:
            address.unlink(missing_ok=True)

    def _log_unclean_exit(self) -> None:
        """Records that the previous process did not shut down cleanly, because its address file still exists."""
        why = (
            "MystiCanvas did not shut down cleanly: it crashed, was killed, or the machine lost power. No saved "
            "changes were lost."
        )
        self.database.write_bulk(
            event_log.append, level="warning", kind="crash.gallery", subject=None, data={"why": why}, now_ms=now_ms()
        )

    async def _serve(self, server: uvicorn.Server) -> None:
        serving = asyncio.create_task(server.serve(sockets=self._sockets))
        while not serving.done():
            await asyncio.wait([serving], timeout=0.2)
            server.should_exit = server.should_exit or self.restoring is not None
            if server.should_exit:
                # Event streams do not end on their own.
                self._live.__exit__()
        await serving

    def _ask_to_restore(self, copy: Path) -> None:
        if not self._serving:
            raise ConflictError(
                f"The server is not running. To restore this backup, run: mysticanvas backup restore {copy}"
            )
        self.sessions.keep_cookie = True
        self.restoring = copy

    @property
    def port(self) -> int:
        return int(self.base_url.rpartition(":")[2])


def serve_library(settings: Settings, paths: list[str], *, on_ready: Callable[[Orchestrator], None]) -> None:
    """Imports the folders and serves the library until interrupted. Calls `on_ready` once it is ready. To restore
    a backup, stops the Orchestrator, restores, and serves again."""
    _limit_heap_arenas()
    raise_descriptor_limit()
    restored: list[dict[str, Any]] | None = None
    while True:
        with Orchestrator(settings, serving=True) as orchestrator:
            if restored is None:
                if paths:
                    orchestrator.importing.start(paths)
                on_ready(orchestrator)
            else:
                for event in restored:
                    orchestrator.database.write(event_log.append, subject=None, now_ms=now_ms(), **event)
            orchestrator.serve()
        if orchestrator.restoring is None:
            return
        restored = _restore(settings.library, orchestrator.restoring)
        settings = settings.model_copy(update={"port": orchestrator.port})


def _limit_heap_arenas() -> None:
    """Limits memory fragmentation in a process that runs for weeks. By default glibc creates up to eight heap arenas
    per core, and memory freed in one is not available to the others. Has no effect on other systems."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


def _restore(library: Path, copy: Path) -> list[dict[str, Any]]:
    """Restores a backup and returns the events to record. A backup that cannot be restored leaves the library
    unchanged."""
    try:
        done = backup_service.restore(library, copy)
    except (MystiCanvasError, OSError) as error:
        log.warning("a backup could not be restored", extra={"reason": str(error)})
        return [{"level": "error", "kind": "restore.failed", "data": {"name": copy.name, "reason": str(error)}}]
    kept = None if done.previous is None else Path(done.previous.path).name
    events = [{"level": "info", "kind": "restore", "data": {"name": copy.name, "kept": kept}}]
    if done.newer_edits is not None:
        events.append({"level": "info", "kind": "journal.kept", "data": {"why": done.newer_edits}})
    return events
