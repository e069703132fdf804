"""No path and no race leads out of a root (X2, F12). Where folders have no handles there is nothing to race."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.fs.safe_open import open_beneath
from tests.faults.path_races import SECRET, Swapping, by_real_path, escapes, lay_out
from tests.faults.serving import Served

pytestmark = pytest.mark.skipif(os.open not in os.supports_dir_fd, reason="needs handles of folders")

TRIES = 20_000
# A request costs forty times as much.
REQUESTS = TRIES if "--long" in sys.argv else 500


def ours(root: bytes, path_bytes: bytes) -> bytes:
    try:
        with open_beneath(root, path_bytes) as source:
            return source.read(0, source.size)
    except UnreadableFileError as error:
        raise PermissionError(str(error)) from error


def test_no_race_leads_out_of_the_root(tmp_path: Path) -> None:
    escaped, came = escapes(lay_out(tmp_path), ours, TRIES)
    print(f"{TRIES} tries, {came} files, {escaped} escapes")
    assert escaped == 0
    assert came > TRIES / 100


def test_the_race_catches_who_looks_before_opening(tmp_path: Path) -> None:
    root = lay_out(tmp_path)
    for attempt in range(1, 6):
        escaped, _ = escapes_of(root, tmp_path, attempt)
        if escaped:
            print(f"{escaped} escapes by {attempt * TRIES} tries")
            return
    pytest.fail("nothing escaped: the harness sees no race")


def escapes_of(root: Path, home: Path, attempt: int) -> tuple[int, int]:
    """Of the control, in a layout of its own: the last one was left in the middle of a swap."""
    if attempt > 1:
        root = lay_out(home / str(attempt))
    return escapes(root, by_real_path, TRIES)


def test_no_race_leads_out_of_the_root_over_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What it would see of the swapping is another matter.
    monkeypatch.setenv("MYSTICANVAS_WATCH", "false")
    root = lay_out(tmp_path)
    (tmp_path / "library").mkdir()
    served = Served(tmp_path / "library", [root]).wait_until_up()
    try:
        served.wait_until_idle(2)
        found = served.get("/api/v1/images", q="", limit=2)["items"]
        addresses = [f"/api/v1/images/{one['uuid']}/file" for one in found]
        escaped = came = 0
        with Swapping(root):
            for attempt in range(REQUESTS):
                reply = served.http.get(addresses[attempt % 2])
                assert reply.status_code in (200, 404), reply.text
                escaped += SECRET in reply.content
                came += reply.content.startswith(b"\x89PNG")
    finally:
        served.stop()
    print(f"{REQUESTS} requests, {came} files, {escaped} escapes")
    assert escaped == 0
    assert came > REQUESTS / 100


# -- the table: hostile paths × ways to judge them ------------------------------------------------

HOSTILE = (
    b"../secret",
    b"inner/../../secret",
    b"../root-of-another/secret",
    b"inner/../../root-of-another/secret",
    b"{home}/secret",
    b"link",
    b"inner/link",
    b"folder-link/secret",
    b"folder-link/../secret",
    b"loop",
    b"..",
    b"./../secret",
    b"inner//../../secret",
    b"fifo",
    b"../secret\0.png",
)


def hostile_root(home: Path) -> Path:
    root = home / "root"
    (root / "inner").mkdir(parents=True)
    (home / "outside").mkdir()
    (home / "root-of-another").mkdir()
    for place in (home, home / "outside", home / "root-of-another"):
        (place / "secret").write_bytes(SECRET)
    (root / "link").symlink_to(home / "secret")
    (root / "inner" / "link").symlink_to("../../secret")
    (root / "folder-link").symlink_to(home / "outside")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "fifo")
    return root


def by_prefix(root: bytes, path_bytes: bytes) -> bytes:
    whole = os.path.normpath(os.path.join(root, path_bytes))
    return _read_if(whole.startswith(root), whole)


def by_common_path(root: bytes, path_bytes: bytes) -> bytes:
    whole = os.path.normpath(os.path.join(root, path_bytes))
    return _read_if(os.path.commonpath([root, whole]) == root, whole)


def by_resolving(root: bytes, path_bytes: bytes) -> bytes:
    whole = os.path.realpath(os.path.join(root, path_bytes))
    return _read_if(whole.startswith(root + b"/"), whole)


def _read_if(allowed: bool, whole: bytes) -> bytes:
    if not allowed:
        raise PermissionError("leads out of the root")
    # None of these knows a pipe when it sees one; opened plainly it would wait for ever.
    with open(os.open(whole, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        return file.read()


def leaks(root: Path, way: Callable[[bytes, bytes], bytes]) -> list[bytes]:
    found = []
    for hostile in HOSTILE:
        try:
            content = way(os.fsencode(root), hostile.replace(b"{home}", os.fsencode(root.parent)))
        except (OSError, ValueError):
            continue
        if SECRET in content:
            found.append(hostile)
    return found


def test_no_hostile_path_leads_out_and_each_lesser_way_shows_that_it_could(tmp_path: Path) -> None:
    root = hostile_root(tmp_path)
    ways = (by_prefix, by_common_path, by_resolving, ours)
    found = {way.__name__: len(leaks(root, way)) for way in ways}
    print(f"{len(HOSTILE)} paths: {found}")
    assert leaks(root, ours) == []
    assert found["by_prefix"] > found["by_common_path"] > 0


def test_every_hostile_path_is_refused_with_a_sentence(tmp_path: Path) -> None:
    root = hostile_root(tmp_path)
    for hostile in HOSTILE:
        with pytest.raises(UnreadableFileError):
            open_beneath(os.fsencode(root), hostile.replace(b"{home}", os.fsencode(tmp_path)))
