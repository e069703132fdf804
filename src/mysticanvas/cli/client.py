"""One way to the library: its HTTP API.

While an Orchestrator holds the library, that one answers, over loopback with the library's token
file. Otherwise the same application answers in this process, under the same lock.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from mysticanvas.domain.errors import (
    ConflictError,
    InvalidInputError,
    LibraryBusyError,
    LibraryError,
    MystiCanvasError,
    NotFoundError,
)
from mysticanvas.fs.instance_file import holder_address, read_token
from mysticanvas.settings import Settings

if TYPE_CHECKING:
    from mysticanvas.app.orchestrator import Orchestrator

# Long enough for a long poll of 25 s, short enough to notice a server that hangs.
REQUEST_LIMIT_S = 60.0


class Client(Protocol):
    """Speaks JSON. Raises the `MystiCanvasError` that the status means."""

    def get(self, path: str, **query: Any) -> Any: ...

    def post(self, path: str, body: Any = None) -> Any: ...

    def text(self, path: str) -> str: ...


@contextmanager
def connect(settings: Settings) -> Iterator[Client]:
    """A client of the library: of its holder, or of the application opened here for a while."""
    base = holder_address(settings.library)
    if base is not None:
        with httpx.Client(base_url=base, headers=_headers(settings), timeout=REQUEST_LIMIT_S) as http:
            yield _HeldClient(http)
        return
    # All of the library's parts take half a second to load: a command that is answered elsewhere needs none.
    from mysticanvas.app.orchestrator import Orchestrator

    with ExitStack() as running:
        orchestrator = running.enter_context(Orchestrator(settings, serving=False))
        yield running.enter_context(_InProcessClient(orchestrator, settings))


def _headers(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {read_token(settings.library)}"}


class _HeldClient:
    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, path: str, **query: Any) -> Any:
        return self._send("GET", path, params=_given(query))

    def post(self, path: str, body: Any = None) -> Any:
        return self._send("POST", path, json=body if body is not None else {})

    def text(self, path: str) -> str:
        """What is no JSON."""
        return _checked(self._ask("GET", path)).text

    def _send(self, method: str, path: str, **how: Any) -> Any:
        return _reply(self._ask(method, path, **how))

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **how)
        except httpx.TransportError as error:
            raise LibraryBusyError(
                "The MystiCanvas that holds this library does not answer. Stop it, or wait a little."
            ) from error


class _InProcessClient:
    """The application in this process; its requests run on an event loop in a thread."""

    def __init__(self, orchestrator: "Orchestrator", settings: Settings) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="client", daemon=True)
        base = f"http://127.0.0.1:{settings.port}"
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=orchestrator.app),
            base_url=base,
            headers=_headers(settings),
            timeout=REQUEST_LIMIT_S,
        )

    def __enter__(self) -> "_InProcessClient":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._http.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def get(self, path: str, **query: Any) -> Any:
        return self._send("GET", path, params=_given(query))

    def post(self, path: str, body: Any = None) -> Any:
        return self._send("POST", path, json=body if body is not None else {})

    def text(self, path: str) -> str:
        return _checked(self._ask("GET", path)).text

    def _send(self, method: str, path: str, **how: Any) -> Any:
        return _reply(self._ask(method, path, **how))

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        request = self._http.request(method, path, **how)
        return asyncio.run_coroutine_threadsafe(request, self._loop).result()


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


_ERRORS: dict[int, type[MystiCanvasError]] = {
    400: InvalidInputError,
    404: NotFoundError,
    409: ConflictError,
    422: InvalidInputError,
}


def _reply(response: httpx.Response) -> Any:
    checked = _checked(response)
    return checked.json() if checked.content else None


def _checked(response: httpx.Response) -> httpx.Response:
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
    return os.path.abspath(path.expanduser())
