"""Who stays signed in over a restart, and what a page hears that comes back (X1)."""

from pathlib import Path

import pytest
from tests import loops

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
