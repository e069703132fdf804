"""The HTTP server: uvicorn, with a limit on connections that prevents it from running out of file descriptors."""

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any

import uvicorn

from mysticanvas.http.connections import Connections, LimitedProtocol
from mysticanvas.http.gate import is_signed_in
from mysticanvas.http.limits import Descriptors, Limits
from mysticanvas.http.sessions import Sessions

log = logging.getLogger(__name__)

BACKLOG = 2_048
# Connections to accept before others get their turn on the event loop; fewer than one network may have.
BATCH = 16
_PAUSE_S = 0.05
_PAUSE_AFTER_ERROR_S = 0.5


class Acceptor:
    """Accepts connections on one socket, and pauses while few file descriptors are left. `close` and `wait_closed` work
    like those of `asyncio.Server`."""

    def __init__(
        self,
        listening: socket.socket,
        make_protocol: Callable[[], asyncio.Protocol],
        *,
        connections: Connections,
        descriptors: Descriptors,
    ) -> None:
        self._listening = listening
        self._make_protocol = make_protocol
        self._connections = connections
        self._descriptors = descriptors
        self._opening: set[asyncio.Task[Any]] = set()
        listening.setblocking(False)
        listening.listen(BACKLOG)
        self._accepting = asyncio.create_task(self._accept_all())

    def close(self) -> None:
        self._accepting.cancel()

    async def wait_closed(self) -> None:
        await asyncio.gather(self._accepting, *self._opening, return_exceptions=True)

    async def _accept_all(self) -> None:
        while True:
            for _ in range(BATCH):
                await self._wait_for_descriptors()
                await self._accept_one()
            await self._let_read()

    async def _let_read(self) -> None:
        """Waits until the data that has arrived on the accepted connections is read. If many connections arrive, a
        request that was sent together with its connection is read before that connection can become the oldest."""
        await asyncio.gather(*self._opening, return_exceptions=True)
        for _ in range(2):
            await asyncio.sleep(0)

    async def _accept_one(self) -> None:
        try:
            connection, _ = await asyncio.get_running_loop().sock_accept(self._listening)
        except ConnectionAbortedError:
            return
        except OSError:
            log.exception("connections cannot be accepted")
            await asyncio.sleep(_PAUSE_AFTER_ERROR_S)
            return
        # Not inherited from the listening socket on Windows.
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opening = asyncio.create_task(self._open(connection))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(self._make_protocol, connection)
        except OSError:
            # The client is gone already.
            connection.close()

    async def _wait_for_descriptors(self) -> None:
        """Waits until there are enough descriptors for another connection. Meanwhile, closes connections that are not
        signed in."""
        while self._descriptors.are_short(len(self._connections) + len(self._opening)):
            log.warning("too few file descriptors are left; new connections must wait")
            self._connections.close_one_unsigned()
            await asyncio.sleep(_PAUSE_S)


class GalleryServer(uvicorn.Server):
    """A uvicorn server that applies `Limits`. `clock` returns the time in seconds."""

    def __init__(
        self,
        config: uvicorn.Config,
        sessions: Sessions,
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__(config)
        self._limits = limits or Limits()
        self._descriptors = Descriptors(self._limits.reserved_descriptors)
        self.connections = Connections(self._limits, is_signed_in=partial(is_signed_in, sessions=sessions), clock=clock)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # Without sockets, uvicorn only starts the application.
        await super().startup(sockets=[])
        asyncio.get_running_loop().set_exception_handler(_log_loop_error)
        self.servers = [self._accept(one) for one in sockets or ()]  # type: ignore[misc]

    def _accept(self, listening: socket.socket) -> Acceptor:
        return Acceptor(listening, self._make_protocol, connections=self.connections, descriptors=self._descriptors)

    def _make_protocol(self) -> LimitedProtocol:
        return LimitedProtocol(self.connections, self.config, self.server_state, self.lifespan.state)

    async def on_tick(self, counter: int) -> bool:
        self.connections.close_overdue()
        return await super().on_tick(counter)


def _log_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Logs an error with our logger, which limits repetitions, instead of asyncio's logger."""
    log.error("error in the event loop", exc_info=context.get("exception"), extra={"context": context["message"]})
