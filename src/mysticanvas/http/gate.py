"""Access checks before every route: the host, the origin and the sign-in of each request.

Pure ASGI middleware on the raw headers, before routing. Error responses reveal nothing about the library.
"""

from collections.abc import Mapping, Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mysticanvas.http.problems import respond
from mysticanvas.http.sessions import Sessions

MAX_BODY_BYTES = 1024 * 1024
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types svelte-trusted-html"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), usb=()",
}
_BUG = "An internal error occurred. See the MystiCanvas log for details."
_READS = ("GET", "HEAD")
# The only requests to the API that need no sign-in: signing in, and asking for a proof that this is the right server.
OPEN = {("POST", "/api/v1/session"), ("GET", "/api/v1/session/proof")}


class Gate:
    """`origins` maps each accepted Host header, with port, to the Origin header that must accompany it."""

    def __init__(self, app: ASGIApp, *, sessions: Sessions, origins: Mapping[str, str]) -> None:
        self._app = app
        self._sessions = sessions
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await respond(*refusal)(scope, receive, _with_headers(send))
            return
        started = False

        async def send_and_record(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, _with_headers(send_and_record))
        except Exception:
            # A bug: uvicorn logs it. The reply gets the same security headers as all others.
            if not started:
                await respond(500, _BUG)(scope, receive, _with_headers(send))
            raise

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = _Headers(scope["headers"])
        own = self._origins.get((headers.only("host") or "").lower())
        if own is None:
            return 421, "MystiCanvas does not accept this host name. Open the address printed in the terminal."
        method, path = scope["method"], scope["path"]
        by_token = _has_token(headers, self._sessions)
        if any(site not in ("same-origin", "none") for site in headers.all("sec-fetch-site")):
            return 403, "Requests from other sites are not allowed."
        # Also for reads: not every browser sends Sec-Fetch-Site.
        if any(origin != own for origin in headers.all("origin")):
            return 403, "Requests from other sites are not allowed."
        if method not in _READS:
            refusal = self._refused_write(method, headers, by_token)
            if refusal is not None:
                return refusal
        if not path.startswith("/api/") or (method, path) in OPEN:
            return None
        if by_token or _has_cookie(headers, self._sessions):
            return None
        return 401, "Sign in with the code printed in the terminal, or with your password."

    def _refused_write(self, method: str, headers: "_Headers", by_token: bool) -> tuple[int, str] | None:
        """Returns the status and error message for a rejected write, or None if it is accepted. Its Origin header, if
        any, has already been checked."""
        if method not in ("POST", "PATCH", "PUT", "DELETE"):
            return 403, "This method is not allowed."
        if headers.only("origin") is None and not (by_token and not headers.all("origin")):
            return 403, "Requests from other sites are not allowed. The Origin header is missing."
        # A form of another site can send an empty POST request with the cookie, but not with the token.
        if (by_token or method in ("PUT", "DELETE")) and _is_empty(headers):
            return None
        kind = (headers.only("content-type") or "").partition(";")[0].strip().lower()
        if kind not in ("application/json", "application/octet-stream") or headers.all("content-encoding"):
            return 415, "The request body must be uncompressed JSON."
        if not _is_bounded(headers.only("content-length")):
            return 413, "The request is too large. Send less data per request."
        return None


def is_signed_in(headers: Sequence[tuple[bytes, bytes]], sessions: Sessions) -> bool:
    """Returns whether a request with these headers contains the token or the cookie of this library. Header names are
    in lower case."""
    found = _Headers(headers)
    return _has_token(found, sessions) or _has_cookie(found, sessions)


def _has_token(headers: "_Headers", sessions: Sessions) -> bool:
    scheme, _, value = (headers.only("authorization") or "").partition(" ")
    return scheme.lower() == "bearer" and sessions.knows_token(value.strip())


def _has_cookie(headers: "_Headers", sessions: Sessions) -> bool:
    # Parsed here, because a cookie of the same name from another program on this machine must not hide ours.
    pairs = (pair.strip().partition("=") for header in headers.all("cookie") for pair in header.split(";"))
    ours = (value for name, _, value in pairs if name == sessions.cookie_name)
    return any(sessions.knows_cookie(value) for value in ours)


def _is_empty(headers: "_Headers") -> bool:
    """Returns whether the headers announce no body."""
    return headers.all("content-length") in ([], ["0"]) and not headers.all("transfer-encoding")


def _is_bounded(length: str | None) -> bool:
    """Returns whether the length of the body is declared and is at most `MAX_BODY_BYTES`."""
    if length is None or not (length.isascii() and length.isdigit()) or len(length) > len(str(MAX_BODY_BYTES)):
        return False
    return int(length) <= MAX_BODY_BYTES


class _Headers:
    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    def all(self, name: str) -> list[str]:
        raw_name = name.encode()
        return [value.decode("latin-1") for key, value in self._raw if key == raw_name]

    def only(self, name: str) -> str | None:
        """Returns the header's value, or None if the header is missing or occurs more than once."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
