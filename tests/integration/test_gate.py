"""Who may ask what, by raw sockets against a real server (X1, X4)."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.types import Message
from tests import loops
from tests.faults.serving import Served
from tests.integration import with_ungated_route
from tests.integration.gate_matrix import CASES, METHODS, Asker, Key, Route, Score, token_of, try_route, walk
from tests.wire.documented import schemas_of_requests

from mysticanvas.app import orchestrator
from mysticanvas.app.orchestrator import Orchestrator
from mysticanvas.http.gate import HEADERS, Gate
from mysticanvas.http.sessions import Sessions
from mysticanvas.settings import Settings

LONG = "--long" in sys.argv
# By every method, also those that a route does not have. All of the cases with --long.
BY_EVERY_METHOD = ("evil host", "no origin", "cross-site", "no session")
INT64 = 2**63


def serve(home: Path, program: Path | None = None) -> Iterator[Served]:
    (home / "library").mkdir()
    server = Served(home / "library", [], program=program).wait_until_up()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from serve(tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starlette]:
    """The same application, to read its table of routes."""
    with Orchestrator(Settings(library=tmp_path_factory.mktemp("table") / "l", workers=1), serving=False) as running:
        yield running.app


def key_of(served: Served) -> Key:
    code = served.post("/api/v1/session/links", {})["url"].rpartition("=")[2]
    reply = served.http.post("/api/v1/session", json={"code": code})
    name, _, cookie = reply.headers["set-cookie"].partition(";")[0].partition("=")
    return Key(name, cookie, token_of(served.library))


def scored(served: Served, routes: list[Route]) -> Score:
    key, score = key_of(served), Score(routes=len(routes))
    quick = tuple(case for case in CASES if LONG or case.name in BY_EVERY_METHOD)
    with Asker(served.port) as asker:
        for route in routes:
            try_route(asker, route, sorted(route.methods), CASES, key, score)
            others = [method for method in METHODS if method not in route.methods]
            try_route(asker, route, others, quick, key, score)
    return score


def test_every_route_answers_whom_it_should_and_nobody_else(served: Served, app: Starlette) -> None:
    routes = list(walk(app.routes))
    score = scored(served, routes)
    print(score)
    assert score.wrong == [], "\n".join(map(str, score.wrong[:20]))
    # The table is the whole of it: what the document tells, the pages, their files and the events.
    described = served.get("/api/v1/openapi.json")["paths"]
    assert len(routes) >= sum(len(methods) for methods in described.values()) + 3
    assert {"/api/v1/events/stream", "/assets/no-such-thing", "/no-such-thing", "/api/v1/openapi.json"} <= {
        route.path for route in routes
    }


def test_a_route_before_the_gate_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orchestrator, "build_app", with_ungated_route.build_with_ungated_route)
    with Orchestrator(Settings(library=tmp_path / "table", workers=1), serving=False) as running:
        routes = list(walk(running.app.routes))
    assert len(routes) > 100
    planted = [route for route in routes if route.path == with_ungated_route.UNGATED]
    for server in serve(tmp_path, Path(with_ungated_route.__file__)):
        score = scored(server, planted)
    assert len(score.wrong) > len(CASES) / 2


def test_what_is_told_of_a_number_keeps_it_within_64_bits(served: Served) -> None:
    document = served.get("/api/v1/openapi.json")
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    taken = [operation.get("parameters", []) for operation in operations]
    assert list(_unbounded([*taken, schemas_of_requests(document)], "openapi")) == []


def _unbounded(schema: Any, place: str) -> Iterator[str]:
    """Whatever takes a whole number without saying how small and how large it may be."""
    if isinstance(schema, list):
        for index, one in enumerate(schema):
            yield from _unbounded(one, f"{place}[{one.get('name', index) if isinstance(one, dict) else index}]")
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "integer":
        # A seed is kept as text, and is unsigned. (The document rounds both limits up by one.)
        limit = INT64 * 2 if ".properties.seed" in place else INT64
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        if low is None or high is None or not -INT64 <= low <= high <= limit:
            yield place
    for name, one in schema.items():
        yield from _unbounded(one, f"{place}.{name}")


@pytest.mark.parametrize("number", [INT64, -INT64 - 1, 10**30])
def test_a_number_of_more_than_64_bits_is_refused_with_a_sentence(served: Served, number: int) -> None:
    for path in (f"/api/v1/edits/{number}", f"/api/v1/jobs/{number}", f"/api/v1/models/{number}"):
        assert served.http.get(path).status_code == 422, path
    for path, name in (("/api/v1/events", "before"), ("/api/v1/edits", "limit"), ("/api/v1/images", "after")):
        assert served.http.get(path, params={name: number}).status_code == 422, (path, name)


def test_a_delete_needs_no_body_but_an_origin(served: Served) -> None:
    path = "/api/v1/collections/no-such-thing"
    assert served.http.delete(path).status_code == 404
    page = {"Authorization": "", "Cookie": "=".join((key_of(served).name, key_of(served).cookie))}
    assert served.http.delete(path, headers=page).status_code == 403
    assert served.http.delete(path, headers=page | {"Origin": str(served.http.base_url).rstrip("/")}).status_code == 404


def test_a_web_socket_is_refused_before_it_is_accepted() -> None:
    said: list[Message] = []

    async def application(*_: Any) -> None:
        raise AssertionError("it came through")

    async def connecting() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        said.append(message)

    gate = Gate(application, sessions=Sessions("token"), origins={"127.0.0.1:1": "http://127.0.0.1:1"})
    headers = [(b"host", b"127.0.0.1:1"), (b"authorization", b"Bearer token")]
    loops.run(gate({"type": "websocket", "headers": headers, "path": "/"}, connecting, send))
    assert [message["type"] for message in said] == ["websocket.close"]


def test_what_is_said_of_a_bug_has_the_same_headers_and_the_bug_escapes() -> None:
    said: list[Message] = []

    async def application(*_: Any) -> None:
        raise ZeroDivisionError

    async def send(message: Message) -> None:
        said.append(message)

    async def nothing() -> Message:
        return {"type": "http.request"}

    gate = Gate(application, sessions=Sessions("token"), origins={"127.0.0.1:1": "http://127.0.0.1:1"})
    headers = [(b"host", b"127.0.0.1:1"), (b"authorization", b"Bearer token")]
    scope = {"type": "http", "method": "GET", "headers": headers, "path": "/api/v1/status"}
    with pytest.raises(ZeroDivisionError):
        loops.run(gate(scope, nothing, send))
    assert said[0]["status"] == 500
    assert {name.encode() for name in HEADERS} <= {name for name, _ in said[0]["headers"]}
    assert b"internal error" in said[1]["body"]


def ask(served: Served, method: str, path: str, headers: list[str], body: bytes = b"") -> tuple[int, str, bytes]:
    """(status, headers in lower case, body)"""
    lines = [f"{method} {path} HTTP/1.1", *headers, f"Content-Length: {len(body)}", "Connection: close"]
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as raw:
        raw.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        reply = b""
        while block := raw.recv(65_536):
            reply += block
    head, _, content = reply.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode("latin-1").lower(), content


def host(served: Served) -> str:
    return f"Host: 127.0.0.1:{served.port}"


def token(served: Served) -> str:
    return f"Authorization: Bearer {token_of(served.library)}"


def test_a_code_signs_in_once(served: Served) -> None:
    code = served.post("/api/v1/session/links", {})["url"].rpartition("=")[2]
    body = json.dumps({"code": code}).encode()
    lines = [host(served), f"Origin: http://127.0.0.1:{served.port}", "Content-Type: application/json"]
    status, head, _ = ask(served, "POST", "/api/v1/session", lines, body)
    assert status == 204
    assert "httponly" in head
    assert "samesite=strict" in head
    cookie = head.partition("set-cookie: ")[2].partition(";")[0]
    assert cookie.startswith("mysticanvas_")
    assert ask(served, "POST", "/api/v1/session", lines, body)[0] == 403


def test_what_another_program_calls_its_cookie_hides_not_ours(served: Served) -> None:
    key = key_of(served)
    for other in ("a[b]=1", "{}", 'x="y', "=", "é=ü"):
        status, _, _ = ask(served, "GET", "/api/v1/status", [host(served), f"Cookie: {other}; {key.name}={key.cookie}"])
        assert status == 200, other


def test_a_path_of_a_thumbnail_or_page_leads_nowhere_else(served: Served) -> None:
    for path in ("/api/v1/thumbnails/..%2f..%2ftoken/256", "/assets/..%2f..%2f..%2ftoken", "/%2e%2e/token"):
        _, _, body = ask(served, "GET", path, [host(served), token(served)])
        assert Path(served.library, "token").read_bytes().strip() not in body


def test_the_token_is_its_owners_alone(served: Served) -> None:
    assert Path(served.library, "token").stat().st_mode & 0o077 == 0
