"""Watching folders: one that cannot be watched is scanned, shown and recorded, and disturbs no other."""

import os
import queue
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.db.images import folders
from mysticanvas.features.folders import service
from mysticanvas.features.folders.watching import watch_folders
from mysticanvas.fs import watcher as watching
from mysticanvas.fs.watcher import FolderWatcher, Hint, Listeners
from mysticanvas.settings import Settings

PATIENCE_S = 120.0


def put_all(hints: "queue.Queue[Hint]", found: list[Hint]) -> None:
    for one in found:
        hints.put(one)


@contextmanager
def watch(*roots: Path) -> Iterator[tuple[FolderWatcher, "queue.Queue[Hint]", list[tuple[str, str]]]]:
    hints: queue.Queue[Hint] = queue.Queue()
    failures: list[tuple[str, str]] = []
    with FolderWatcher(retry_s=0.2) as watcher:
        for root in roots:
            root.mkdir(exist_ok=True)
            watcher.add(str(root))
        watcher.start(
            Listeners(
                on_change=lambda found: put_all(hints, found),
                on_failure=lambda root, reason: failures.append((root, reason)),
            )
        )
        yield watcher, hints, failures


def wait_for_hint(hints: "queue.Queue[Hint]", root: Path) -> Hint:
    """The next hint about the folder."""
    while (hint := hints.get(timeout=PATIENCE_S)).root != str(root):
        pass
    return hint


def change_until_noticed(hints: "queue.Queue[Hint]", root: Path) -> Hint:
    """The hint about a new file. The watching may begin after the first files."""
    for number in range(1_000):
        (root / f"new {number}.png").write_bytes(b"new")
        try:
            hint = hints.get(timeout=1.0)
        except queue.Empty:
            continue
        if hint == Hint(str(root), b"", False):
            return hint
    raise AssertionError("no change was noticed")


class UnusualError(Exception):
    """As watchfiles raises: no `OSError`."""


def break_watching(monkeypatch: pytest.MonkeyPatch, broken: Path) -> None:
    original = watching.watch

    def fail_for_one(root: str, **options: Any) -> Any:
        if root == str(broken):
            raise UnusualError("the name of a file")
        return original(root, **options)

    monkeypatch.setattr(watching, "watch", fail_for_one)


def test_a_folder_that_cannot_be_watched_is_scanned_and_the_others_are_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, healthy = tmp_path / "broken", tmp_path / "healthy"
    break_watching(monkeypatch, broken)
    with watch(broken, healthy) as (watcher, hints, failures):
        for _ in range(3):
            assert wait_for_hint(hints, broken) == Hint(str(broken), b"", True)
        assert failures == [(str(broken), "the name of a file")]
        assert (watcher.is_watching(str(broken)), watcher.find_failure(str(broken))) == (False, "the name of a file")
        assert change_until_noticed(hints, healthy)
        assert (watcher.is_watching(str(healthy)), watcher.find_failure(str(healthy))) == (True, None)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are not UTF-8")
def test_a_file_name_that_is_not_utf_8_does_not_end_the_watching(tmp_path: Path) -> None:
    odd, other = tmp_path / "odd", tmp_path / "other"
    with watch(odd, other) as (_, hints, failures):
        change_until_noticed(hints, odd)
        (odd / os.fsdecode(b"bad\xff.png")).write_bytes(b"new")
        while (hint := wait_for_hint(hints, odd)) != Hint(str(odd), b"", True):
            assert hint.folder == b""
        assert [root for root, _ in failures] == [str(odd)]
        change_until_noticed(hints, other)
        change_until_noticed(hints, odd)


def test_a_listener_that_fails_does_not_end_the_watching(tmp_path: Path) -> None:
    hints: queue.Queue[Hint] = queue.Queue()

    def fail(found: list[Hint]) -> None:
        put_all(hints, found)
        raise UnusualError

    with FolderWatcher() as watcher:
        watcher.add(str(tmp_path))
        watcher.start(Listeners(on_change=fail, on_failure=lambda root, reason: None))
        change_until_noticed(hints, tmp_path)
        change_until_noticed(hints, tmp_path)
        assert watcher.is_watching(str(tmp_path))


def test_a_folder_that_is_replaced_is_watched_again(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with watch(folder) as (_, hints, _failures):
        change_until_noticed(hints, folder)
        folder.rename(tmp_path / "old")
        folder.mkdir()
        change_until_noticed(hints, folder)


def test_the_page_and_the_log_say_that_a_folder_is_not_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned: queue.Queue[str] = queue.Queue()

    class Importing:
        def start_changed(self, root: folders.WatchedFolder, changed: list[bytes], *, recursive: bool) -> None:
            scanned.put(root.path)

    broken = tmp_path / "broken"
    broken.mkdir()
    break_watching(monkeypatch, broken)
    with Database.open(tmp_path / "library") as database:
        database.write(folders.add, path=str(broken), watch=True, now_ms=0)
        settings = Settings(library=tmp_path / "library")
        with (
            FolderWatcher(retry_s=0.2) as watcher,
            watch_folders(database, Importing(), watcher, settings, lambda: 7),  # type: ignore[arg-type]
        ):
            assert [scanned.get(timeout=PATIENCE_S) for _ in range(3)] == [str(broken)] * 3
            [state] = service.list_states(database, watcher)
        assert (state.watching, state.not_watched) == (False, "the name of a file")
        [event] = database.read(event_log.list_newest, before=None, limit=9)
        assert (event.level, event.kind, event.subject) == ("warning", "root.unwatched", str(broken))
