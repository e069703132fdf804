"""Access to the library through its HTTP API.

While a gallery serves the library, requests go to it over loopback, authenticated with the token from the library's
token file. Otherwise, the same application runs in this process and holds the same lock.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx

from mysticanvas.cli.starting import open_unless_served
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
# Checks and backups read the database as a whole, and respond when they are done.
SLOW_PATHS = ("/api/doctor", "/api/backups")
SLOW_LIMIT_S = 1_800.0
POLL_S = 0.2


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
        if isinstance(found, str):
            http = httpx.Client(base_url=found, headers=build_headers(settings), timeout=REQUEST_LIMIT_S)
            yield _HeldClient(opened.enter_context(http))
        else:
            yield found


InProcess = Callable[[Settings], AbstractContextManager[Client]]


def _refuse_to_open(settings: Settings) -> AbstractContextManager[Client]:
    raise LibraryError(
        "MystiCanvas is not running, and this command cannot open the library itself. Run mysticanvas serve first."
    )


_open_in_process: InProcess = _refuse_to_open


def set_in_process_opener(open_library: InProcess) -> None:
    """Sets how to open a library that is not being served; called by `app/cli.py`."""
    global _open_in_process
    _open_in_process = open_library


def build_headers(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {read_token(settings.library)}"}


class _HeldClient:
    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, path: str, **query: Any) -> Any:
        return self._send("GET", path, params=drop_none(query))

    def post(self, path: str, body: Any = None) -> Any:
        return self._send("POST", path, json=body if body is not None else {})

    def text(self, path: str) -> str:
        """The body of a response that is not JSON."""
        return check_reply(self._ask("GET", path)).text

    def _send(self, method: str, path: str, **how: Any) -> Any:
        return read_json(self._ask(method, path, **how))

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            limit_s = SLOW_LIMIT_S if path.startswith(SLOW_PATHS) else REQUEST_LIMIT_S
            return self._http.request(method, path, timeout=limit_s, **how)
        except httpx.TransportError as error:
            raise LibraryBusyError(
                "Another MystiCanvas process is using this library and does not respond. Wait a moment and try again, "
                "or stop that process."
            ) from error


def drop_none(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


_ERRORS: dict[int, type[MystiCanvasError]] = {
    400: InvalidInputError,
    404: NotFoundError,
    409: ConflictError,
    422: InvalidInputError,
}


def read_json(response: httpx.Response) -> Any:
    checked = check_reply(response)
    return checked.json() if checked.content else None


def check_reply(response: httpx.Response) -> httpx.Response:
    """Raises the error that corresponds to the status of the response."""
    if response.is_success:
        return response
    try:
        body = response.json()
        sentence = body["error"]
        if body.get("suggestion"):
            sentence += f" Did you mean {body['suggestion']} ?"
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        sentence = f"The server returned HTTP status {response.status_code}."
    raise _ERRORS.get(response.status_code, LibraryError)(sentence)


def make_absolute(path: Path) -> str:
    """The entered path as an absolute path, because the Orchestrator may have a different working directory."""
    return os.path.abspath(parse_entered_path(path))


def wait_for_jobs(client: Client) -> None:
    """Waits until no job is waiting or running."""
    while any(kind["waiting"] or kind["running"] for kind in client.get("/api/jobs")["kinds"]):
        time.sleep(POLL_S)
