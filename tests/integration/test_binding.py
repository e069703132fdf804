"""Serving other machines: never by accident, never without a password, and the gate holds as before (X1)."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import HTTPConnection
from tests import loops
from tests.faults.serving import Served
from typer.testing import CliRunner

from mysticanvas.app.cli import app, exit_code
from mysticanvas.app.orchestrator import Orchestrator
from mysticanvas.domain.errors import InvalidInputError, LibraryError
from mysticanvas.http import binding, passwords
from mysticanvas.http.passwords import Passwords, TooManyAttemptsError, save_password
from mysticanvas.http.proxies import TrustedProxies
from mysticanvas.http.sessions import Sessions
from mysticanvas.settings import Settings

PASSWORD = "correct horse battery"
NAME = "gallery.lan"


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    library = tmp_path_factory.mktemp("wide") / "library"
    save_password(library, PASSWORD)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MYSTICANVAS_HOST", "0.0.0.0")
        patched.setenv("MYSTICANVAS_HOST_NAMES", f"{NAME}, https://pictures.example")
        server = Served(library, []).wait_until_up()
    yield server
    server.stop()


def stranger(served: Served, host: str, scheme: str = "http", **more: str) -> httpx.Client:
    """A browser of another machine, as far as a server can tell; `host` is what its address bar says."""
    headers = {"Host": host, "Origin": f"{scheme}://{host}", **more}
    return httpx.Client(base_url=f"http://127.0.0.1:{served.port}", headers=headers, timeout=60)


def test_another_address_is_refused_without_a_password_and_without_names(tmp_path: Path) -> None:
    library = tmp_path / "library"
    for host in ("0.0.0.0", "::", "192.168.1.5"):
        with (
            pytest.raises(InvalidInputError, match="password"),
            Orchestrator(Settings(library=library, host=host, host_names=NAME, port=0), serving=True),
        ):
            pass
    assert not (library / "mysticanvas.db").exists()
    save_password(library, PASSWORD)
    with (
        pytest.raises(InvalidInputError, match="--host-name"),
        Orchestrator(Settings(library=library, host="0.0.0.0", port=0), serving=True),
    ):
        pass
    assert exit_code(InvalidInputError("")) == 2


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_this_machine_alone_wants_neither(host: str) -> None:
    binding.check_wide(host, (), has_password=False)


@pytest.mark.parametrize("name", ["*", "", "a b", "http://", "evil.example/path", "a@b", "-a", "ftp://a", "a:99999999"])
def test_what_is_no_name_of_a_host_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError):
        binding.list_origins(8642, [name])


def test_each_name_has_its_own_origin() -> None:
    found = binding.list_origins(
        8642, ["nas.local", "NAS.local:80", "https://pictures.example", "https://pictures.example:8443"]
    )
    assert found["nas.local:8642"] == "http://nas.local:8642"
    assert found["nas.local"] == "http://nas.local"
    assert found["pictures.example"] == "https://pictures.example"
    assert found["pictures.example:8443"] == "https://pictures.example:8443"
    assert set(binding.list_origins(80, ())) == {"127.0.0.1", "localhost", "[::1]"}


def test_both_addresses_of_this_machine_are_taken_and_no_other() -> None:
    opened = binding.open_sockets("127.0.0.1", 0)
    try:
        names = {one.getsockname()[0] for one in opened}
        assert names <= {"127.0.0.1", "::1"}
        port = opened[0].getsockname()[1]
        assert {one.getsockname()[1] for one in opened} == {port}
        for one in opened:
            one.listen()
        with pytest.raises(LibraryError, match="used by another program"):
            binding.open_sockets("127.0.0.1", port)
    finally:
        for one in opened:
            one.close()


def test_replies_do_not_wait_for_acknowledgements() -> None:
    [listening, *more] = binding.open_sockets("127.0.0.1", 0)
    assert listening.proto == socket.IPPROTO_TCP
    for one in (listening, *more):
        one.close()


def test_the_password_signs_in_under_the_name_and_under_no_other(wide: Served) -> None:
    host = f"{NAME}:{wide.port}"
    with stranger(wide, host) as browser:
        assert browser.get("/api/status").status_code == 401
        signed = browser.post("/api/session", json={"code": PASSWORD})
        assert signed.status_code == 204
        cookie = signed.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        pair = signed.headers["set-cookie"].partition(";")[0]
    assert stranger(wide, host, Cookie=pair).get("/api/status").status_code == 200
    for other in (NAME, f"evil.example:{wide.port}", f"{NAME}.evil.example:{wide.port}", f"0.0.0.0:{wide.port}"):
        assert stranger(wide, other, Cookie=pair).get("/api/status").status_code == 421, other
    # The gate asks no less of who is let in.
    crossing = stranger(wide, host, Cookie=pair)
    crossing.headers["Origin"] = "http://evil.example"
    assert crossing.post("/api/queries", json={"q": ""}).status_code == 403


def test_behind_a_proxy_with_a_certificate_the_cookie_is_for_it_alone(wide: Served) -> None:
    signed = stranger(wide, "pictures.example", "https").post("/api/session", json={"code": PASSWORD})
    assert signed.status_code == 204
    assert "secure" in signed.headers["set-cookie"].lower()
    assert stranger(wide, "pictures.example", "http").post("/api/session", json={"code": PASSWORD}).status_code == 403


def test_no_address_is_trusted_more_than_another(wide: Served) -> None:
    for told in ("127.0.0.1", "::1", "192.168.1.5"):
        asking = stranger(
            wide, f"{NAME}:{wide.port}", **{"X-Forwarded-For": told, "X-Real-IP": told, "Forwarded": f"for={told}"}
        )
        assert asking.get("/api/status").status_code == 401


def test_guessing_is_slowed_down_whatever_the_guesser_says_of_its_address(wide: Served) -> None:
    said = []
    for attempt in range(passwords.FREE_MISTAKES + 2):
        guesser = stranger(wide, f"{NAME}:{wide.port}", **{"X-Forwarded-For": f"10.0.0.{attempt}"})
        said.append(guesser.post("/api/session", json={"code": f"guess {attempt}"}).status_code)
    assert said == [403] * passwords.FREE_MISTAKES + [429, 429]
    refused = stranger(wide, f"{NAME}:{wide.port}").post("/api/session", json={"code": PASSWORD})
    assert refused.status_code == 429
    assert "Try again in" in refused.json()["error"]
    # A code of this launch still opens: nobody can lock its owner out.
    code = wide.post("/api/session/code", {})["url"].rpartition("=")[2]
    assert stranger(wide, f"{NAME}:{wide.port}").post("/api/session", json={"code": code}).status_code == 204


def test_a_known_browser_is_not_locked_out_by_others_at_its_address(wide: Served) -> None:
    host = f"{NAME}:{wide.port}"
    code = wide.post("/api/session/code", {})["url"].rpartition("=")[2]
    with stranger(wide, host) as known:
        signed = known.post("/api/session", json={"code": code})
        [device] = [one for one in signed.headers.get_list("set-cookie") if "_device=" in one]
        assert "HttpOnly" in device
        assert "path=/api/session" in device.lower()
        cookie = device.partition(";")[0]
    said = 0
    while said != 429:
        said = stranger(wide, host).post("/api/session", json={"code": "guess"}).status_code
    assert stranger(wide, host, Cookie=cookie).post("/api/session", json={"code": PASSWORD}).status_code == 204
    # It opens nothing.
    assert stranger(wide, host, Cookie=cookie).get("/api/status").status_code == 401


def test_a_known_browser_cannot_be_made_up() -> None:
    sessions = Sessions("token")
    cookie = sessions.create_device()
    device, _, signature = cookie.partition(".")
    assert sessions.read_device(cookie) == device
    for made_up in (f"other.{signature}", f"{device}.", device, "", ".", f".{signature}", "é.ü"):
        assert sessions.read_device(made_up) is None
    assert Sessions("another token").read_device(cookie) is None


class Guarded:
    """The passwords of a library, whose seconds pass when a test says so. `paused_s`: how long attempts waited."""

    def __init__(self, library: Path, *, is_set: bool) -> None:
        if is_set:
            save_password(library, PASSWORD)
        self.now_s, self.paused_s = 1_000.0, list[float]()
        self.passwords = Passwords(library, clock=lambda: self.now_s, pause=self._pause)

    async def _pause(self, seconds: float) -> None:
        self.paused_s.append(seconds)

    def accepts(self, password: str, address: str, device: str | None = None) -> bool:
        return loops.run(self.passwords.accepts(password, address=address, device=device))

    def guess(self, *addresses: str) -> None:
        async def guess_all() -> None:
            for address in addresses:
                assert not await self.passwords.accepts("wrong", address=address)

        loops.run(guess_all())


def test_the_wait_ends_and_grows(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, is_set=True)
    guarded.guess(*["a"] * passwords.FREE_MISTAKES)
    with pytest.raises(TooManyAttemptsError):
        guarded.accepts(PASSWORD, "a")
    assert guarded.accepts(PASSWORD, "b")
    guarded.now_s += 2.5
    guarded.guess("a")
    guarded.now_s += 2.5
    with pytest.raises(TooManyAttemptsError):
        guarded.accepts(PASSWORD, "a")
    guarded.now_s += 2.5
    assert guarded.accepts(PASSWORD, "a")
    # The right password ends it.
    guarded.guess(*["a"] * passwords.FREE_MISTAKES)


def test_wrong_guesses_of_many_networks_delay_the_right_password_and_never_refuse_it(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, is_set=False)
    guarded.guess(*[f"10.0.{number // 250}.{number % 250}" for number in range(2_000)])
    save_password(tmp_path, PASSWORD)
    assert guarded.accepts(PASSWORD, "192.168.1.5")
    assert guarded.paused_s[passwords.FREE_MISTAKES_OF_ALL] == 0
    assert 0 < guarded.paused_s[passwords.FREE_MISTAKES_OF_ALL + 1] < 1
    assert guarded.paused_s[-1] == max(guarded.paused_s) == passwords.LONGEST_DELAY_S
    # Nor does a known browser wait, and nobody does some time later.
    attempts = len(guarded.paused_s)
    assert guarded.accepts(PASSWORD, "10.0.0.1", device="d")
    assert len(guarded.paused_s) == attempts
    guarded.now_s += 120
    assert guarded.accepts(PASSWORD, "192.168.1.5")
    assert guarded.paused_s[-1] == 0


def test_an_ipv6_network_has_one_budget(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, is_set=True)
    guarded.guess(*[f"2001:db8::{number:x}" for number in range(passwords.FREE_MISTAKES)])
    with pytest.raises(TooManyAttemptsError):
        guarded.accepts(PASSWORD, "2001:db8::ffff:1")
    assert guarded.accepts(PASSWORD, "2001:db8:0:1::1")


def test_guesses_at_the_same_time_share_the_budget(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, is_set=False)

    async def guess_all() -> list[bool | BaseException]:
        guesses = [guarded.passwords.accepts("wrong", address="a") for _ in range(50)]
        return await asyncio.gather(*guesses, return_exceptions=True)

    found = loops.run(guess_all())
    assert found.count(False) == passwords.FREE_MISTAKES
    assert sum(isinstance(one, TooManyAttemptsError) for one in found) == 50 - passwords.FREE_MISTAKES


def test_a_known_browser_has_a_budget_too(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, is_set=True)
    for _ in range(passwords.FREE_MISTAKES):
        assert not guarded.accepts("wrong", "a", device="d")
    with pytest.raises(TooManyAttemptsError):
        guarded.accepts(PASSWORD, "a", device="d")
    assert guarded.accepts(PASSWORD, "a")


def test_the_addresses_that_are_remembered_are_limited() -> None:
    counted = passwords.Mistakes(lambda: 0.0)
    for number in range(5 * passwords.CLIENTS_KEPT):
        counted.count(str(number))
    assert len(counted) == passwords.CLIENTS_KEPT


def client_of(peer: str, *forwarded: str, trusted: tuple[str, ...] = ()) -> str:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    asked = HTTPConnection({"type": "http", "headers": headers, "client": (peer, 1)})
    return TrustedProxies(trusted).find_client(asked)


def test_a_forwarded_address_counts_only_from_a_trusted_proxy() -> None:
    proxy, trusted = "10.0.0.2", ("10.0.0.2", "172.16.0.0/12", "::1")
    assert client_of(proxy, "1.2.3.4") == proxy
    assert client_of(proxy, "1.2.3.4", trusted=trusted) == "1.2.3.4"
    assert client_of("::ffff:10.0.0.2", "1.2.3.4", trusted=trusted) == "1.2.3.4"
    assert client_of("10.0.0.3", "1.2.3.4", trusted=trusted) == "10.0.0.3"
    # What the client itself has put before is not believed.
    assert client_of(proxy, "9.9.9.9, 1.2.3.4, 172.16.0.9", trusted=trusted) == "1.2.3.4"
    assert client_of(proxy, "9.9.9.9", "1.2.3.4", trusted=trusted) == "1.2.3.4"
    assert client_of(proxy, "1.2.3.4, nonsense", trusted=trusted) == proxy
    assert client_of(proxy, trusted=trusted) == proxy
    with pytest.raises(InvalidInputError, match="not an IP address"):
        TrustedProxies(["proxy.local"])


def test_the_command_sets_and_forgets_the_password(tmp_path: Path) -> None:
    library, run = tmp_path / "library", CliRunner()
    asked = ["access", "password", "--library", str(library)]
    assert isinstance(run.invoke(app, asked, input="short\nshort\n").exception, InvalidInputError)
    assert run.invoke(app, asked, input=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 0
    kept = library / "password"
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.read_text("ascii").startswith("$argon2id$")
    assert loops.run(Passwords(library).accepts(PASSWORD, address="a"))
    assert run.invoke(app, [*asked, "--forget"]).exit_code == 0
    assert not kept.exists()
