"""Live updates: what happened, numbered, with the last thousand kept for who was away a moment.

Numbers begin at the launch's time, so that those of an earlier launch are older than any of this one:
who comes back with one hears of the gap.
"""

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import asdict

from mysticanvas.db.database import ChangeSet, Database
from mysticanvas.db.images import generations
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.importing.types import ImportProgress
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.progress import COUNTING_SHARE, JobProgress

KEPT = 1_000
PING_EVERY_S = 15.0
# Changes are gathered for this long, so that an import does not send a message a file.
GATHER_S = 0.5
MAX_ITEM_IDS = 500


class LiveUpdates:
    """`publish_…` may be called on any thread; `follow` runs on the server's event loop."""

    def __init__(self, database: Database, progress: JobProgress) -> None:
        self._database = database
        self._progress = progress
        self._count_from_s = 0.0
        self._ring: deque[tuple[int, str, str]] = deque(maxlen=KEPT)
        self._next = now_ms() << 10
        self._lock = threading.Lock()
        self._followers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._gathered = ChangeSet()
        self._due: threading.Timer | None = None
        self._closed = False
        database.after_commit(self._on_commit)
        database.on_trouble(lambda sentence: self._publish("trouble", {"sentence": sentence}))

    def __enter__(self) -> "LiveUpdates":
        return self

    def __exit__(self, *_: object) -> None:
        """Followers end, so that the server can stop."""
        with self._lock:
            self._closed = True
            if self._due is not None:
                self._due.cancel()
        self._wake()

    def publish_import(self, progress: ImportProgress) -> None:
        self._publish("import", asdict(progress))

    def _publish(self, kind: str, data: object) -> None:
        with self._lock:
            self._ring.append((self._next, kind, json.dumps(data, ensure_ascii=False)))
            self._next += 1
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            followers = list(self._followers)
        for loop, event in followers:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def _on_commit(self, changes: ChangeSet) -> None:
        with self._lock:
            self._gathered.take(changes)
            if self._due is None and not self._closed:
                self._due = threading.Timer(GATHER_S, self._tell)
                self._due.daemon = True
                self._due.start()

    def _tell(self) -> None:
        with self._lock:
            changes, self._gathered, self._due = self._gathered, ChangeSet(), None
            if self._closed:
                return
        if changes.added or changes.removed:
            total = self._database.read(generations.total)
            self._publish("images", {"added": len(changes.added), "removed": len(changes.removed), "total": total})
        if changes.changed:
            ids = list(dict.fromkeys(changes.changed))[-MAX_ITEM_IDS:]
            complete = len(set(changes.changed)) <= MAX_ITEM_IDS
            uuids = self._database.read(generations.uuids_of, ids) if complete else None
            self._publish("item", {"uuids": uuids})
        if changes.jobs:
            self._tell_jobs()
        stale = changes.stale | ({"events"} if changes.events else set())
        if stale:
            self._publish("stale", {"lists": sorted(stale)})

    def _tell_jobs(self) -> None:
        began_s = time.monotonic()
        if began_s < self._count_from_s:
            # Too soon after the last time: the change is kept for a little later.
            self._on_commit(ChangeSet(jobs=True))
            return
        states, paused = self._database.read(lambda tx: (job_queries.states(tx), job_queue.paused(tx)))
        self._publish("jobs", {"kinds": [asdict(kind) for kind in self._progress.of(states, paused)]})
        ended_s = time.monotonic()
        self._count_from_s = ended_s + (ended_s - began_s) / COUNTING_SHARE

    async def follow(self, last_seen: int | None) -> AsyncIterator[str]:
        """Messages of an event stream: `hello` with the newest number, those after `last_seen`, then
        others as they come. A `gap` says that some are lost and that the page should ask anew."""
        event = asyncio.Event()
        follower = (asyncio.get_running_loop(), event)
        with self._lock:
            self._followers.add(follower)
            newest = self._next - 1
            oldest = self._ring[0][0] if self._ring else self._next
        seen = newest if last_seen is None else last_seen
        try:
            yield f"retry: 1000\nevent: hello\ndata: {newest}\n\n"
            if last_seen is not None and (last_seen > newest or last_seen < oldest - 1):
                seen = newest
                yield f"id: {newest}\nevent: gap\ndata: {{}}\n\n"
            while not self._closed:
                for number, kind, data in self._after(seen):
                    seen = number
                    yield f"id: {number}\nevent: {kind}\ndata: {data}\n\n"
                try:
                    await asyncio.wait_for(event.wait(), PING_EVERY_S)
                except TimeoutError:
                    yield "event: ping\ndata: {}\n\n"
                event.clear()
        finally:
            with self._lock:
                self._followers.discard(follower)

    def _after(self, seen: int) -> list[tuple[int, str, str]]:
        with self._lock:
            return [message for message in self._ring if message[0] > seen]
