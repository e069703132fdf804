"""Who stays signed in over a restart, and what a page hears that comes back (X1)."""

from pathlib import Path

import pytest
from tests import loops

from mysticanvas.domain.errors import LibraryError
from mysticanvas.fs.instance_file import read_token, write_address
from mysticanvas.http import sse
from mysticanvas.http.sessions import Sessions
from mysticanvas.http.sse import EventStream


def signed_in(sessions: Sessions) -> str:
    cookie = sessions.redeem(sessions.create_code())
    assert cookie is not None
    return cookie


def test_a_page_stays_signed_in_over_a_crash_but_not_over_an_orderly_end(tmp_path: Path) -> None:
    kept = tmp_path / "session"
    first = Sessions.open(tmp_path / "token")
    crashed = first.keep_cookie_in(kept)
    crashed.__enter__()
    cookie = signed_in(first)
    assert kept.stat().st_mode & 0o077 == 0

    second = Sessions.open(tmp_path / "token")
    with second.keep_cookie_in(kept):
        assert second.knows_cookie(cookie)
    assert not kept.exists()

    third = Sessions.open(tmp_path / "token")
    with third.keep_cookie_in(kept):
        assert not third.knows_cookie(cookie)


NO_SECRET = (b"", b"\n", b"short", b"\xff\xfe" * 20, "пароль-пароль-пароль-пароль".encode(), b"two words " * 5)


@pytest.mark.parametrize("content", NO_SECRET)
def test_a_file_that_is_no_token_is_replaced_and_signs_nobody_in(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    sessions = Sessions.open(path)
    assert not any(sessions.knows_token(value) for value in ("", content.decode("utf-8", "replace").strip()))
    assert sessions.knows_token(path.read_text())
    assert path.stat().st_mode & 0o077 == 0
    assert "did not contain a valid token" in caplog.text


@pytest.mark.parametrize("content", NO_SECRET)
def test_a_file_that_is_no_cookie_is_replaced_and_signs_nobody_in(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session"
    path.write_bytes(content)
    sessions = Sessions.open(tmp_path / "token")
    with sessions.keep_cookie_in(path):
        assert not any(sessions.knows_cookie(value) for value in ("", content.decode("utf-8", "replace").strip()))
        assert sessions.knows_cookie(path.read_text())


def test_nothing_is_never_a_token_or_a_cookie() -> None:
    sessions = Sessions("")
    sessions._cookie = ""
    assert not sessions.knows_token("")
    assert not sessions.knows_cookie("")


def test_a_folder_in_place_of_a_file_is_a_sentence(tmp_path: Path) -> None:
    sessions = Sessions.open(tmp_path / "token")
    for name in ("other", "session", "address.json"):
        (tmp_path / name).mkdir()
    with pytest.raises(LibraryError, match="is a folder"):
        Sessions.open(tmp_path / "other")
    with pytest.raises(LibraryError, match="is a folder"), sessions.keep_cookie_in(tmp_path / "session"):
        pass
    with pytest.raises(LibraryError, match="is a folder"):
        write_address(tmp_path / "address.json", "http://127.0.0.1:1", sessions.launch)
    (tmp_path / "token").unlink()
    (tmp_path / "token").mkdir()
    with pytest.raises(LibraryError, match="is a folder"):
        read_token(tmp_path)


def test_who_does_not_serve_keeps_no_cookie(tmp_path: Path) -> None:
    sessions = Sessions.open(tmp_path / "token")
    signed_in(sessions)
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def heard(live: EventStream, since: int | None, count: int) -> list[str]:
    """The first messages of a stream."""
    return loops.run(messages(live, since, count))


async def messages(live: EventStream, since: int | None, count: int) -> list[str]:
    stream = live.follow(since)
    found = [await anext(stream) for _ in range(count)]
    await stream.aclose()  # type: ignore[attr-defined]
    return found


def number_of(message: str) -> int:
    return int(message.partition("\n")[0].removeprefix("id: "))


def test_the_numbers_of_a_new_launch_are_newer_than_those_of_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    now_ms = 1_800_000_000_000
    monkeypatch.setattr(sse, "now_ms", lambda: now_ms)
    earlier = EventStream()
    earlier.publish("image.changed", {"uuids": ["a"]})
    [_, event] = heard(earlier, 0, 2)
    last = number_of(event)
    # No two launches begin in the same millisecond.
    now_ms += 1
    later = EventStream()
    later.publish("image.changed", {"uuids": ["b"]})
    # However much has happened since, what was missed is said to be missing.
    [hello, reset] = heard(later, last, 2)
    assert "event: hello" in hello
    assert "event: reset" in reset
    assert number_of(reset) > last


def test_who_was_away_a_moment_gets_each_missed_message_once() -> None:
    live = EventStream()
    for name in "abc":
        live.publish("image.changed", {"uuids": [name]})
    [_, reset] = heard(live, 0, 2)
    newest = number_of(reset)
    [_, *missed] = heard(live, newest - 2, 3)
    assert [number_of(message) for message in missed] == [newest - 1, newest]
    assert ["b" in missed[0], "c" in missed[1]] == [True, True]
