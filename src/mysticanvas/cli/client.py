"""Clients for the library's HTTP API.

If a gallery serves the library, requests are sent to it over the loopback interface after it has proved its identity
(`cli/gallery.py`). Otherwise, the same application runs in this process and holds the library's lock.
"""

import http.client
import json
import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol
from urllib.parse import urlencode

from mysticanvas.cli.gallery import Gallery
from mysticanvas.cli.starting import open_unless_served
from mysticanvas.db.lock import find_holder
from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import (
    DAMAGED,
    ConflictError,
    DamagedLibraryError,
    InvalidInputError,
    LibraryBusyError,
    LibraryError,
    MystiCanvasError,
    NotFoundError,
)
from mysticanvas.fs.instance_file import read_token
from mysticanvas.settings import Settings

# Long enough for a long poll of 25 s, short enough to notice a server that hangs.
REQUEST_LIMIT_S = 60.0
# For a complete response, such as an export. A response that arrives byte by byte would never time out otherwise.
REPLY_LIMIT_S = 900.0
# Checks and backups read the database as a whole, and respond when they are done.
SLOW_PATHS = ("/api/doctor", "/api/backups")
SLOW_LIMIT_S = 1_800.0
POLL_S = 0.2
READ_BYTES = 64 * 1024
# More than the export of the largest library that we test.
MAX_REPLY_BYTES = 1024 * 1024 * 1024
_NOT_RUNNING = "MystiCanvas is not running. Start it with mysticanvas serve."


class Client(Protocol):
    """A JSON client. Raises the `MystiCanvasError` that corresponds to the status of a response."""

    def get(self, path: str, **query: Any) -> Any: ...

    def post(self, path: str, body: Any = None) -> Any: ...

    def text(self, path: str) -> str: ...


@contextmanager
def connect(settings: Settings) -> Iterator[Client]:
    """A client of the running gallery, or of the application opened in this process."""
    with ExitStack() as opened:
        found = open_unless_served(settings.library, lambda: opened.enter_context(_open_in_process(settings)))
        yield opened.enter_context(_open_held(found)) if isinstance(found, Gallery) else found


@contextmanager
def connect_to_gallery(settings: Settings) -> Iterator[Client]:
    """Yields a client for the running gallery. Raises `LibraryError` if no gallery is running."""
    found = open_unless_served(settings.library, lambda: _refuse_unless_starting(settings.library))
    with _open_held(found) as client:
        yield client


def _refuse_unless_starting(library: Path) -> NoReturn:
    if find_holder(library) is None:
        raise LibraryError(_NOT_RUNNING)
    raise LibraryBusyError(
        "Another MystiCanvas command is using this library. Wait until it finishes, and then try again."
    )


@contextmanager
def _open_held(gallery: Gallery) -> Iterator[Client]:
    client = _HeldClient(gallery)
    try:
        yield client
    finally:
        client.close()


InProcess = Callable[[Settings], AbstractContextManager[Client]]


def _refuse_to_open(settings: Settings) -> AbstractContextManager[Client]:
    raise LibraryError(
        "MystiCanvas is not running, and this command cannot open the library itself. Run mysticanvas serve first."
    )


_open_in_process: InProcess = _refuse_to_open


def set_in_process_opener(open_library: InProcess) -> None:
    """Sets the function that opens a library that is not being served. Called by `app/cli.py`."""
    global _open_in_process
    _open_in_process = open_library


def build_headers(settings: Settings) -> dict[str, str]:
    """Returns headers with the token, for the application in this process. The token is never sent to another
    process."""
    return {"Authorization": f"Bearer {read_token(settings.library)}"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete response."""

    status: int
    content: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class _HeldClient:
    """Sends requests to the gallery over one connection. Written with the standard library, because other HTTP clients
    take longer to load than the request takes. It follows no redirects and uses no proxy, which would see the key."""

    def __init__(self, gallery: Gallery) -> None:
        self._headers = gallery.headers
        self._connection = http.client.HTTPConnection(gallery.host, gallery.port, timeout=REQUEST_LIMIT_S)

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str, **query: Any) -> Any:
        return read_json(self._ask("GET", path + encode_query(query)))

    def post(self, path: str, body: Any = None) -> Any:
        return read_json(self._ask("POST", path, {} if body is None else body))

    def text(self, path: str) -> str:
        """Returns the body of a response as text."""
        return check_reply(self._ask("GET", path)).content.decode("utf-8", "replace")

    def _ask(self, method: str, path: str, body: Any = None) -> Reply:
        try:
            reply = self._send(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
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
        self._connection.timeout = SLOW_LIMIT_S if path.startswith(SLOW_PATHS) else REQUEST_LIMIT_S
        if self._connection.sock is not None:
            self._connection.sock.settimeout(self._connection.timeout)
            # The gallery has closed a connection that was idle for some seconds.
            if select.select([self._connection.sock], [], [], 0)[0]:
                self.close()
        self._connection.request(method, path, content, headers)
        with self._connection.getresponse() as response:
            return Reply(response.status, _read_bounded(response))


def _read_bounded(response: http.client.HTTPResponse) -> bytes:
    content, deadline_s = bytearray(), time.monotonic() + REPLY_LIMIT_S
    while block := response.read1(READ_BYTES):
        content += block
        if len(content) > MAX_REPLY_BYTES:
            raise LibraryError(f"The response from the gallery is larger than {MAX_REPLY_BYTES:,} bytes.")
        if time.monotonic() > deadline_s:
            raise TimeoutError("the response took too long")
    if response.length:
        raise http.client.IncompleteRead(bytes(content), response.length)
    return bytes(content)


def encode_query(query: dict[str, Any]) -> str:
    """The query of a URL, with its question mark. None is omitted, and a list is repeated."""
    given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in drop_none(query).items()}
    return f"?{urlencode(given, doseq=True)}" if given else ""


def drop_none(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


# The classes that decide the exit code. A response with any other status is a `LibraryError`: not possible now.
_ERRORS: dict[int, type[MystiCanvasError]] = {
    400: InvalidInputError,
    404: NotFoundError,
    409: ConflictError,
    410: ConflictError,
    412: ConflictError,
    413: InvalidInputError,
    422: InvalidInputError,
    429: LibraryBusyError,
}
# What to do, where the response does not say it.
_ADVICE = {
    410: "The search results have expired. Run the command again.",
    429: "Wait a moment, and then run the command again.",
}


def read_json(reply: Reply) -> Any:
    checked = check_reply(reply)
    try:
        return json.loads(checked.content) if checked.content else None
    except (ValueError, RecursionError) as error:
        raise LibraryError("The response from the gallery is not valid JSON. Restart MystiCanvas.") from error


def check_reply(reply: Reply) -> Reply:
    """Raises the error that corresponds to the status of the response."""
    if reply.is_success:
        return reply
    try:
        body = json.loads(reply.content)
        sentence = str(body["error"])
        if body.get("suggestion"):
            sentence += f" Did you mean {body['suggestion']} ?"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        body, sentence = {}, f"The server returned HTTP status {reply.status}."
    if body.get("type") == DAMAGED:
        raise DamagedLibraryError(sentence)
    if advice := _ADVICE.get(reply.status):
        sentence = f"{sentence} {advice}" if advice not in sentence else sentence
    raise _ERRORS.get(reply.status, LibraryError)(sentence)


def make_absolute(path: Path) -> str:
    """Returns the entered path as an absolute path, because the Orchestrator may have a different working directory."""
    return os.path.abspath(parse_entered_path(path))


def wait_for_jobs(client: Client) -> None:
    """Waits until no job is waiting or running."""
    while any(kind["waiting"] or kind["running"] for kind in client.get("/api/jobs")["kinds"]):
        time.sleep(POLL_S)
