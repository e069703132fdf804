"""Clients for the library's HTTP API.

If a gallery serves the library, requests are sent to it over the loopback interface after it has proved its identity
(`cli/gallery.py`). Otherwise, the same application runs in this process and holds the library's lock.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

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
    # Loads the HTTP client of the standard library, which takes longer than a command that asks no gallery.
    from mysticanvas.cli.http_client import HttpClient

    client = HttpClient(gallery)
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
