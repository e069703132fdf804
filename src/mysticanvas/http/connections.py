"""The table of open connections, with limits for clients that have not signed in.

If the table is full, the oldest waiting connection of the network with the most connections is closed, and the new
connection is always accepted. Therefore, a client that holds many connections open cannot lock out the owner.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from mysticanvas.http.gate import HEADERS
from mysticanvas.http.limits import Limits, get_network
from mysticanvas.http.problems import MEDIA_TYPE, encode_problem

log = logging.getLogger(__name__)

RawHeaders = Sequence[tuple[bytes, bytes]]


LOG_EVERY_S = 60.0


class Phase(StrEnum):
    """The phases of a connection: IDLE → HEADERS → BODY → RESPONSE → IDLE. A new connection starts in HEADERS."""

    IDLE = "idle"
    HEADERS = "headers"
    BODY = "body"
    RESPONSE = "response"


class Connections:
    """The table of connections of one server. Must be used only on its event loop. `is_signed_in` checks the headers of
    a request. `clock` returns the time in seconds."""

    def __init__(
        self,
        limits: Limits,
        *,
        is_signed_in: Callable[[RawHeaders], bool],
        clock: Callable[[], float],
    ) -> None:
        self.limits = limits
        self.is_signed_in = is_signed_in
        self.clock = clock
        # How many there have been.
        self.count = 0
        self._closed, self._logged_s = 0, -math.inf
        self._all: set[LimitedProtocol] = set()
        # By network, oldest first.
        self._unsigned: dict[str, dict[LimitedProtocol, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    @property
    def unsigned(self) -> int:
        return sum(map(len, self._unsigned.values()))

    def add(self, connection: "LimitedProtocol") -> None:
        """Adds a new connection. Closes an older one if there are too many."""
        same = self._unsigned.get(connection.network, {})
        if len(same) >= self.limits.unsigned_per_network:
            self._close_oldest(same)
        elif self.unsigned >= self.limits.unsigned:
            self.close_one_unsigned()
        self.count += 1
        self._all.add(connection)
        self._unsigned.setdefault(connection.network, {})[connection] = None

    def sign(self, connection: "LimitedProtocol") -> None:
        """Marks the connection as signed in."""
        same = self._unsigned.get(connection.network)
        if same is not None:
            same.pop(connection, None)
            if not same:
                del self._unsigned[connection.network]

    def remove(self, connection: "LimitedProtocol") -> None:
        self.sign(connection)
        self._all.discard(connection)

    def close_one_unsigned(self) -> bool:
        """Closes the oldest connection of the network with the most connections that are not signed in. Returns False
        if there are no such connections."""
        if not self._unsigned:
            return False
        self._close_oldest(max(self._unsigned.values(), key=len))
        return True

    def _close_oldest(self, same: "dict[LimitedProtocol, None]") -> None:
        # A connection that waits for a response, such as to its password, is closed last.
        oldest = next((one for one in same if one.phase is not Phase.RESPONSE), next(iter(same)))
        self.sign(oldest)
        oldest.cut()
        self._closed += 1
        # Not for each: in a flood, the log would take more time than the connections.
        if self.clock() - self._logged_s >= LOG_EVERY_S:
            log.warning("too many connections are not signed in; closing the oldest", extra={"closed": self._closed})
            self._closed, self._logged_s = 0, self.clock()

    def close_overdue(self) -> None:
        """Closes every connection that takes longer than the limits allow. Call this several times a second."""
        now_s = self.clock()
        for connection in [one for one in self._all if one.deadline_s is not None and one.deadline_s <= now_s]:
            connection.end()


class _RefusedError(Exception):
    """The request exceeds a limit. Raised inside the parser, which then stops."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(status)
        self.status = status
        self.detail = detail


_NOT_HTTP = (400, "The request is not valid HTTP.")
_TOO_LARGE_HEADERS = (431, "The request headers are too large.")
_TOO_LARGE_BODY = (413, "The request body is too large. Sign in, or send less data.")
_TOO_MANY_REQUESTS = (429, "Too many requests wait on this connection. Read the responses first.")


class LimitedProtocol(HttpToolsProtocol):
    """An HTTP protocol that applies the limits of `connections`. The deadline remains until the connection is lost, so
    a client that does not read cannot keep a closed connection open."""

    def __init__(
        self, connections: Connections, config: Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> None:
        super().__init__(config=config, server_state=server_state, app_state=app_state)
        # `close_overdue` closes idle connections instead.
        self.timeout_keep_alive = 24 * 3600
        self._table = connections
        self.network = ""
        self.phase = Phase.HEADERS
        self.deadline_s: float | None = None
        self._is_signed = False
        self._is_request_signed = False
        # Bytes of the current request: as received, in its present phase, and of its body.
        self._received = 0
        self._body_bytes = 0
        self._refusal: _RefusedError | None = None
        # Of the last reply, at the last deadline.
        self._unread_bytes = 0

    # -- the connection -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.network = get_network(self.client[0] if self.client else "")
        self._enter(Phase.HEADERS, self._table.limits.header_s)
        self._table.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._table.remove(self)
        super().connection_lost(exc)

    def cut(self) -> None:
        """Closes the connection and discards the data that the client has not read."""
        self.transport.abort()

    def end(self) -> None:
        """Closes the connection after its deadline, or extends the deadline if a signed-in client is still reading its
        response."""
        unread_bytes = self.transport.get_write_buffer_size()
        if self._is_signed and unread_bytes not in (0, self._unread_bytes):
            self._unread_bytes = unread_bytes
            self._enter(self.phase, self._table.limits.signed_idle_s)
        else:
            self.cut()

    def _enter(self, phase: Phase, limit_s: float | None) -> None:
        self.phase = phase
        self.deadline_s = None if limit_s is None else self._table.clock() + limit_s

    # -- the request --------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        before = self.phase
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.phase is Phase.HEADERS or self.phase is before:
            # Includes what the parser does not report, such as an endless header or chunk extension.
            self._received += len(data)
            refusal = self._check_received()
            if refusal is not None:
                self._refuse(refusal)

    def _check_received(self) -> _RefusedError | None:
        if self.phase is Phase.HEADERS and self._received > self._table.limits.header_bytes:
            return _RefusedError(*_TOO_LARGE_HEADERS)
        # Chunks of one byte are framed by five more.
        if (
            self.phase is Phase.BODY
            and not self._is_request_signed
            and self._received > 8 * self._table.limits.body_bytes
        ):
            return _RefusedError(*_TOO_LARGE_BODY)
        return None

    def on_message_begin(self) -> None:
        self._received = 0
        # The time for the first request began with the connection.
        if self.phase is not Phase.HEADERS:
            self._enter(Phase.HEADERS, self._table.limits.header_s)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        limits = self._table.limits
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > limits.header_bytes:
            raise self._stop(*_TOO_LARGE_HEADERS)
        if len(self.pipeline) >= limits.waiting_requests:
            raise self._stop(*_TOO_MANY_REQUESTS)
        self._is_request_signed = self._table.is_signed_in(self.headers)
        if self._is_request_signed and not self._is_signed:
            self._is_signed = True
            self._table.sign(self)
        if not self._is_request_signed and _declared_length(self.headers) > limits.body_bytes:
            raise self._stop(*_TOO_LARGE_BODY)
        self._received = self._body_bytes = 0
        self._enter(Phase.BODY, limits.signed_idle_s if self._is_request_signed else limits.body_s)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._count_body(body)
        super().on_body(body)

    def _count_body(self, body: bytes) -> None:
        if self._is_request_signed:
            self._enter(Phase.BODY, self._table.limits.signed_idle_s)
            return
        self._body_bytes += len(body)
        if self._body_bytes > self._table.limits.body_bytes:
            raise self._stop(*_TOO_LARGE_BODY)

    def on_message_complete(self) -> None:
        if self.cycle.response_complete:
            self._wait_for_request()
        else:
            # A signed client may read as slowly as it likes; an event stream never ends.
            self._enter(Phase.RESPONSE, None if self._is_request_signed else self._table.limits.response_s)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        # A stranger reads all of the reply within its limit.
        is_read = self._is_signed or self.transport.get_write_buffer_size() == 0
        if self.phase is Phase.RESPONSE and not self.pipeline and is_read:
            self._wait_for_request()
        super().on_response_complete()

    def _wait_for_request(self) -> None:
        self._enter(Phase.IDLE, self._table.limits.signed_idle_s if self._is_signed else self._table.limits.idle_s)

    # -- refusing -----------------------------------------------------------------------------

    def _stop(self, status: int, detail: str) -> _RefusedError:
        self._refusal = _RefusedError(status, detail)
        return self._refusal

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn when the parser stops."""
        self._refuse(self._refusal or _RefusedError(*_NOT_HTTP))

    def _refuse(self, refusal: _RefusedError) -> None:
        # In the middle of another response nothing can be said. uvicorn's type hides that there may be no cycle.
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.write(_encode_refusal(refusal))
        self._enter(self.phase, self._table.limits.idle_s)
        self.transport.close()


def _encode_refusal(refusal: _RefusedError) -> bytes:
    body = encode_problem(refusal.status, refusal.detail)
    lines = [
        f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}",
        f"content-type: {MEDIA_TYPE}",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in HEADERS.items()),
        *(["retry-after: 1"] if refusal.status == HTTPStatus.TOO_MANY_REQUESTS else []),
        "connection: close",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


def _declared_length(headers: RawHeaders) -> int:
    """Returns the body length that the headers declare, or 0 if they declare none. The parser has checked that it is a
    number."""
    return max((int(value) for name, value in headers if name == b"content-length" and value.isdigit()), default=0)
