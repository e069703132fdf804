"""Server-sent events: numbered messages, of which the last ones are kept for clients that reconnect.

Numbers are based on the start time of the server, so a client that reconnects with a number from an earlier run has a
lower number than any message of this run and receives a `reset` event.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Container

from mysticanvas.domain.clock import now_ms

# The newest messages up to both limits are kept.
KEPT_MESSAGES = 1_000
KEPT_CHARACTERS = 8_000_000
PING_EVERY_S = 15.0


class EventStream:
    """A stream of server-sent events. `publish` may be called on any thread. `follow` runs on the server's event
    loop."""

    def __init__(self) -> None:
        self._ring: deque[tuple[int, str, str]] = deque()
        self._kept_characters = 0
        self._next = now_ms() << 10
        self._lock = threading.Lock()
        self._followers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._closed = False
        self._admitted = 0

    def disconnect(self) -> None:
        """Ends all open streams. Clients that can still sign in reconnect and continue after their last message."""
        with self._lock:
            self._admitted += 1
        self._wake()

    def close(self) -> None:
        """Ends all open streams permanently, so the server can stop."""
        with self._lock:
            self._closed = True
        self._wake()

    def publish(self, kind: str, data: object) -> None:
        """Sends `data` as JSON to every open stream."""
        text = json.dumps(data, ensure_ascii=False)
        with self._lock:
            self._ring.append((self._next, kind, text))
            self._kept_characters += len(text)
            self._next += 1
            while len(self._ring) > KEPT_MESSAGES or self._kept_characters > KEPT_CHARACTERS:
                self._kept_characters -= len(self._ring.popleft()[2])
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            followers = list(self._followers)
        for loop, event in followers:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def follow(self, last_seen: int | None, kinds: Container[str] | None = None) -> AsyncIterator[str]:
        """Yields server-sent events: `hello` with the newest number, the messages after `last_seen`, then
        new ones as they arrive. A `reset` means that messages were lost and that the client should reload its data.
        `kinds` are those of the messages; None: all."""
        event = asyncio.Event()
        follower = (asyncio.get_running_loop(), event)
        with self._lock:
            self._followers.add(follower)
            admitted = self._admitted
            newest = self._next - 1
            oldest = self._ring[0][0] if self._ring else self._next
        seen = newest if last_seen is None else last_seen
        try:
            yield f"retry: 1000\nevent: hello\ndata: {newest}\n\n"
            if last_seen is not None and (last_seen > newest or last_seen < oldest - 1):
                seen = newest
                yield f"id: {newest}\nevent: reset\ndata: {{}}\n\n"
            while not self._closed and admitted == self._admitted:
                for number, kind, data in self._after(seen):
                    seen = number
                    if kinds is not None and kind not in kinds:
                        continue
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
