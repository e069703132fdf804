"""A served library of a few images, to which requests are sent one after the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.serving import Served


@dataclass
class World:
    """`kept` is what earlier requests made: a name that the requests agree on, and its ID."""

    served: Served
    images: list[str]
    kept: dict[str, Any] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None, headers: Any = None, **query: Any) -> httpx.Response:
        return self.served.http.request(method, f"/api/v1{path}", json=body, params=query, headers=headers)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.ask("GET", path, **query)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self.ask("POST", path, {} if body is None else body)

    def keep(self, name: str, field_name: str, reply: httpx.Response) -> httpx.Response:
        """Keeps the value of a field of the reply for later requests."""
        self.kept[name] = reply.json()[field_name]
        return reply

    def keep_first(self, name: str, list_name: str, field_name: str, reply: httpx.Response) -> httpx.Response:
        """Keeps a field of the first item of a list in the reply."""
        self.kept[name] = reply.json()[list_name][0][field_name]
        return reply


# Operation ID to the request.
Requests = dict[str, Callable[[World], httpx.Response]]
