"""One question to an OpenAI-compatible server: bounded in bytes and time, and nothing is followed.

No redirects, no proxies and no credentials from the environment; the connection goes to the address
that was judged (addressing.py).
"""

import json
import time
from typing import Any

import httpx

from mysticanvas.domain.errors import EndpointError
from mysticanvas.llm.url_policy import Place

MAX_REPLY_BYTES = 64 * 1024
TIME_LIMIT_S = 120.0
CONNECT_LIMIT_S = 10.0


class RefusedError(EndpointError):
    """The server answered with an error; `status` is its number."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def post(place: Place, path: str, body: dict[str, Any], *, key: str | None, limit_s: float = TIME_LIMIT_S) -> Any:
    """The JSON of the reply. Raises `EndpointError`; `RefusedError` for a status other than 200."""
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
            content = _read(reply, deadline_s)
            status = reply.status_code
    except httpx.TimeoutException as error:
        raise EndpointError("The model server took too long to answer.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise EndpointError(f"The model server at {place.host} does not answer: {error}") from error
    if status != 200:
        raise RefusedError(f"The model server refused the question (status {status}).", status)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise EndpointError("The model server's answer is no JSON.") from error


def _read(reply: httpx.Response, deadline_s: float) -> bytes:
    content = bytearray()
    if reply.headers.get("content-encoding", "identity") != "identity":
        raise EndpointError("The model server's answer is compressed, which was not asked for.")
    for block in reply.iter_raw(16_384):
        content += block
        if len(content) > MAX_REPLY_BYTES:
            raise EndpointError("The model server's answer is too long.")
        if time.monotonic() > deadline_s:
            raise EndpointError("The model server took too long to answer.")
    return bytes(content)
