"""What a client may use before it has signed in, by raw sockets against the server itself."""

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from tests.faults.serving import Served
from tests.integration.limited_server import (
    LARGE_BYTES,
    SIGNED,
    Running,
    is_cut,
    read_all,
    read_reply,
    read_some,
    running,
    send_until_cut,
)

from mysticanvas.fs.log_file import NAME, log_to_file
from mysticanvas.fs.log_repeats import DIFFERENT, WINDOW_S, RepeatLimit
from mysticanvas.http import limits, server
from mysticanvas.http.limits import Descriptors, Limits, get_network

DEFAULT = Limits()
JSON = "Content-Type: application/json"
HEADERS_ENDLESS = b"X-Filler: " + b"a" * 1000 + b"\r\n"
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not limit open files")


@pytest.fixture
def served() -> Iterator[Running]:
    with running() as found:
        yield found


def signed_connection(served: Running) -> socket.socket:
    client = served.connect(served.request("/api/echo", SIGNED))
    read_reply(client, b"length 0.")
    return client


# -- headers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sign_in", [(), (SIGNED,)])
def test_headers_of_more_than_32_kb_are_refused(served: Running, sign_in: tuple[str, ...]) -> None:
    most = "X-Filler: " + "a" * (DEFAULT.header_bytes - 500)
    client = served.connect(served.request("/", most, *sign_in))
    assert b" 200 " in read_reply(client, b"length 0.")
    more = "X-Filler: " + "a" * DEFAULT.header_bytes
    assert b"HTTP/1.1 431 " in read_all(served.connect(served.request("/", more, *sign_in)))
    many = ["X-Filler: a"] * (DEFAULT.header_bytes // 12)
    assert b"HTTP/1.1 431 " in read_all(served.connect(served.request("/", *many, *sign_in)))


@pytest.mark.parametrize("part", [HEADERS_ENDLESS, b"a" * 1000])
def test_an_endless_header_is_not_read_on(served: Running, part: bytes) -> None:
    client = served.connect(b"GET / HTTP/1.1\r\nX-Filler: ")
    # What the system has buffered counts as sent.
    assert send_until_cut(client, part, most=200_000_000) < 50_000_000
    assert served.open_connections == 0


def test_headers_must_be_complete_within_10_s_however_busily_they_are_sent(served: Running) -> None:
    client = served.connect(b"GET / HTTP/1.1\r\n")
    for _ in range(3):
        served.pass_s(3)
        client.sendall(b"X-More: a\r\n")
        assert served.open_connections == 1
    served.pass_s(1)
    assert is_cut(client)


def test_a_connection_that_says_nothing_is_closed_after_10_s(served: Running) -> None:
    client = served.connect()
    served.pass_s(9.9)
    assert served.open_connections == 1
    served.pass_s(0.1)
    assert is_cut(client)


# -- bodies -----------------------------------------------------------------------------------


def test_without_a_sign_in_a_body_has_1_kb_at_most(served: Running) -> None:
    def send(length: int, *headers: str) -> bytes:
        asked = served.request(
            "/api/session", JSON, f"Origin: http://127.0.0.1:{served.port}", f"Content-Length: {length}",
            "Connection: close", *headers, method="POST", body=b"a" * length,
        )  # fmt: skip
        return read_all(served.connect(asked))

    assert b"length 1024." in send(1024)
    assert b"HTTP/1.1 413 " in send(1025)
    assert b"length 300000." in send(300_000, SIGNED)


@pytest.mark.parametrize("part", [b"400\r\n" + b"a" * 1024 + b"\r\n", b"1;" + b"x" * 1000 + b"\r\na\r\n"])
def test_a_body_of_unknown_length_is_not_read_on_either(served: Running, part: bytes) -> None:
    # Its beginning is answered, which does not end the request.
    client = served.connect(served.request("/", "Transfer-Encoding: chunked"))
    assert send_until_cut(client, part, most=200_000_000) < 50_000_000
    assert served.open_connections == 0


def test_without_a_sign_in_a_body_must_be_complete_within_10_s(served: Running) -> None:
    client = served.connect(served.request("/", "Content-Length: 100"))
    for _ in range(3):
        served.until(lambda: served.server.connections.unsigned == 1)
        client.sendall(b"a")
        served.pass_s(3)
        assert served.open_connections == 1
    served.pass_s(1)
    assert b"length" not in read_all(client)


def test_a_signed_body_may_be_slow_but_not_stand_still(served: Running) -> None:
    client = served.connect(served.request("/api/echo", SIGNED, "Content-Length: 3"))
    served.until(lambda: served.server.connections.unsigned == 0)
    served.pass_s(50)
    assert served.open_connections == 1
    served.pass_s(10)
    assert b"length" not in read_all(client)


# -- replies ----------------------------------------------------------------------------------


def test_a_stranger_who_does_not_read_is_cut_off_after_30_s(served: Running) -> None:
    client = served.connect(served.request("/large"))
    read_reply(client, b"200")
    served.pass_s(29.9)
    assert served.open_connections == 1
    served.pass_s(0.1)
    assert served.open_connections == 0
    assert len(read_all(client)) < LARGE_BYTES


def test_also_who_asks_to_close_the_connection_and_does_not_read(served: Running) -> None:
    client = served.connect(served.request("/large", "Connection: close"))
    read_reply(client, b"200")
    served.pass_s(30)
    assert served.open_connections == 0
    client.close()


def _has_sent(served: Running, before: int) -> bool:
    return served.unsent_bytes() < before


def test_a_signed_page_may_read_slowly(served: Running) -> None:
    client = served.connect(served.request("/large", SIGNED, "Connection: close"))
    found = len(read_reply(client, b"200"))
    for _ in range(3):
        before = served.on_loop(served.unsent_bytes)
        found += read_some(client, 8_000_000)
        served.until(partial(_has_sent, served, before))
        served.pass_s(60)
        assert served.open_connections == 1
    assert found + len(read_all(client)) > LARGE_BYTES


def test_a_signed_page_that_does_not_read_on_is_closed(served: Running) -> None:
    client = served.connect(served.request("/large", SIGNED))
    read_reply(client, b"200")
    served.pass_s(60)
    served.pass_s(60)
    assert served.open_connections == 0
    client.close()


def test_an_event_stream_of_a_signed_page_is_never_idle(served: Running) -> None:
    client = served.connect(served.request("/api/events/stream", SIGNED))
    read_reply(client, b"hello")
    served.pass_s(24 * 3600)
    assert served.open_connections == 1
    client.close()


def test_requests_that_are_sent_ahead_are_few(served: Running) -> None:
    client = served.connect(served.request("/api/events/stream", SIGNED))
    read_reply(client, b"hello")
    client.sendall(served.request("/", SIGNED) * 1_000)
    assert is_cut(client)


# -- connections ------------------------------------------------------------------------------


def test_between_requests_strangers_have_5_s_and_signed_pages_60(served: Running) -> None:
    stranger = served.connect(served.request("/"))
    read_reply(stranger, b"length 0.")
    signed = signed_connection(served)
    served.pass_s(5)
    assert is_cut(stranger)
    served.pass_s(54)
    signed.sendall(served.request("/", SIGNED))
    read_reply(signed, b"length 0.")
    served.pass_s(60)
    assert is_cut(signed)


def test_a_connection_is_signed_by_the_right_token_only(served: Running) -> None:
    wrong = served.connect(served.request("/", "Authorization: Bearer the-other"))
    read_reply(wrong, b"length 0.")
    assert served.on_loop(lambda: served.server.connections.unsigned) == 1
    signed_connection(served)
    assert served.on_loop(lambda: (served.server.connections.unsigned, len(served.server.connections))) == (1, 2)


def test_a_network_has_its_share_and_the_newest_is_never_refused() -> None:
    with running(unsigned=6, unsigned_per_network=3) as served, ExitStack() as opened:
        signed = opened.enter_context(signed_connection(served))
        strangers = [opened.enter_context(served.connect()) for _ in range(5)]
        assert [is_cut(one) for one in strangers[:2]] == [True, True]
        assert served.open_connections == 4
        newest = opened.enter_context(served.connect(served.request("/")))
        assert b" 200 " in read_reply(newest, b"length 0.")
        assert is_cut(strangers[2])
        signed.sendall(served.request("/api/echo", SIGNED))
        assert b" 200 " in read_reply(signed, b"length 0.")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 without being asked")
def test_all_together_have_a_share_and_who_holds_most_makes_room() -> None:
    with running(unsigned=6, unsigned_per_network=4) as served, ExitStack() as opened:
        single = opened.enter_context(served.connect(address="127.0.0.2"))
        strangers = [opened.enter_context(served.connect(address="127.0.0.3")) for _ in range(4)]
        for number in range(3):
            opened.enter_context(served.connect(address=f"127.0.1.{number + 1}"))
        assert served.on_loop(lambda: served.server.connections.unsigned) == 6
        assert [is_cut(one) for one in strangers[:2]] == [True, True]
        single.sendall(served.request("/"))
        read_reply(single, b"length 0.")


def test_closed_connections_are_logged_once_a_minute_with_a_count(caplog: pytest.LogCaptureFixture) -> None:
    with running(unsigned_per_network=1) as served, ExitStack() as opened:
        for _ in range(4):
            opened.enter_context(served.connect())
        served.pass_s(60)
        opened.enter_context(served.connect())
        opened.enter_context(served.connect())
    closed = [vars(one)["closed"] for one in caplog.records if "too many connections" in one.message]
    assert closed == [1, 3]


def test_who_waits_for_a_reply_is_closed_last() -> None:
    with running(unsigned_per_network=2) as served:
        waiting = served.connect(served.request("/large"))
        found = len(read_reply(waiting, b"200"))
        idle = served.connect()
        served.connect()
        assert is_cut(idle)
        assert read_some(waiting, LARGE_BYTES - found) == LARGE_BYTES - found


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.168.1.5", "192.168.1.5"),
        ("::ffff:192.168.1.5", "192.168.1.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_network_is_one_client(address: str, network: str) -> None:
    assert get_network(address) == network


# -- descriptors ------------------------------------------------------------------------------


class Scarce(Descriptors):
    """Descriptors for this many connections."""

    def __init__(self, most: int) -> None:
        self.most = most

    def are_short(self, connections: int) -> bool:
        return connections >= self.most


def test_accepting_pauses_while_descriptors_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    scarce = Scarce(3)
    monkeypatch.setattr(server, "Descriptors", lambda _: scarce)
    with running() as served, ExitStack() as opened:
        signed = [opened.enter_context(signed_connection(served)) for _ in range(2)]
        stranger = opened.enter_context(served.connect())
        # Strangers make room.
        assert is_cut(stranger)
        third = opened.enter_context(signed_connection(served))
        waiting = opened.enter_context(socket.create_connection(("127.0.0.1", served.port), 60))
        waiting.sendall(served.request("/api/echo", SIGNED))
        served.pass_s(1)
        for one in (*signed, third):
            one.sendall(served.request("/api/echo", SIGNED))
            assert b" 200 " in read_reply(one, b"length 0.")
        assert served.open_connections == 3
        third.close()
        assert b" 200 " in read_reply(waiting, b"length 0.")


@posix_only
def test_descriptors_are_short_when_the_reserve_is_touched(tmp_path: Path) -> None:
    program = (
        "import os, resource\n"
        "from mysticanvas.http.limits import Descriptors\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))\n"
        "short, opened = Descriptors(128), []\n"
        "while not short.are_short(0): opened.append(os.open(os.devnull, os.O_RDONLY))\n"
        "print(opened[-1])\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (opened[-1] + 1, 200))\n"
        "print(short.are_short(0))\n"
        "os.close(opened.pop()), resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))\n"
        "print(short.are_short(0))\n"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert found == ["71", "True", "False"]


def test_without_a_limit_of_the_system_connections_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "get_descriptor_limit", lambda: None)
    found = [Descriptors(128).are_short(count) for count in (0, limits.MOST_CONNECTIONS - 1, limits.MOST_CONNECTIONS)]
    assert found == [False, False, True]


def test_an_error_of_accepting_is_logged_once_and_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "_PAUSE_AFTER_ERROR_S", 0)
    with running() as served:
        accept, failures = served.loop.sock_accept, [OSError(24, "Too many open files"), ConnectionAbortedError()]

        async def failing(listening: socket.socket) -> tuple[socket.socket, object]:
            found = await accept(listening)
            if failures:
                found[0].close()
                raise failures.pop()
            return found

        monkeypatch.setattr(served.loop, "sock_accept", failing)
        # Its accepting had begun before.
        served.connect().close()
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", served.port), 60) as client:
                assert is_cut(client)
        signed_connection(served)
    assert [record.message for record in caplog.records].count("connections cannot be accepted") == 1


# -- the log ----------------------------------------------------------------------------------


def entries_of(library: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (library / "logs" / NAME).read_text("utf-8").splitlines()]


def logger_with(handler: logging.Handler) -> logging.Logger:
    """A logger that no other test knows."""
    log = logging.getLogger(f"apart.{id(handler)}")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(handler)
    return log


def test_an_error_that_repeats_is_logged_once_a_minute_with_a_count() -> None:
    now_s, found = 0.0, list[logging.LogRecord]()

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record)

    limit = RepeatLimit([Kept()], clock=lambda: now_s)
    log = logger_with(limit)
    for _ in range(1_000):
        log.error("no descriptor", extra={"at": "accept"})
        now_s += 0.01
    log.error("no descriptor", extra={"at": "open"})
    log.error("another error")
    assert [record.msg for record in found] == ["no descriptor", "no descriptor", "another error"]
    now_s = WINDOW_S
    log.error("no descriptor", extra={"at": "accept"})
    assert vars(found[-1])["omitted"] == 999
    log.error("no descriptor", extra={"at": "accept"})
    found.clear()
    for number in range(100):
        log.warning("a file is damaged", extra={"path": number})
        log.info("a file was imported", extra={"path": 1})
    assert [record.msg for record in found].count("a file is damaged") == DIFFERENT
    assert [record.msg for record in found].count("a file was imported") == 100
    found.clear()
    limit.close()
    assert [(record.msg, vars(record)["omitted"]) for record in found] == [
        ("no descriptor", 1), ("a file is damaged", 100 - DIFFERENT),
    ]  # fmt: skip


def test_the_log_forgets_kinds_of_errors_that_are_long_past() -> None:
    limit = RepeatLimit([logging.NullHandler()])
    for number in range(5_000):
        limit.handle(logging.makeLogRecord({"msg": f"error {number}", "levelno": logging.ERROR}))
    assert len(limit._windows) <= 200


def test_what_the_server_itself_logs_is_in_the_file_and_limited(tmp_path: Path) -> None:
    tmp_path.joinpath("library").mkdir()
    with log_to_file(tmp_path / "library"), running() as served:
        for _ in range(50):
            assert b"400" in read_all(served.connect(b"\x16\x03\x01 not HTTP\r\n\r\n"))
    [first, summary] = entries_of(tmp_path / "library")
    assert first["message"] == "Invalid HTTP request received."
    assert summary["values"] == {"omitted": "49"}


# -- the product ------------------------------------------------------------------------------


@posix_only
def test_a_thousand_idle_strangers_do_not_silence_the_gallery(tmp_path: Path) -> None:
    """With as many descriptors as most systems allow a program."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as opened:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1_024, hard), hard))
        try:
            gallery = Served(tmp_path / "library", [])
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        opened.callback(gallery.stop)
        gallery.wait_until_up()
        for _ in range(1_100):
            stranger = opened.enter_context(socket.socket())
            stranger.settimeout(60)
            stranger.connect(("127.0.0.1", gallery.port))
        gallery.http.close()
        gallery.http = type(gallery.http)(base_url=gallery.http.base_url, headers=gallery.http.headers, timeout=60)
        assert gallery.get("/api/status")["total"] == 0
    assert os.path.getsize(tmp_path / "library.log") < 10_000
    assert os.path.getsize(tmp_path / "library" / "logs" / NAME) < 10_000


def test_the_gallery_does_not_read_an_endless_header(tmp_path: Path) -> None:
    gallery = Served(tmp_path / "library", []).wait_until_up()
    try:
        with socket.create_connection(("127.0.0.1", gallery.port), 60) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n")
            assert send_until_cut(stranger, HEADERS_ENDLESS, most=200_000_000) < 50_000_000
    finally:
        gallery.stop()
