"""Clients for the library's HTTP API.

If a gallery serves the library, requests are sent to it over the loopback interface after it has proved its identity
(`cli/gallery.py`). Otherwise, the same application runs in this process and holds the library's lock.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn, Protocol

import httpx

from mysticanvas.cli.gallery import Gallery
from mysticanvas.cli.starting import open_unless_served
from mysticanvas.db.lock import find_holder
from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import (
    ConflictError,
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
SLOW_PATHS = ("/api/v1/doctor", "/api/v1/backups")
SLOW_LIMIT_S = 1_800.0
POLL_S = 0.2
# More than the export of the largest library that we test.
MAX_REPLY_BYTES = 1024 * 1024 * 1024
_NOT_RUNNING = "MystiCanvas is not running. Start it with mysticanvas serve."


class Client(Protocol):
    """A JSON client. Raises the `MystiCanvasError` that corresponds to the status of a response."""

    def get(self, path: str, **query: Any) -> Any: ...

    def post(self, path: str, body: Any = None) -> Any: ...

    def put(self, path: str, body: Any) -> Any: ...

    def patch(self, path: str, body: Any) -> Any: ...

    def delete(self, path: str) -> Any: ...

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
    # Settings of a proxy in the environment are not meant for this machine, and a proxy would see the key.
    with httpx.Client(
        base_url=gallery.url, headers=gallery.headers, timeout=REQUEST_LIMIT_S, trust_env=False, follow_redirects=False
    ) as http:
        yield _HeldClient(http)


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


class _HeldClient:
    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, path: str, **query: Any) -> Any:
        return self._send("GET", path, params=drop_none(query))

    def post(self, path: str, body: Any = None) -> Any:
        return self._send("POST", path, json=body if body is not None else {})

    def put(self, path: str, body: Any) -> Any:
        return self._send("PUT", path, json=body)

    def patch(self, path: str, body: Any) -> Any:
        return self._send("PATCH", path, json=body)

    def delete(self, path: str) -> Any:
        return self._send("DELETE", path)

    def text(self, path: str) -> str:
        """Returns the body of a response as text."""
        return check_reply(self._ask("GET", path)).text

    def _send(self, method: str, path: str, **how: Any) -> Any:
        return read_json(self._ask(method, path, **how))

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            limit_s = SLOW_LIMIT_S if path.startswith(SLOW_PATHS) else REQUEST_LIMIT_S
            with self._http.stream(method, path, timeout=limit_s, **how) as response:
                status, content = response.status_code, _read_bounded(response)
        except httpx.RequestError as error:
            raise LibraryBusyError(
                "Another MystiCanvas process is using this library and does not respond. Wait a moment and try again, "
                "or stop that process."
            ) from error
        if status == 401:
            raise LibraryError(
                "The gallery was restarted, or its token was replaced, while this command was running. "
                "Run the command again."
            )
        return httpx.Response(status, content=content)


def _read_bounded(response: httpx.Response) -> bytes:
    content, deadline_s = bytearray(), time.monotonic() + REPLY_LIMIT_S
    for block in response.iter_bytes():
        content += block
        if len(content) > MAX_REPLY_BYTES:
            raise LibraryError(f"The response from the gallery is larger than {MAX_REPLY_BYTES:,} bytes.")
        if time.monotonic() > deadline_s:
            raise httpx.ReadTimeout("the response took too long", request=response.request)
    return bytes(content)


def drop_none(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


_ERRORS: dict[int, type[MystiCanvasError]] = {
    400: InvalidInputError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    422: InvalidInputError,
}


def read_json(response: httpx.Response) -> Any:
    checked = check_reply(response)
    try:
        return checked.json() if checked.content else None
    except (ValueError, RecursionError) as error:
        raise LibraryError("The response from the gallery is not valid JSON. Restart MystiCanvas.") from error


def check_reply(response: httpx.Response) -> httpx.Response:
    """Raises the error that corresponds to the status of the response."""
    if response.is_success:
        return response
    try:
        body = response.json()
        sentence = str(body["detail"])
        if body.get("suggestion"):
            sentence += f" Did you mean {body['suggestion']} ?"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sentence = f"The server returned HTTP status {response.status_code}."
    raise _ERRORS.get(response.status_code, LibraryError)(sentence)


def make_absolute(path: Path) -> str:
    """Returns the entered path as an absolute path, because the Orchestrator may have a different working directory."""
    return os.path.abspath(parse_entered_path(path))


def wait_for_jobs(client: Client) -> None:
    """Waits until no job is waiting or running."""
    while any(kind["waiting"] or kind["running"] for kind in client.get("/api/v1/jobs/summary")["kinds"]):
        time.sleep(POLL_S)
