"""A server with the limits of the product, in a thread, whose seconds pass when a test says so."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

import uvicorn
from starlette.types import Receive, Scope, Send

from mysticanvas.http import binding
from mysticanvas.http.gate import Gate
from mysticanvas.http.limits import Limits
from mysticanvas.http.server import GalleryServer
from mysticanvas.http.sessions import Sessions

T = TypeVar("T")

TOKEN = "the-token"
SIGNED = f"Authorization: Bearer {TOKEN}"
# Against hanging.
PATIENCE_S = 20.0
LARGE_BYTES = 40_000_000


class Running:
    """`server` runs on `loop`; `now_s` is its clock."""

    def __init__(self, limits: Limits) -> None:
        self.now_s = 1_000.0
        self.sockets = binding.open_sockets("127.0.0.1", 0)
        self.port = int(self.sockets[0].getsockname()[1])
        sessions, host = Sessions(TOKEN), f"127.0.0.1:{self.port}"
        gate = Gate(application, sessions=sessions, origins={host: f"http://{host}"})
        config = uvicorn.Config(gate, http="httptools", ws="none", log_config=None, timeout_graceful_shutdown=1)
        self.server = GalleryServer(config, sessions, limits=limits, clock=lambda: self.now_s)
        self.loop = asyncio.new_event_loop()
        self._thread = Thread(target=self.loop.run_until_complete, args=[self.server.serve(self.sockets)])

    def __enter__(self) -> "Running":
        self._thread.start()
        self.until(lambda: self.server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        self.loop.close()

    def on_loop(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(PATIENCE_S)

    def until(self, happened: Callable[[], bool]) -> None:
        """Returns once this holds on the loop, which runs a round between two looks."""

        async def wait() -> None:
            while not happened():
                await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(asyncio.wait_for(wait(), PATIENCE_S), self.loop).result()

    def pass_s(self, seconds: float) -> None:
        """Lets the time pass, and whatever is overdue be closed."""
        # What the server does just now is finished first.
        self.on_loop(lambda: None)
        self.now_s += seconds
        self.on_loop(self.server.connections.close_overdue)

    @property
    def open_connections(self) -> int:
        return self.on_loop(lambda: len(self.server.connections))

    def unsent_bytes(self) -> int:
        """What waits to be sent on all connections. On the loop only."""
        return sum(one.transport.get_write_buffer_size() for one in self.server.server_state.connections)

    # -- clients ------------------------------------------------------------------------------

    def connect(self, sent: bytes = b"", *, address: str = "127.0.0.1") -> socket.socket:
        """A connection that the server knows and that has sent this."""
        known = self.on_loop(lambda: self.server.connections.count)
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S, source_address=(address, 0))
        self.until(lambda: self.server.connections.count > known)
        client.sendall(sent)
        return client

    def request(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *headers, "", ""]
        return "\r\n".join(lines).encode() + body


@contextmanager
def running(**limits: Any) -> Iterator[Running]:
    with Running(Limits(**limits)) as server:
        yield server


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """`/api/v1/events/stream` sends one message and never ends, `/large` is large, all else says how long the body
    was."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/api/v1/events/stream":
        await send({"type": "http.response.body", "body": b"hello", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    if scope["path"] == "/large":
        await send({"type": "http.response.body", "body": bytes(LARGE_BYTES)})
        return
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.body", "body": f"length {length}.".encode()})


def read_reply(client: socket.socket, until: bytes) -> bytes:
    """What the server sends, up to and including this."""
    found = b""
    while until not in found:
        part = client.recv(65_536)
        assert part, f"the server closed the connection after {found!r}"
        found += part
    return found


def read_some(client: socket.socket, length: int) -> int:
    """Reads this much. Returns how much it was."""
    found = 0
    while found < length:
        part = client.recv(length - found)
        assert part, "the server closed the connection"
        found += len(part)
    return found


def read_all(client: socket.socket) -> bytes:
    """What the server sends until it closes the connection."""
    found = b""
    try:
        while part := client.recv(65_536):
            found += part
    except ConnectionError:
        pass
    return found


def is_cut(client: socket.socket) -> bool:
    """Whether the server closes the connection without a reply. Waits for it."""
    return read_all(client) == b""


def send_until_cut(client: socket.socket, part: bytes, *, most: int) -> int:
    """Sends `part` again and again until the server closes the connection or `most` bytes are sent. How many."""
    sent = 0
    try:
        while sent < most:
            client.sendall(part)
            sent += len(part)
    except ConnectionError:
        pass
    return sent
