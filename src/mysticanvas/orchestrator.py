"""START HERE. The Orchestrator: one process per library, and the list of its parts.

Parts are opened in the order below and closed in reverse. The library's lock is the first thing
taken (inside `Database.open`) and the last thing released.
"""

import json
import logging
import os
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import uvicorn
from fastapi import FastAPI

from mysticanvas.disk.watching import FolderWatcher
from mysticanvas.dispatching import Dispatcher
from mysticanvas.domain.errors import LibraryError
from mysticanvas.library.importing import Importing
from mysticanvas.library.thumb_cache import ThumbCache
from mysticanvas.search.snapshots import Snapshots
from mysticanvas.server.app import build_app
from mysticanvas.server.events import LiveUpdates
from mysticanvas.server.services import Services
from mysticanvas.server.sessions import Sessions
from mysticanvas.settings import Settings
from mysticanvas.store import roots
from mysticanvas.store.database import Database
from mysticanvas.store.roots import Root
from mysticanvas.worker.pool import WorkerPool

log = logging.getLogger(__name__)

TOKEN_FILE = "token"
ADDRESS_FILE = "address.json"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Orchestrator:
    """`serving`: whether folders are watched and waiting jobs worked off, as a gallery that stays
    open wants; a single command of the CLI wants neither unless it asks.

    Raises `LibraryError` when the library is held by another process or cannot be used.
    """

    def __init__(self, settings: Settings, *, serving: bool) -> None:
        self._settings = settings
        self._serving = serving
        self._running = ExitStack()

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
        self.database = running.enter_context(Database.open(settings.library))
        workers = running.enter_context(
            WorkerPool(
                settings.workers,
                memory_bytes=settings.worker_memory_bytes,
                task_limit_s=settings.task_limit_s,
            )
        )
        cache = ThumbCache(settings.library / "thumbs", settings.thumb_short_edges_px)
        self.live = LiveUpdates(self.database)
        self.importing = running.enter_context(
            Importing(
                self.database,
                workers,
                settle_s=settings.settle_s,
                now_ms=now_ms,
                on_progress=self.live.publish_import,
                on_root_added=self._watch,
            )
        )
        running.enter_context(Dispatcher(self.database, workers, cache, in_flight=settings.workers * 4, now_ms=now_ms))
        self._watcher = running.enter_context(FolderWatcher(self._on_change)) if self._watches else None
        self.sessions = Sessions.open(settings.library / TOKEN_FILE)
        self.app: FastAPI = build_app(
            Services(
                database=self.database,
                snapshots=Snapshots(self.database),
                live=self.live,
                importing=self.importing,
                cache=cache,
                sessions=self.sessions,
                settings=settings,
            )
        )
