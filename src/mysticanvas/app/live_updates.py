"""Live updates: collects what commits change and publishes it to open pages and scripts."""

import threading
import time
from dataclasses import asdict

from mysticanvas.db.database import ChangeSet, Database
from mysticanvas.db.images import changed_images, generations
from mysticanvas.domain.event import EVENT_OF, IMAGE_EVENTS, EventKind, JobDone
from mysticanvas.http.sse import EventStream
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.progress import COUNTING_SHARE, JobProgress

# Changes are collected for this long, so that an import does not send one message per file.
GATHER_S = 0.5
# A message lists at most MAX_PER_MESSAGE images; more than MAX_LISTED changed at once are only counted.
MAX_PER_MESSAGE = 1_000
MAX_LISTED = 10_000


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
        if changes.added or changes.changed or changes.removed:
            self._publish_images(changes)
        self._publish_ended(changes)
        if changes.jobs:
            self._publish_jobs()
        invalidated = changes.invalidated | ({"events"} if changes.events else set())
        if invalidated:
            self._stream.publish("stale", {"lists": sorted(invalidated)})

    def _publish_images(self, changes: ChangeSet) -> None:
        total = self._database.read(generations.count_images)
        if len(changes.added) + len(changes.changed) + len(changes.removed) > MAX_LISTED:
            # To list them would take longer than the changes did.
            for kind, images in zip(IMAGE_EVENTS, (changes.added, changes.changed, changes.removed), strict=True):
                if images:
                    self._stream.publish(kind, {"uuids": None, "count": len(set(images)), "total": total})
            return
        for kind, uuids in self._database.read(changed_images.list_changed, changes).items():
            for start in range(0, len(uuids), MAX_PER_MESSAGE):
                some = uuids[start : start + MAX_PER_MESSAGE]
                self._stream.publish(kind, {"uuids": some, "count": len(some), "total": total})

    def _publish_ended(self, changes: ChangeSet) -> None:
        jobs = [asdict(one) for one in changes.ended if isinstance(one, JobDone)]
        for start in range(0, len(jobs), MAX_PER_MESSAGE):
            self._stream.publish(EventKind.JOB_DONE, {"jobs": jobs[start : start + MAX_PER_MESSAGE]})
        for one in changes.ended:
            if not isinstance(one, JobDone):
                self._stream.publish(EVENT_OF[type(one)], asdict(one))

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
