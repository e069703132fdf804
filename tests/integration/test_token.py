"""The token can be replaced while the gallery runs, and a sign-in link works once and expires after one hour."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from rich.console import Console
from tests.faults.serving import Served
from typer.testing import CliRunner

from mysticanvas.app import serve as app_serve
from mysticanvas.app.cli import app, exit_code
from mysticanvas.app.orchestrator import Orchestrator
from mysticanvas.cli import links
from mysticanvas.cli.links import Links
from mysticanvas.domain.errors import LibraryError
from mysticanvas.fs.instance_file import read_token
from mysticanvas.http import binding, sessions
from mysticanvas.http.code_guesses import FREE_GUESSES, WINDOW_S, CodeGuesses
from mysticanvas.http.passwords import TooManyAttemptsError, save_password
from mysticanvas.http.sessions import Sessions
from mysticanvas.settings import Settings

MINUTE_S = 60.0


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served(tmp_path / "library", []).wait_until_up()
    yield server
    server.stop()


def browser(served: Served) -> httpx.Client:
    """Not signed in."""
    base = str(served.http.base_url).rstrip("/")
    return httpx.Client(base_url=base, headers={"Origin": base}, timeout=120)


def signed_in(served: Served) -> httpx.Client:
    client = browser(served)
    assert sign_in(client, new_code(served)) == 204
    return client


def new_code(served: Served) -> str:
    return str(served.post("/api/v1/session/links", {})["url"]).rpartition("=")[2]


def sign_in(client: httpx.Client, code: str) -> int:
    return client.post("/api/v1/session", json={"code": code}).status_code


def session_cookies(client: httpx.Client) -> dict[str, str]:
    """Without those that only tell a known browser from others."""
    return {name: value for name, value in client.cookies.items() if not name.endswith("_device")}


def status(client: httpx.Client, **headers: str) -> int:
    return client.get("/api/v1/status", headers=headers).status_code


def run(library: Path, *words: str) -> str:
    return CliRunner().invoke(app, [*words, "--library", str(library)], catch_exceptions=False).stdout


def test_a_command_replaces_the_token_of_a_running_gallery(served: Served) -> None:
    library, page, code = served.library, signed_in(served), new_code(served)
    old, key = read_token(library), served.http.headers["Authorization"]
    assert status(page) == 200
    answer = json.loads(run(library, "token", "rotate", "--json"))
    assert answer == {"rotated": True, "file": str(library / "token")}
    new = read_token(library)
    assert new != old
    assert (library / "token").stat().st_mode & 0o077 == 0
    nobody = browser(served)
    # At once, and all that came from it.
    assert status(nobody, Authorization=f"Bearer {old}") == 401
    assert status(nobody, Authorization=key) == 401
    assert status(page) == 401
    assert sign_in(nobody, code) == 403
    assert status(nobody, Authorization=f"Bearer {new}") == 200
    # The gallery runs on, and commands find it.
    assert served.process.poll() is None
    assert run(library, "search", "--count").strip() == "0"
    assert run(library, "token", "show").strip() == new
    shown = json.loads(run(library, "token", "show", "--json"))
    assert shown == {"token": new, "url": str(served.http.base_url).rstrip("/")}


def test_the_browser_that_replaces_the_token_stays_signed_in_and_others_do_not(served: Served) -> None:
    here, there = signed_in(served), signed_in(served)
    before = session_cookies(here)
    assert here.post("/api/v1/session/token", json={"confirm": True}).status_code == 204
    # Under the name of the new token; the old cookie is gone.
    assert len(session_cookies(here)) == 1
    assert session_cookies(here).keys() != before.keys()
    assert (status(here), status(there)) == (200, 401)
    # Also after a crash.
    served.kill()
    again = Served(served.library, [], port=served.port).wait_until_up()
    try:
        assert (status(here), status(there)) == (200, 401)
    finally:
        again.stop()


def test_open_event_streams_of_the_old_token_end(served: Served) -> None:
    heard, ended = threading.Event(), threading.Event()

    def follow() -> None:
        with signed_in(served).stream("GET", "/api/v1/events/stream") as stream:
            for _ in stream.iter_lines():
                heard.set()
        ended.set()

    threading.Thread(target=follow, daemon=True).start()
    assert heard.wait(60)
    served.http.post("/api/v1/session/token", json={"confirm": True}).raise_for_status()
    assert ended.wait(60), "the stream goes on"


def test_nothing_is_replaced_without_a_yes(served: Served) -> None:
    old = read_token(served.library)
    for body in ({}, {"confirm": False}, {"confirm": "yes"}, []):
        assert served.http.post("/api/v1/session/token", json=body).status_code == 422, body
    assert read_token(served.library) == old
    assert status(served.http) == 200


def test_the_token_of_a_gallery_that_is_not_running_is_replaced_too(tmp_path: Path) -> None:
    served = Served(tmp_path / "library", []).wait_until_up()
    page, old = signed_in(served), read_token(served.library)
    served.kill()
    assert (served.library / "session").exists()
    assert "was replaced" in run(served.library, "token", "rotate")
    assert read_token(served.library) != old
    again = Served(served.library, [], port=served.port).wait_until_up()
    try:
        # What was kept for pages that reconnect after a crash is replaced as well, whatever name it is sent under.
        [value] = session_cookies(page).values()
        name = Sessions(read_token(served.library)).cookie_name
        assert status(browser(again), Cookie=f"{name}={value}") == 401
    finally:
        again.stop()


def test_a_token_that_cannot_be_written_is_not_replaced(tmp_path: Path) -> None:
    opened = Sessions.open(tmp_path / "token")
    old, cookie, code = read_token(tmp_path), opened.cookie, opened.create_code()
    (tmp_path / "token.part").mkdir()
    with pytest.raises(LibraryError, match="old token is still valid"):
        opened.rotate_token()
    assert read_token(tmp_path) == old
    assert opened.knows_token(old)
    assert opened.redeem(code) == cookie


@pytest.mark.parametrize(("minutes", "works"), [(0, True), (59, True), (61, False)])
def test_a_link_works_for_an_hour(minutes: int, works: bool) -> None:
    now_s = 1_000.0
    opened = Sessions("token", clock=lambda: now_s)
    code = opened.create_code()
    now_s += minutes * MINUTE_S
    assert (opened.redeem(code) is not None) == works


def test_a_link_works_once(served: Served) -> None:
    code, client = new_code(served), browser(served)
    assert [sign_in(client, code), sign_in(browser(served), code)] == [204, 403]


def test_the_link_that_a_browser_gets_as_an_argument_works_for_a_moment_only(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(links.webbrowser, "open", opened.append)
    printed = run(served.library, "open")
    [url] = opened
    assert url not in printed
    assert sign_in(browser(served), url.rpartition("=")[2]) == 204
    reply = served.post("/api/v1/session/links", {"valid_s": links.BROWSER_LIMIT_S})
    assert reply["valid_s"] == 60
    for seconds in (0, 3_601, -1):
        assert served.http.post("/api/v1/session/links", json={"valid_s": seconds}).status_code == 422


def test_a_code_that_is_valid_for_less_ends_earlier() -> None:
    now_s = 0.0
    opened = Sessions("token", clock=lambda: now_s)
    short, long = opened.create_code(60), opened.create_code()
    now_s = 61.0
    assert (opened.redeem(short), opened.redeem(long)) == (None, opened.cookie)


def test_links_that_nobody_uses_do_not_pile_up() -> None:
    opened = Sessions("token")
    codes = [opened.create_code() for _ in range(sessions.MAX_CODES + 1)]
    assert opened.redeem(codes[0]) is None
    assert opened.redeem(codes[1]) is not None


def test_wrong_codes_are_limited_and_lock_out_nobody(served: Served) -> None:
    code, guesser = new_code(served), browser(served)
    said = [sign_in(guesser, f"guess-{number}") for number in range(FREE_GUESSES + 3)]
    assert said == [403] * FREE_GUESSES + [429] * 3
    assert "mysticanvas open" in guesser.post("/api/v1/session", json={"code": "x"}).json()["detail"]
    assert sign_in(browser(served), code) == 204


def test_the_limit_of_wrong_codes_is_of_one_address_and_ends() -> None:
    now_s = 0.0
    guesses = CodeGuesses(clock=lambda: now_s)
    for _ in range(FREE_GUESSES):
        guesses.count_wrong("a")
    with pytest.raises(TooManyAttemptsError):
        guesses.count_wrong("a")
    guesses.count_wrong("b")
    now_s = WINDOW_S
    guesses.count_wrong("a")


def test_open_prints_a_new_link_that_signs_in(served: Served) -> None:
    printed = run(served.library, "open", "--no-open")
    assert "one use or one hour" in printed
    [first] = [word for word in printed.split() if "#t=" in word]
    answer = json.loads(run(served.library, "open", "--no-open", "--json"))
    assert answer["external_url"] is None
    assert answer["url"] != first
    for url in (first, answer["url"]):
        assert sign_in(browser(served), url.rpartition("=")[2]) == 204


def test_open_without_a_gallery_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    done = CliRunner().invoke(app, ["open", "--library", str(tmp_path / "library")])
    assert isinstance(done.exception, LibraryError)
    assert exit_code(done.exception) == 3
    assert "mysticanvas serve" in str(done.exception)


# -- for a phone ------------------------------------------------------------------------------


def test_a_phone_gets_an_address_that_it_can_reach_and_the_gallery_accepts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_password(tmp_path / "library", "correct horse battery")
    monkeypatch.setattr(binding, "_find_outgoing_address", lambda: "192.168.7.9")
    settings = Settings(library=tmp_path / "library", host="0.0.0.0", host_names="nas.local", port=0, workers=1)
    with Orchestrator(settings, serving=True) as running:
        url, external = running.create_sign_in_links()
        assert external is not None
        assert external.startswith(f"http://192.168.7.9:{running.port}/#t=")
        assert f"192.168.7.9:{running.port}" in running.address.origins
        assert not any("0.0.0.0" in host for host in running.address.origins)
        # Each works once, so each has its own code.
        codes = [one.rpartition("=")[2] for one in (url, external)]
        assert [running.sessions.redeem(code) for code in codes] == [running.sessions.cookie] * 2


@pytest.mark.parametrize(
    ("names", "best"),
    [
        ((), None),
        (("nas.local", "192.168.7.9"), "http://192.168.7.9:8642"),
        (("192.168.7.1", "192.168.7.9"), "http://192.168.7.1:8642"),
        (("nas.local", "https://g.example", "192.168.7.9"), "https://g.example"),
        (("nas.local",), "http://nas.local:8642"),
        (("nas.local", "[fd00::7]"), "http://[fd00::7]:8642"),
    ],
)
def test_the_address_that_a_phone_most_likely_reaches_is_first(names: tuple[str, ...], best: str | None) -> None:
    assert next(iter(binding.list_external(8642, names)), None) == best


@pytest.mark.parametrize(
    ("host", "outgoing", "found"),
    [
        ("0.0.0.0", "192.168.7.9", ["192.168.7.9"]),
        ("::", "192.168.7.9", ["192.168.7.9"]),
        ("192.168.7.1", "10.0.0.1", ["192.168.7.1"]),
        ("fd00::7", None, ["[fd00::7]"]),
        ("0.0.0.0", None, []),
        ("0.0.0.0", "127.0.0.1", []),
        ("0.0.0.0", "0.0.0.0", []),
    ],
)
def test_the_address_in_the_local_network_is_one_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, host: str, outgoing: str | None, found: list[str]
) -> None:
    monkeypatch.setattr(binding, "_find_outgoing_address", lambda: outgoing)
    assert binding.find_lan_addresses(host) == found


def test_the_route_to_other_machines_is_found_without_sending_anything() -> None:
    address = binding._find_outgoing_address()
    assert address is None or binding.find_lan_addresses(address) == [address]


def test_a_qr_code_holds_the_link() -> None:
    import segno

    link = f"http://192.168.7.9:8642/#t={'a' * 32}"
    drawn = links.draw_qr(link).splitlines()
    dark = {" ": (1, 1), "▀": (0, 1), "▄": (1, 0), "█": (0, 0)}
    rows = [[dark[char][half] for char in line] for line in drawn for half in (0, 1)]
    wanted = [list(row) for row in segno.make(link, micro=False, error="m").matrix]
    size = len(wanted)
    assert [row[2 : 2 + size] for row in rows[2 : 2 + size]] == wanted
    # The light margin that scanners need.
    assert not any(any(row) for row in rows[:2])
    assert not any(row[0] or row[1] or row[-1] or row[-2] for row in rows[: size + 4])
    assert len(drawn[0]) <= 60


@pytest.mark.parametrize(("encoding", "is_terminal", "shown"), [
    ("utf-8", True, True), ("cp1252", True, False), ("ascii", True, False), ("utf-8", False, False),
])  # fmt: skip
def test_the_qr_code_is_for_terminals_that_can_show_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, is_terminal: bool, shown: bool
) -> None:
    with (tmp_path / "out").open("w", encoding=encoding) as file:
        monkeypatch.setattr(links, "out", Console(file=file, force_terminal=is_terminal, width=40))
        links.print_links(Links("http://127.0.0.1:8642/#t=a", "http://192.168.7.9:8642/#t=b"))
    printed = (tmp_path / "out").read_text(encoding)
    assert "http://192.168.7.9:8642/#t=b" in printed
    assert ("█" in printed) == shown


def test_no_phone_is_mentioned_while_only_this_machine_can_connect(capsys: pytest.CaptureFixture[str]) -> None:
    links.print_links(Links("http://127.0.0.1:8642/#t=a", None))
    assert "phone" not in capsys.readouterr().out


def test_an_ipv6_address_is_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    links.print_links(Links("http://127.0.0.1:8642/#t=a", "http://[fd00::7]:8642/#t=b"))
    assert "http://[fd00::7]:8642/#t=b" in capsys.readouterr().out


def test_serve_prints_the_links_and_opens_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Joining a gallery that runs already says the same as starting it."""
    served = Served(tmp_path / "library", []).wait_until_up()
    opened: list[str] = []
    monkeypatch.setattr(app_serve, "open_browser_at", opened.append)
    try:
        printed = run(served.library, "serve")
        [url] = [word for word in printed.split() if "#t=" in word]
        assert len(opened) == 1
        assert url not in opened
        assert sign_in(browser(served), url.rpartition("=")[2]) == 204
    finally:
        served.stop()
