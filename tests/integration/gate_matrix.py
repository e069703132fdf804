"""Every route × every way to ask it that must not work, by raw sockets against a real server (X1, X4).

The server is another process, started as a person starts it. The table of routes is read from the
application, so that a new route is in the matrix without a word.
"""

import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Mount

from mysticanvas.http.gate import CSP, HEADERS

# The methods that a browser or a script could think of.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
READS = ("GET", "HEAD")
WORD = "no-such-thing"
JSON = "Content-Type: application/json"
# What the application itself may say to who came past the gate with nothing in hand.
ANSWERS = frozenset({200, 201, 202, 204, 304, 400, 403, 404, 405, 409, 410, 422, 502, 503})


@dataclass(frozen=True, slots=True)
class Route:
    """`path` is one that matches, its parameters filled in."""

    path: str
    methods: frozenset[str]

    def is_open(self, method: str) -> bool:
        """Whether it wants no session: what a page needs before it has signed in."""
        if self.path.startswith("/api/"):
            return (method, self.path) in (("POST", "/api/v1/session"), ("GET", "/api/v1/session/proof"))
        return True


def walk(routes: Sequence[BaseRoute], before: str = "") -> Iterator[Route]:
    """Whatever can be asked: routes, also those of routers and applications inside."""
    for route in iter_route_contexts(routes):
        found = route.original_route
        path = before + re.sub(r"\{[^}]*\}", WORD, str(route.path))
        inner = getattr(found, "routes", None)
        if isinstance(found, Mount) and inner:
            yield from walk(inner, path)
        else:
            yield Route(path, frozenset(getattr(route, "methods", None) or {"GET"}))


@dataclass(frozen=True, slots=True)
class Case:
    """One way to ask. `lines` are the headers with {port}, {cookie}, {token}; a `Host` and a session are
    added unless `host` or `session` is false. `write`: it makes sense as a write alone. `right` is None where
    the gate has nothing against it.
    """

    name: str
    lines: tuple[str, ...] = ()
    right: frozenset[int] | None = frozenset()
    host: bool = True
    session: bool = True
    write: bool = False
    body: bytes = b"{}"
    framing: str | None = None
    target: str = "{path}"
    method: str | None = None
    # Whether a page that wants no session answers after all.
    may_open: bool = False


def _hosts(name: str, *lines: str, target: str = "{path}") -> Case:
    right = frozenset({421, 400})
    return Case(name, (*lines, "Origin: http://127.0.0.1:{port}", JSON), right, host=False, target=target)


def _write(name: str, *lines: str, right: int = 403, body: bytes = b"{}", framing: str | None = None) -> Case:
    return Case(name, lines, frozenset({right}), write=True, body=body, framing=framing)


OWN = "Origin: http://127.0.0.1:{port}"
_UPGRADE = (
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
MULTIPART = "Content-Type: multipart/form-data; boundary=x"

CASES = (
    _hosts("evil host", "Host: evil.example:{port}"),
    Case("evil host, its own origin", ("Host: evil.example:{port}", "Origin: http://evil.example:{port}", JSON),
         frozenset({421}), host=False),
    _hosts("0.0.0.0", "Host: 0.0.0.0:{port}"),
    _hosts("a name that resolves to us", "Host: 127.0.0.1.nip.io:{port}"),
    _hosts("trailing dot", "Host: localhost.:{port}"),
    _hosts("no host"),
    _hosts("two hosts", "Host: 127.0.0.1:{port}", "Host: evil.example:{port}"),
    _hosts("two hosts, ours last", "Host: evil.example:{port}", "Host: 127.0.0.1:{port}"),
    _hosts("absolute form", "Host: evil.example", target="http://evil.example{path}"),
    _hosts("forwarded host", "Host: evil.example", "X-Forwarded-Host: 127.0.0.1:{port}", "Forwarded: host=127.0.0.1"),
    _hosts("characters no host has", "Host: 127.0.0.1:{port}@evil.example"),
    _hosts("mapped IPv6", "Host: [::ffff:127.0.0.1]:{port}"),
    _hosts("address as a number", "Host: 2130706433:{port}"),
    _hosts("another port", "Host: 127.0.0.1:1"),
    _hosts("no port", "Host: 127.0.0.1"),
    _write("text/plain", OWN, "Content-Type: text/plain", right=415),
    _write("form", OWN, "Content-Type: application/x-www-form-urlencoded", right=415),
    _write("multipart", OWN, MULTIPART, right=415),
    _write("no origin", JSON),
    _write("origin null", "Origin: null", JSON),
    _write("origin that begins like ours", "Origin: http://127.0.0.1:{port}.evil.example", JSON),
    _write("origin at another port", "Origin: http://127.0.0.1:1", JSON),
    _write("origin of another scheme", "Origin: https://127.0.0.1:{port}", JSON),
    Case("cross-site", (OWN, JSON, "Sec-Fetch-Site: cross-site"), frozenset({403})),
    Case("same-site", (OWN, JSON, "Sec-Fetch-Site: same-site"), frozenset({403})),
    Case("preflight", ("Origin: http://evil.example", "Access-Control-Request-Method: POST"), frozenset({403}),
         method="OPTIONS", body=b""),
    Case("no session", (OWN, JSON), frozenset({401}), session=False, may_open=True),
    Case("wrong session", (OWN, JSON, "Cookie: {name}=wrong"), frozenset({401}), session=False, may_open=True),
    Case("session of another instance", (OWN, JSON, "Cookie: mysticanvas_0123456789ab={cookie}"), frozenset({401}),
         session=False, may_open=True),
    Case("wrong token", (OWN, JSON, "Authorization: Bearer {cookie}"), frozenset({401}), session=False, may_open=True),
    Case("token in the address", (OWN, JSON), frozenset({401}), session=False, may_open=True,
         target="{path}?token={token}"),
    Case("included as an image", ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: image", OWN, JSON),
         frozenset({403})),
    Case("framed", ("Sec-Fetch-Site: same-site", "Sec-Fetch-Dest: iframe", "Sec-Fetch-Mode: navigate", OWN, JSON),
         frozenset({403})),
    _write("too large", OWN, JSON, right=413, framing="Content-Length: 1048577"),
    _write("chunked", OWN, JSON, right=413, body=b"2\r\n{}\r\n0\r\n\r\n",
           framing="Transfer-Encoding: chunked"),
    _write("a length that is none", OWN, JSON, right=400, framing="Content-Length: -1"),
    _write("compressed", OWN, JSON, "Content-Encoding: gzip", right=415),
    Case("websocket of another origin", ("Connection: Upgrade", *_UPGRADE, "Origin: http://evil.example"),
         frozenset({403}), method="GET", body=b""),
    Case("websocket by rebinding", ("Connection: Upgrade", *_UPGRADE, "Host: evil.example:{port}",
                                    "Origin: http://evil.example:{port}"),
         frozenset({421}), host=False, method="GET", body=b""),
    Case("websocket without a session", ("Connection: Upgrade", *_UPGRADE, OWN), frozenset({401}), session=False,
         method="GET", body=b"", may_open=True),
    # Controls: the page and a script come through, or the rest proves nothing.
    Case("own page", (OWN, JSON, "Sec-Fetch-Site: same-origin"), None, body=b'"no object"'),
    Case("a script", ("Authorization: Bearer {token}", JSON), None, session=False, body=b'"no object"'),
)  # fmt: skip


@dataclass(slots=True)
class Wrong:
    method: str
    path: str
    case: str
    said: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}, {self.case}: {self.said}"


@dataclass(slots=True)
class Score:
    routes: int = 0
    asked: int = 0
    wrong: list[Wrong] = field(default_factory=list)

    def __str__(self) -> str:
        right = self.asked - len(self.wrong)
        return (
            f"{self.routes} routes × {len(CASES)} cases: {self.asked} requests, {right} right, {len(self.wrong)} wrong"
        )


class Reply:
    """Of a stream of events only the head is read."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


class Asker:
    """Raw requests over one connection that is kept while the server keeps it; a context manager."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._raw: socket.socket | None = None
        self._rest = b""

    def __enter__(self) -> "Asker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._raw is not None:
            self._raw.close()
        self._raw, self._rest = None, b""

    def ask(self, request: bytes, *, method: str, alone: bool = False) -> Reply:
        """`alone`: on a connection of its own, for what may leave it unusable."""
        if alone:
            self.close()
        try:
            return self._ask(request, method)
        except (ConnectionError, EOFError):
            # The server had closed a kept connection.
            self.close()
            return self._ask(request, method)
        finally:
            if alone:
                self.close()

    def _ask(self, request: bytes, method: str) -> Reply:
        if self._raw is None:
            self._raw = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self._raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._raw.sendall(request)
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        pairs = [line.partition(":") for line in lines[1:]]
        reply = Reply(int(lines[0].split()[1]), [(name.lower(), value.strip()) for name, _, value in pairs], b"")
        length = reply.all("content-length")
        if method == "HEAD" or reply.status in (204, 304):
            pass
        elif length:
            reply.body = self._exactly(int(length[0]))
        else:
            # A stream, or a text whose end is the connection's: what matters has been said.
            reply.body = self._rest
            self.close()
        if "close" in reply.all("connection"):
            self.close()
        return reply

    def _until(self, end: bytes) -> bytes:
        while end not in self._rest:
            self._more()
        found, _, self._rest = self._rest.partition(end)
        return found

    def _exactly(self, count: int) -> bytes:
        while len(self._rest) < count:
            self._more()
        found, self._rest = self._rest[:count], self._rest[count:]
        return found

    def _more(self) -> None:
        assert self._raw is not None
        block = self._raw.recv(65_536)
        if not block:
            raise EOFError
        self._rest += block


@dataclass(frozen=True, slots=True)
class Key:
    """What signs in: of the page (`name`=`cookie`) and of scripts."""

    name: str
    cookie: str
    token: str


def request_of(case: Case, method: str, path: str, key: Key, port: int) -> bytes:
    known = {"port": port, "cookie": key.cookie, "token": key.token, "name": key.name, "path": path}
    lines = [f"{method} {case.target.format_map(known)} HTTP/1.1"]
    if case.host:
        lines.append(f"Host: 127.0.0.1:{port}")
    if case.session:
        lines.append(f"Cookie: {key.name}={key.cookie}")
    lines += [line.format_map(known) for line in case.lines]
    body = case.body if method not in READS else b""
    lines.append(case.framing or f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def try_route(
    asker: Asker, route: Route, methods: Sequence[str], cases: Sequence[Case], key: Key, score: Score
) -> None:
    """Every case by every method; what is a write alone goes as one to every path."""
    for case in cases:
        wanted = [case.method] if case.method else methods
        if case.write:
            wanted = [method for method in wanted if method not in READS] or ["POST"]
        for method in wanted:
            reply = asker.ask(
                request_of(case, method, route.path, key, asker.port),
                method=method,
                alone=case.framing is not None or "Connection: Upgrade" in case.lines,
            )
            score.asked += 1
            said = problem(case, route, method, reply)
            if said is not None:
                score.wrong.append(Wrong(method, route.path, case.name, said))


def problem(case: Case, route: Route, method: str, reply: Reply) -> str | None:
    """What is wrong with a reply; None when it is right."""
    if case.right is None or (case.may_open and route.is_open(method)):
        right = ANSWERS
        refused = b"other sites" in reply.body or b"this host name" in reply.body
    else:
        right, refused = case.right, False
    # A method that exists nowhere is refused as such before who asks is looked at.
    if method not in (*READS, "POST", "PUT", "PATCH", "DELETE") and reply.status == 403:
        refused, right = False, right | {403}
    if reply.status not in right or refused:
        return f"{reply.status} {reply.body[:80]!r}"
    return headers_problem(reply)


def headers_problem(reply: Reply) -> str | None:
    open_to_others = [name for name, _ in reply.headers if name.startswith("access-control-")]
    if open_to_others:
        return f"sends {open_to_others[0]}"
    for name, value in HEADERS.items():
        if reply.all(name) != [value]:
            return f"{name} is {reply.all(name)}"
    return None if reply.all("content-security-policy") == [CSP] else "has another policy"


def token_of(library: Path) -> str:
    return (library / "token").read_text("ascii").strip()
