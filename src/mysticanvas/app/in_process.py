"""A client for a library that is not being served: runs the application in this process for one command."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx

from mysticanvas.cli.client import Client, build_headers
from mysticanvas.cli.replies import REQUEST_LIMIT_S, Reply, check_reply, drop_none, read_json
from mysticanvas.settings import Settings

if TYPE_CHECKING:
    from mysticanvas.app.orchestrator import Orchestrator


@contextmanager
def open_in_process(settings: Settings) -> Iterator[Client]:
    # Importing the Orchestrator takes half a second, which commands do not need while a gallery is running.
    from mysticanvas.app.orchestrator import Orchestrator

    with ExitStack() as running:
        orchestrator = running.enter_context(Orchestrator(settings, serving=False))
        yield running.enter_context(_InProcessClient(orchestrator, settings))


class _InProcessClient:
    """Sends requests to the application in this process, on an event loop in a thread."""

    def __init__(self, orchestrator: "Orchestrator", settings: Settings) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="client", daemon=True)
        base = f"http://127.0.0.1:{settings.port}"
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=orchestrator.app),
            base_url=base,
            headers=build_headers(settings),
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
        return self.read_bytes(path).decode("utf-8", "replace")

    def read_bytes(self, path: str) -> bytes:
        return check_reply(self._ask("GET", path)).content

    def _send(self, method: str, path: str, **how: Any) -> Any:
        return read_json(self._ask(method, path, **how))

    def _ask(self, method: str, path: str, **how: Any) -> Reply:
        request = self._http.request(method, path, **how)
        response = asyncio.run_coroutine_threadsafe(request, self._loop).result()
        return Reply(response.status_code, response.content)
