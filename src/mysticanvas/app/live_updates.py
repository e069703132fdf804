"""Live updates: collects what commits change and publishes it to open pages."""

import threading
import time
from dataclasses import asdict

from mysticanvas.db.database import ChangeSet, Database
from mysticanvas.db.images import generations
from mysticanvas.http.sse import EventStream
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.progress import COUNTING_SHARE, JobProgress

# Changes are collected for this long, so that an import does not send one message per file.
GATHER_S = 0.5
MAX_ITEM_IDS = 500


class LiveUpdates:
    """Publishes while the context is open; closing it closes the stream."""

    def __init__(self, database: Database, progress: JobProgress, stream: EventStream) -> None:
        self._database = database
        self._progress = progress
        self._stream = stream
        self._count_from_s = 0.0
        self._lock = threading.Lock()
        self._gathered = ChangeSet()
        self._due: threading.Timer | None = None
        self._closed = False
        database.after_commit(self._on_commit)
        database.problems.on_change(lambda sentence: stream.publish("trouble", {"sentence": sentence}))

    def __enter__(self) -> "LiveUpdates":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
            if self._due is not None:
                self._due.cancel()
        self._stream.close()

    def _on_commit(self, changes: ChangeSet) -> None:
        with self._lock:
            self._gathered.merge(changes)
            if self._due is None and not self._closed:
                self._due = threading.Timer(GATHER_S, self._publish)
                self._due.daemon = True
                self._due.start()

    def _publish(self) -> None:
        with self._lock:
            changes, self._gathered, self._due = self._gathered, ChangeSet(), None
            if self._closed:
                return
        if changes.added or changes.removed:
            total = self._database.read(generations.count_images)
            self._stream.publish(
                "images", {"added": len(changes.added), "removed": len(changes.removed), "total": total}
            )
        if changes.changed:
            ids = list(dict.fromkeys(changes.changed))[-MAX_ITEM_IDS:]
            complete = len(set(changes.changed)) <= MAX_ITEM_IDS
            uuids = self._database.read(generations.list_uuids, ids) if complete else None
            self._stream.publish("item", {"uuids": uuids})
        if changes.jobs:
            self._publish_jobs()
        invalidated = changes.invalidated | ({"events"} if changes.events else set())
        if invalidated:
            self._stream.publish("stale", {"lists": sorted(invalidated)})

    def _publish_jobs(self) -> None:
        began_s = time.monotonic()
        if began_s < self._count_from_s:
            # Too soon after the last count: publish later.
            self._on_commit(ChangeSet(jobs=True))
            return
        states, paused = self._database.read(lambda tx: (job_queries.list_states(tx), job_queue.list_paused(tx)))
        self._stream.publish("jobs", {"kinds": [asdict(kind) for kind in self._progress.estimate(states, paused)]})
        ended_s = time.monotonic()
        self._count_from_s = ended_s + (ended_s - began_s) / COUNTING_SHARE
