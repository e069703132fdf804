"""HTTP client for an OpenAI-compatible API, with limits on response size and time.

Redirects, proxies and credentials from the environment are disabled. Connections go to the address that
addressing.py has checked.
"""

import json
import time
from typing import Any

import httpx

from mysticanvas.domain.errors import EndpointError
from mysticanvas.llm.url_policy import ServerAddress

MAX_RESPONSE_BYTES = 64 * 1024
TIME_LIMIT_S = 120.0
CONNECT_LIMIT_S = 10.0


class RequestRejectedError(EndpointError):
    """The server responded with the HTTP status `status` instead of 200."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def post_json(
    place: ServerAddress, path: str, body: dict[str, Any], *, key: str | None, limit_s: float = TIME_LIMIT_S
) -> Any:
    """Post JSON and return the decoded response.

    Raises `EndpointError`; its subclass `RequestRejectedError` for a status other than 200.
    """
    headers = {"Host": place.host_header, "Accept": "application/json", "Accept-Encoding": "identity"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    extensions = {"sni_hostname": place.host} if place.scheme == "https" else {}
    deadline_s = time.monotonic() + limit_s
    timeout = httpx.Timeout(limit_s, connect=min(CONNECT_LIMIT_S, limit_s))
    try:
        with (
            httpx.Client(trust_env=False, follow_redirects=False, timeout=timeout) as client,
            client.stream("POST", place.url(path), json=body, headers=headers, extensions=extensions) as reply,
        ):
            content = _read_response(reply, deadline_s)
            status = reply.status_code
    except httpx.TimeoutException as error:
        raise EndpointError("The model server did not respond in time.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise EndpointError(f"The model server at {place.host} could not be reached: {error}") from error
    if status != 200:
        raise RequestRejectedError(f"The model server rejected the request (HTTP status {status}).", status)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise EndpointError("The model server's response is not JSON.") from error


def _read_response(reply: httpx.Response, deadline_s: float) -> bytes:
    content = bytearray()
    if reply.headers.get("content-encoding", "identity") != "identity":
        raise EndpointError("The model server's response is compressed, although the request did not allow it.")
    for block in reply.iter_raw():
        content += block
        if len(content) > MAX_RESPONSE_BYTES:
            raise EndpointError("The model server's response is too long.")
        if time.monotonic() > deadline_s:
            raise EndpointError("The model server did not respond in time.")
    return bytes(content)
