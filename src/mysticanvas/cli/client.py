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

from mysticanvas.cli.gallery import Gallery
from mysticanvas.cli.starting import open_unless_served
from mysticanvas.db.lock import find_holder
from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import (
    LibraryBusyError,
    LibraryError,
)
from mysticanvas.fs.instance_file import read_token
from mysticanvas.settings import Settings

POLL_S = 0.2
_NOT_RUNNING = "MystiCanvas is not running. Start it with mysticanvas serve."


class Client(Protocol):
    """A JSON client. Raises the `MystiCanvasError` that corresponds to the status of a response."""

    def get(self, path: str, **query: Any) -> Any: ...

    def post(self, path: str, body: Any = None) -> Any: ...

    def put(self, path: str, body: Any) -> Any: ...

    def patch(self, path: str, body: Any) -> Any: ...

    def delete(self, path: str) -> Any: ...

    def text(self, path: str) -> str: ...

    def read_bytes(self, path: str) -> bytes: ...


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


def make_absolute(path: Path) -> str:
    """Returns the entered path as an absolute path, because the Orchestrator may have a different working directory."""
    return os.path.abspath(parse_entered_path(path))


def wait_for_jobs(client: Client) -> None:
    """Waits until no job is waiting or running."""
    while any(kind["waiting"] or kind["running"] for kind in client.get("/api/v1/jobs/summary")["kinds"]):
        time.sleep(POLL_S)
