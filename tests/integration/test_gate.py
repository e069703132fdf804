"""Who may ask what, by raw sockets against a real server (X1, X4)."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.serving import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    library = tmp_path_factory.mktemp("gate") / "library"
    library.mkdir()
    server = Served(library, []).wait_until_up()
    yield server
    server.stop()


def port(served: Served) -> int:
    return int(str(served.http.base_url).rstrip("/").rpartition(":")[2])


def ask(
    served: Served, method: str, path: str, headers: list[str], body: bytes = b"", *, claimed: int | None = None
) -> tuple[int, str, bytes]:
    """(status, headers in lower case, body). `claimed` is the length to announce instead of the true one."""
    length = len(body) if claimed is None else claimed
    lines = [f"{method} {path} HTTP/1.1", *headers, f"Content-Length: {length}", "Connection: close"]
    with socket.create_connection(("127.0.0.1", port(served)), timeout=10) as raw:
        raw.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        reply = b""
        while block := raw.recv(65_536):
            reply += block
    head, _, content = reply.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode("latin-1").lower(), content


def host(served: Served) -> str:
    return f"Host: 127.0.0.1:{port(served)}"


def token(served: Served) -> str:
    return f"Authorization: Bearer {Path(served.library, 'token').read_text().strip()}"


@pytest.mark.parametrize(
    "hosts",
    [
        ["Host: evil.example:{port}"],
        ["Host: 127.0.0.1"],
        ["Host: 127.0.0.1.nip.io:{port}"],
        ["Host: 0.0.0.0:{port}"],
        ["Host: localhost.:{port}"],
        ["Host: evil.example", "X-Forwarded-Host: 127.0.0.1:{port}"],
        ["Host: 127.0.0.1:{port}", "Host: evil.example:{port}"],
        ["X-Nothing: here"],
    ],
)
def test_another_host_is_refused_even_with_the_token(served: Served, hosts: list[str]) -> None:
    headers = [line.format(port=port(served)) for line in hosts]
    status, _, _ = ask(served, "GET", "/api/status", [*headers, token(served)])
    assert status in (400, 421)


def test_every_route_wants_a_session(served: Served) -> None:
    described = served.get("/api/openapi.json")
    routes = [(method.upper(), path) for path, methods in described["paths"].items() for method in methods]
    assert len(routes) > 20
    own = f"Origin: http://127.0.0.1:{port(served)}"
    for method, path in routes:
        if path == "/api/session":
            continue
        plain = path.replace("{", "").replace("}", "")
        status, head, _ = ask(served, method, plain, [host(served), own, "Content-Type: application/json"], b"{}")
        assert status == 401, (method, path, status)
        assert "access-control-" not in head
        assert "content-security-policy: default-src 'none'" in head
        assert "x-content-type-options: nosniff" in head


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Content-Type: application/json"], 403),
        (["Origin: null", "Content-Type: application/json"], 403),
        (["Origin: http://evil.example", "Content-Type: application/json"], 403),
        (["Origin: http://127.0.0.1:1", "Content-Type: application/json"], 403),
        (["Origin: http://127.0.0.1:{port}.evil.example", "Content-Type: application/json"], 403),
        (["Origin: http://127.0.0.1:{port}", "Content-Type: text/plain"], 415),
        (["Origin: http://127.0.0.1:{port}", "Content-Type: application/x-www-form-urlencoded"], 415),
        (["Origin: http://127.0.0.1:{port}", "Sec-Fetch-Site: cross-site", "Content-Type: application/json"], 403),
    ],
)
def test_a_write_wants_its_own_origin_and_json(served: Served, headers: list[str], status: int) -> None:
    lines = [line.format(port=port(served)) for line in headers]
    assert ask(served, "POST", "/api/queries", [host(served), *lines], b'{"q":""}')[0] == status


def test_a_preflight_is_refused(served: Served) -> None:
    lines = [host(served), "Origin: http://evil.example", "Access-Control-Request-Method: POST"]
    status, head, _ = ask(served, "OPTIONS", "/api/queries", lines)
    assert status == 403
    assert "access-control-" not in head


def test_another_site_may_not_even_read(served: Served) -> None:
    lines = [host(served), token(served), "Sec-Fetch-Site: cross-site"]
    assert ask(served, "GET", "/api/status", lines)[0] == 403


def test_a_code_signs_in_once(served: Served) -> None:
    code = served.post("/api/session/code", {})["url"].rpartition("=")[2]
    body = json.dumps({"code": code}).encode()
    lines = [host(served), f"Origin: http://127.0.0.1:{port(served)}", "Content-Type: application/json"]
    status, head, _ = ask(served, "POST", "/api/session", lines, body)
    assert status == 204
    assert "httponly" in head
    assert "samesite=strict" in head
    cookie = head.partition("set-cookie: ")[2].partition(";")[0]
    assert cookie.startswith("mysticanvas_")
    assert ask(served, "POST", "/api/session", lines, body)[0] == 403


def test_a_path_of_a_thumbnail_or_page_leads_nowhere_else(served: Served) -> None:
    for path in ("/api/thumbs/..%2f..%2ftoken/256", "/assets/..%2f..%2f..%2ftoken", "/%2e%2e/token"):
        _, _, body = ask(served, "GET", path, [host(served), token(served)])
        assert Path(served.library, "token").read_bytes().strip() not in body


def test_too_large_a_body_is_refused(served: Served) -> None:
    lines = [host(served), token(served), "Content-Type: application/json"]
    assert ask(served, "POST", "/api/queries", lines, claimed=1_100_000)[0] == 413


def test_the_token_is_its_owners_alone(served: Served) -> None:
    assert Path(served.library, "token").stat().st_mode & 0o077 == 0
