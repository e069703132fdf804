"""One way to the library: its HTTP API.

While an Orchestrator holds the library, that one answers, over loopback with the library's token
file. Otherwise the same application answers in this process, under the same lock.
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
POLL_S = 0.2


class Client(Protocol):
    """Speaks JSON. Raises the `MystiCanvasError` that the status means."""

    def get(self, path: str, **query: Any) -> Any: ...

    def post(self, path: str, body: Any = None) -> Any: ...

    def text(self, path: str) -> str: ...


@contextmanager
def connect(settings: Settings) -> Iterator[Client]:
    """A client of the library: of its holder, or of the application opened here for a while."""
    with ExitStack() as opened:
        found = open_unless_served(settings.library, lambda: opened.enter_context(_open_in_process(settings)))
        if isinstance(found, str):
            http = httpx.Client(base_url=found, headers=headers_for(settings), timeout=REQUEST_LIMIT_S)
            yield _HeldClient(opened.enter_context(http))
        else:
            yield found


InProcess = Callable[[Settings], AbstractContextManager[Client]]


def _unavailable(settings: Settings) -> AbstractContextManager[Client]:
    raise LibraryError("Nothing serves this library, and this program cannot open it.")


_open_in_process: InProcess = _unavailable


def open_in_process_with(open_library: InProcess) -> None:
    """How a library that nothing serves is opened: `app/in_process.py`."""
    global _open_in_process
    _open_in_process = open_library


def headers_for(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {read_token(settings.library)}"}


class _HeldClient:
    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, path: str, **query: Any) -> Any:
        return self._send("GET", path, params=given_only(query))

    def post(self, path: str, body: Any = None) -> Any:
        return self._send("POST", path, json=body if body is not None else {})

    def text(self, path: str) -> str:
        """What is no JSON."""
        return checked_reply(self._ask("GET", path)).text

    def _send(self, method: str, path: str, **how: Any) -> Any:
        return json_reply(self._ask(method, path, **how))

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **how)
        except httpx.TransportError as error:
            raise LibraryBusyError(
                "The MystiCanvas that holds this library does not answer. Stop it, or wait a little."
            ) from error


def given_only(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


_ERRORS: dict[int, type[MystiCanvasError]] = {
    400: InvalidInputError,
    404: NotFoundError,
    409: ConflictError,
    422: InvalidInputError,
}


def json_reply(response: httpx.Response) -> Any:
    checked = checked_reply(response)
    return checked.json() if checked.content else None


def checked_reply(response: httpx.Response) -> httpx.Response:
    """Raises the error that its status means."""
    if response.is_success:
        return response
    try:
        said = response.json()
        sentence = said["error"]
        if said.get("suggestion"):
            sentence += f" Did you mean {said['suggestion']} ?"
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        sentence = f"The library answered {response.status_code}."
    raise _ERRORS.get(response.status_code, LibraryError)(sentence)


def absolute(path: Path) -> str:
    """The path as the Orchestrator will see it: it may have another working folder."""
    return os.path.abspath(parse_entered_path(path))


def wait_for_jobs(client: Client) -> None:
    """Returns when no job is waiting or running."""
    while any(kind["waiting"] or kind["running"] for kind in client.get("/api/jobs")["kinds"]):
        time.sleep(POLL_S)
