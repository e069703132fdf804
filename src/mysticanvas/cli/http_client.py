"""The client of a running gallery, written with the standard library: other HTTP clients take longer to load than a
request takes."""

import http.client
import json
import select
import threading
import time
import weakref
from typing import Any

from mysticanvas.cli import replies
from mysticanvas.cli.gallery import Gallery
from mysticanvas.cli.replies import Reply, check_reply, encode_query, read_json
from mysticanvas.domain.errors import LibraryBusyError, LibraryError

READ_BYTES = 64 * 1024


class HttpClient:
    """Sends requests to the gallery, over one connection in each thread that uses it. It follows no redirects and uses
    no proxy, which would see the key."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._headers = gallery.headers
        self._own = threading.local()
        self._connections = weakref.WeakSet[http.client.HTTPConnection]()
        self._adding = threading.Lock()

    def close(self) -> None:
        with self._adding:
            connections = list(self._connections)
        for connection in connections:
            connection.close()

    @property
    def _connection(self) -> http.client.HTTPConnection:
        """The connection of this thread."""
        found: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if found is None:
            gallery = self._gallery
            found = http.client.HTTPConnection(gallery.host, gallery.port, timeout=replies.REQUEST_LIMIT_S)
            self._own.connection = found
            with self._adding:
                self._connections.add(found)
        return found

    def get(self, path: str, **query: Any) -> Any:
        return read_json(self._ask("GET", path + encode_query(query)))

    def post(self, path: str, body: Any = None) -> Any:
        return read_json(self._ask("POST", path, {} if body is None else body))

    def put(self, path: str, body: Any) -> Any:
        return read_json(self._ask("PUT", path, body))

    def patch(self, path: str, body: Any) -> Any:
        return read_json(self._ask("PATCH", path, body))

    def delete(self, path: str) -> Any:
        return read_json(self._ask("DELETE", path))

    def text(self, path: str) -> str:
        """Returns the body of a response as text."""
        return self.read_bytes(path).decode("utf-8", "replace")

    def read_bytes(self, path: str) -> bytes:
        return check_reply(self._ask("GET", path)).content

    def _ask(self, method: str, path: str, body: Any = None) -> Reply:
        try:
            reply = self._send(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise LibraryBusyError(
                "Another MystiCanvas process is using this library and does not respond. Wait a moment and try again, "
                "or stop that process."
            ) from error
        if reply.status == 401:
            raise LibraryError(
                "The gallery was restarted, or its token was replaced, while this command was running. "
                "Run the command again."
            )
        return reply

    def _send(self, method: str, path: str, body: Any) -> Reply:
        content = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({} if content is None else {"Content-Type": "application/json"})
        connection = self._connection
        connection.timeout = replies.SLOW_LIMIT_S if path.startswith(replies.SLOW_PATHS) else replies.REQUEST_LIMIT_S
        if connection.sock is not None:
            connection.sock.settimeout(connection.timeout)
            # The gallery has closed a connection that was idle for some seconds.
            if select.select([connection.sock], [], [], 0)[0]:
                connection.close()
        connection.request(method, path, content, headers)
        with connection.getresponse() as response:
            return Reply(response.status, _read_bounded(response))


def _read_bounded(response: http.client.HTTPResponse) -> bytes:
    content, deadline_s = bytearray(), time.monotonic() + replies.REPLY_LIMIT_S
    while block := response.read1(READ_BYTES):
        content += block
        if len(content) > replies.MAX_REPLY_BYTES:
            raise LibraryError(f"The response from the gallery is larger than {replies.MAX_REPLY_BYTES:,} bytes.")
        if time.monotonic() > deadline_s:
            raise TimeoutError("the response took too long")
    if response.length:
        raise http.client.IncompleteRead(bytes(content), response.length)
    return bytes(content)
