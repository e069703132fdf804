"""Events of the running gallery, as an iterator that continues after a lost connection."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from mysticanvas.cli.gallery import Gallery, find_gallery
from mysticanvas.domain.errors import InvalidInputError, LibraryBusyError, LibraryError
from mysticanvas.domain.event import EventKind
from mysticanvas.library.records import Event

# The gallery sends something at least every 15 seconds.
SILENCE_LIMIT_S = 60.0
RETRY_S = 0.5
# A gallery that restarts, perhaps with an upgrade of the library, is back within this time.
RECONNECT_LIMIT_S = 120.0
RESET = "reset"


class Events:
    """`library.events(…)`: an iterator of `Event` that waits for the next one. `close` ends it, from any thread.

    It is connected as soon as it is created. After a lost connection it reconnects, also to a restarted gallery, and
    continues after the last event. An event with the kind "reset" means that events were lost: search again. Raises
    `LibraryError` if the gallery does not come back.
    """

    def __init__(
        self, library: Path, kinds: Sequence[str], since: str | None, on_restart: Callable[[], object] = lambda: None
    ) -> None:
        """Use `Library.events`. `on_restart` is called when another launch of the gallery serves the library."""
        # What `close` uses comes first.
        self._stream: _Stream | None = None
        self._closed = threading.Event()
        self._changing, self._reading = threading.Lock(), threading.Lock()
        self._library = library
        self._path = f"/api/v1/events/stream?{urlencode([('types', kind) for kind in check_kinds(kinds)])}"
        self._on_restart = on_restart
        gallery = find_gallery(library)
        if gallery is None:
            raise LibraryError("Events come from a running gallery. Start it with mysticanvas serve, and try again.")
        self._gallery = gallery
        self._last = check_id(since)
        self._messages = self._connect(gallery)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        with self._reading:
            while not self._closed.is_set():
                with suppress(OSError, http.client.HTTPException):
                    for kind, data in self._messages:
                        if kind in (*EventKind, RESET):
                            return Event(self._last, kind, tuple(data.get("uuids") or ()), data)
                self._reconnect()
            raise StopIteration

    def close(self) -> None:
        """Ends the iteration, also in a thread that is waiting for an event. Calling it twice does nothing."""
        self._closed.set()
        with self._changing:
            stream = self._stream
            if stream is not None:
                stream.interrupt()
        if stream is not None:
            with self._reading:
                stream.close()

    def __del__(self) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def _connect(self, gallery: Gallery) -> Iterator[tuple[str, Any]]:
        """Returns the messages of a new connection, which the gallery has accepted."""
        stream = _Stream(gallery, self._path, self._last)
        messages = self._read(stream)
        with self._changing:
            previous, self._stream = self._stream, stream
            if self._closed.is_set():
                stream.interrupt()
        if previous is not None:
            previous.close()
        _, newest = next(messages, ("", ""))
        self._last = self._last or str(newest)
        return messages

    def _read(self, stream: "_Stream") -> Iterator[tuple[str, Any]]:
        for number, kind, data in stream:
            self._last = number or self._last
            yield kind, data

    def _reconnect(self) -> None:
        deadline_s = time.monotonic() + RECONNECT_LIMIT_S
        while not self._closed.wait(RETRY_S):
            with suppress(OSError, http.client.HTTPException, LibraryBusyError):
                gallery = find_gallery(self._library)
                if gallery is not None:
                    self._messages = self._connect(gallery)
                    self._note(gallery)
                    return
            if time.monotonic() > deadline_s:
                raise LibraryError(
                    "The gallery was stopped. Start it with mysticanvas serve, and wait for events again."
                )

    def _note(self, gallery: Gallery) -> None:
        if gallery != self._gallery:
            self._gallery = gallery
            self._on_restart()


class _Stream:
    """One connection: an iterator of ID, kind and data."""

    def __init__(self, gallery: Gallery, path: str, last: str) -> None:
        """Raises `OSError` or `HTTPException` if the gallery does not accept it."""
        address = urlsplit(gallery.url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=SILENCE_LIMIT_S)
        self._connection.connect()
        self._socket: socket.socket = self._connection.sock
        self._connection.request("GET", path, headers=gallery.headers | ({"Last-Event-ID": last} if last else {}))
        self._response = self._connection.getresponse()
        if self._response.status != 200:
            self._connection.close()
            raise http.client.HTTPException(f"status {self._response.status}")

    def __iter__(self) -> Iterator[tuple[str, str, Any]]:
        message: dict[str, str] = {}
        while line := self._response.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                message[name] = value
            elif message:
                yield message.get("id", ""), message.get("event", ""), json.loads(message.get("data", "null"))
                message = {}

    def interrupt(self) -> None:
        """Ends the iteration in another thread, which closing the connection does not."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._response.close()
        self._connection.close()


def check_kinds(kinds: Sequence[str]) -> Sequence[str]:
    """The kinds, or all of them. Raises `InvalidInputError` for one that does not exist."""
    for kind in kinds:
        if kind not in tuple(EventKind):
            raise InvalidInputError(f"“{kind}” is not an event. Use {', '.join(EventKind)}.")
    return kinds or tuple(EventKind)


def check_id(since: str | None) -> str:
    if since is not None and not (since.isascii() and since.isdigit() and len(since) <= 20):
        raise InvalidInputError("`since` is not the ID of an event.")
    return since or ""
