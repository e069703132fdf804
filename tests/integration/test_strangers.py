"""A program that listens where the gallery was: it gets no secret, and no command breaks on what it answers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from tests.faults.serving import Served
from tests.integration.listeners import (
    OK,
    STRANGERS,
    Answer,
    Listener,
    drip,
    listening,
    prove_then,
    redirect_to,
    relay_to,
    repeat,
    say,
)
from typer.testing import CliRunner

from mysticanvas.app.cli import app, exit_code
from mysticanvas.cli import client, gallery, starting
from mysticanvas.cli.gallery import StrangerError, find_gallery
from mysticanvas.db import lock
from mysticanvas.db.lock import LibraryLock, find_holder
from mysticanvas.domain.errors import LibraryError, MystiCanvasError
from mysticanvas.domain.launch import Launch, create_launch, create_nonce, derive_key, is_nonce, prove
from mysticanvas.fs.instance_file import read_address, read_token, write_address

TOKEN = "canary-token-4d1c6e0b7a-4d1c6e0b7a-4d1c6e0b7a"
COMMANDS = (["search"], ["token", "rotate"], ["open", "--no-open"], ["serve", "--no-open", "--port", "0"])


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir(mode=0o700)
    (folder / "token").write_text(TOKEN)
    return folder


@pytest.fixture
def held(library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The library in use by this process, which answers nowhere; nobody waits for it."""
    monkeypatch.setattr(starting, "START_LIMIT_S", 0.0)
    monkeypatch.setattr(starting, "STRANGER_LIMIT_S", 0.0)
    monkeypatch.setattr(gallery, "PROOF_LIMIT_S", 0.5)
    taken = LibraryLock.take(library)
    yield library
    taken.release()


def pretend(library: Path, port: int) -> Launch:
    """The address that a gallery of this process would have written."""
    launch = create_launch(port)
    write_address(library / "address.json", f"http://127.0.0.1:{port}", launch)
    return launch


def run(library: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--library", str(library)])


def refused(library: Path, *words: str) -> str:
    """The one sentence of a command that could not use the library."""
    error = run(library, *words).exception
    assert isinstance(error, MystiCanvasError), error
    assert exit_code(error) == 4
    assert "\n" not in str(error)
    return str(error)


def assert_no_secret(library: Path, *listeners: Listener) -> None:
    for listener in listeners:
        assert read_token(library).encode() not in listener.heard
        assert b"authorization" not in listener.heard.lower()
        assert b"cookie" not in listener.heard.lower()


@pytest.mark.parametrize("kind", STRANGERS)
def test_a_stranger_gets_no_secret_and_whatever_it_answers_is_one_sentence(held: Path, kind: str) -> None:
    with listening(STRANGERS[kind]) as stranger:
        pretend(held, stranger.port)
        assert refused(held, "search")
        assert stranger.connections > 0
    assert_no_secret(held, stranger)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_sends_a_secret_to_a_stranger(held: Path, words: list[str]) -> None:
    with listening(STRANGERS["wrong proof"]) as stranger:
        pretend(held, stranger.port)
        assert "No secrets were sent" in refused(held, *words)
        assert stranger.connections > 0
    assert_no_secret(held, stranger)


def test_a_redirect_is_not_followed(held: Path) -> None:
    with listening(say(b"")) as elsewhere, listening(redirect_to(elsewhere.port)) as stranger:
        pretend(held, stranger.port)
        refused(held, "search")
        assert (stranger.connections > 0, elsewhere.connections) == (True, 0)


def test_a_stranger_that_asks_the_real_gallery_for_its_proof_is_not_it(tmp_path: Path) -> None:
    """The proof names the port: relayed from another one, it proves nothing."""
    served = Served(tmp_path / "library", []).wait_until_up()
    try:
        real = read_address(served.library)
        assert real is not None
        with listening(relay_to(served.port)) as stranger:
            stolen = Launch(real.id, stranger.port, real.pid)
            write_address(served.library / "address.json", f"http://127.0.0.1:{stranger.port}", stolen)
            with pytest.raises(StrangerError):
                find_gallery(served.library)
            assert_no_secret(served.library, stranger)
    finally:
        served.stop()


def test_a_command_talks_to_nobody_at_the_port_of_a_gallery_that_was_killed(tmp_path: Path) -> None:
    served = Served(tmp_path / "library", []).wait_until_up()
    port = served.port
    served.kill()
    assert (served.library / "address.json").exists()
    with listening(STRANGERS["HTML"], port) as stranger:
        done = subprocess.run(
            [sys.executable, "-m", "mysticanvas.app.cli", "search", "--count", "--library", str(served.library)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout.strip()) == (1, "0"), done.stderr
        assert stranger.connections == 0


def test_the_port_of_another_process_is_not_asked_while_the_library_is_held(held: Path) -> None:
    """The gallery was killed, and another process holds the library now: the port is not its own."""
    with listening(STRANGERS["HTML"]) as stranger:
        old = Launch("0" * 32, stranger.port, os.getpid() + 1)
        write_address(held / "address.json", f"http://127.0.0.1:{stranger.port}", old)
        refused(held, "search")
        assert stranger.connections == 0


def test_an_address_file_cannot_name_another_machine(held: Path) -> None:
    with listening(STRANGERS["wrong proof"]) as stranger:
        pretend(held, stranger.port)
        content = json.loads((held / "address.json").read_text())
        (held / "address.json").write_text(json.dumps(content | {"url": "http://evil.example:80"}))
        refused(held, "search")
        assert f"Host: 127.0.0.1:{stranger.port}".encode() in stranger.heard


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"launch":7}', '{"url":"http://127.0.0.1:80","pid":1}', "[" * 100_000, "\xff",
     '{"launch":{"id":"a","port":1e999,"pid":1}}', '{"launch":{"id":"a","port":70000,"pid":1}}'],
)  # fmt: skip
def test_an_address_file_of_any_content_is_no_gallery(library: Path, content: str) -> None:
    (library / "address.json").write_text(content, "latin-1")
    assert read_address(library) is None
    assert run(library, "search", "--count").stdout.strip() == "0"


AFTER_THE_PROOF: dict[str, tuple[Answer, str]] = {
    "garbage": (say(b"\x00\xff" * 500), "does not respond"),
    "HTML": (say(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"), "not valid JSON"),
    "not UTF-8": (say(OK + b"Content-Length: 2\r\n\r\n\xff\xff"), "not valid JSON"),
    "deep JSON": (say(OK + b"\r\n" + b"[" * 200_000), "not valid JSON"),
    "an error of no known shape": (say(b"HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\n[1]"), "HTTP status 500"),
    "signed out": (say(b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\n{}"), "Run the command again"),
    "an endless body": (repeat(OK + b"\r\n", b" " * 65_536), "larger than"),
    "endless headers": (repeat(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 100), "does not respond"),
    "a slow drip": (drip(OK + b"\r\n{ "), "does not respond"),
    "a body that is not what it says": (say(OK + b"Content-Encoding: gzip\r\n\r\nplain"), "does not respond"),
}


@pytest.mark.parametrize("kind", AFTER_THE_PROOF)
def test_even_after_the_proof_no_reply_breaks_a_command(held: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that took the port in the moment after the proof: it hears a key of a launch that has ended."""
    monkeypatch.setattr(client, "MAX_REPLY_BYTES", 1_000_000)
    monkeypatch.setattr(client, "REQUEST_LIMIT_S", 1.0)
    monkeypatch.setattr(client, "REPLY_LIMIT_S", 1.0)
    then, sentence = AFTER_THE_PROOF[kind]
    launch = create_launch(0)
    with listening(prove_then(TOKEN, launch, then)) as late:
        write_address(held / "address.json", "", Launch(launch.id, late.port, launch.pid))
        assert sentence in refused(held, "search")
    assert TOKEN.encode() not in late.heard
    key = derive_key(TOKEN, Launch(launch.id, late.port, launch.pid))
    assert f"Bearer {key}".encode() in late.heard


def test_a_redirect_after_the_proof_carries_the_key_nowhere(held: Path) -> None:
    launch = create_launch(0)
    with (
        listening(say(b"")) as elsewhere,
        listening(prove_then(TOKEN, launch, redirect_to(elsewhere.port))) as late,
    ):
        write_address(held / "address.json", "", Launch(launch.id, late.port, launch.pid))
        assert "HTTP status 307" in refused(held, "search")
        assert elsewhere.connections == 0


def test_a_proxy_of_the_environment_sees_no_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(tmp_path / "library", []).wait_until_up()
    try:
        with listening(STRANGERS["HTML"]) as proxy:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            for name in ("NO_PROXY", "no_proxy"):
                monkeypatch.delenv(name, raising=False)
            assert run(served.library, "search", "--count").stdout.strip() == "0"
            assert proxy.connections == 0
    finally:
        served.stop()


def test_the_key_of_one_launch_opens_no_other(tmp_path: Path) -> None:
    served = Served(tmp_path / "library", []).wait_until_up()
    first = served.http.headers["Authorization"]
    served.stop()
    again = Served(tmp_path / "library", []).wait_until_up()
    try:
        assert again.http.get("/api/v1/status", headers={"Authorization": first}).status_code == 401
        assert again.http.get("/api/v1/status").status_code == 200
        # Scripts may still send the token itself.
        by_token = {"Authorization": f"Bearer {read_token(again.library)}"}
        assert again.http.get("/api/v1/status", headers=by_token).status_code == 200
    finally:
        again.stop()


def test_a_proof_is_of_one_launch_one_port_and_one_nonce_and_is_no_key() -> None:
    launch, nonce = create_launch(8_642), create_nonce()
    proof = prove(TOKEN, launch, nonce)
    others = [
        prove("another", launch, nonce),
        prove(TOKEN, launch, create_nonce()),
        prove(TOKEN, create_launch(8_642), nonce),
        prove(TOKEN, Launch(launch.id, 8_643, launch.pid), nonce),
        prove(TOKEN, Launch(launch.id, 8_642, launch.pid + 1), nonce),
        derive_key(TOKEN, launch),
        prove(TOKEN, launch, ""),
    ]
    assert len({proof, *others}) == 1 + len(others)
    assert [is_nonce(one) for one in (nonce, "", nonce.upper() + "g", f"{nonce}\n", "é" * 64)] == [True] + [False] * 4


def test_a_nonce_of_another_form_is_refused(tmp_path: Path) -> None:
    served = Served(tmp_path / "library", []).wait_until_up()
    try:
        for nonce in ("", "0" * 63, "0" * 65, "G" * 64, "0" * 64 + "%0a"):
            assert served.http.get(f"/api/v1/session/proof?nonce={nonce}").status_code == 422
    finally:
        served.stop()


def test_looking_for_the_holder_takes_the_lock_from_nobody(library: Path) -> None:
    assert find_holder(library) is None
    taken = LibraryLock.take(library)
    assert find_holder(library) == os.getpid()
    taken.release()
    assert find_holder(library) is None
    LibraryLock.take(library).release()


def test_the_holder_is_found_where_nobody_can_only_look(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where every look takes the lock for a moment."""
    plain = lock._try_lock
    monkeypatch.setattr(lock, "_try_lock", lambda handle, **_: plain(handle))
    test_looking_for_the_holder_takes_the_lock_from_nobody(library)


def test_a_damaged_token_file_is_one_sentence(held: Path) -> None:
    (held / "token").write_bytes(b"\xff\xfe")
    with listening(STRANGERS["HTML"]) as stranger:
        pretend(held, stranger.port)
        with pytest.raises(LibraryError, match="to create a new token"):
            find_gallery(held)
