"""A hundred thousand images by one request each, and back again byte for byte."""

import resource
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.rows import add_images

from mysticanvas.cli.client import Client, connect
from mysticanvas.db import writer as db_writer
from mysticanvas.db.database import Database
from mysticanvas.domain.errors import ConflictError
from mysticanvas.edits import undo as edit_undo
from mysticanvas.settings import Settings

# Of CPU. Asserted in the long run alone, at three times the figure, as every time is.
HELD_MS = 50.0
# Whatever the machine, so many images are never one transaction.
LARGEST_SLICE = 1_500


class Writer:
    """How long each transaction held the writer, in milliseconds of CPU."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held_ms: list[float] = []
        original = db_writer.Writer._commit_some

        def timed(writer: Any, *args: Any, **kwargs: Any) -> None:
            began_s = time.thread_time()
            original(writer, *args, **kwargs)
            self.held_ms.append((time.thread_time() - began_s) * 1000)

        monkeypatch.setattr(db_writer.Writer, "_commit_some", timed)


class Pages:
    """Asks for a page over and over, as somebody who scrolls meanwhile."""

    def __init__(self, client: Client, view: dict[str, Any]) -> None:
        self.waited_ms: list[float] = []
        self._client, self._view, self._over = client, view, threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "Pages":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._over.is_set():
            began_s = time.perf_counter()
            path = f"/api/queries/{self._view['snapshot']}/items"
            self._client.get(path, start=len(self.waited_ms) * 200 % 90_000, count=200)
            self.waited_ms.append((time.perf_counter() - began_s) * 1000)
            self._over.wait(0.02)


def lay(folder: Path, count: int) -> Path:
    with Database.open(folder / "library") as database:
        add_images(database, count)
    return folder / "library"


def settled(client: Client, done: dict[str, Any]) -> dict[str, Any]:
    while done["state"] in ("applying", "undoing", "redoing"):
        done = client.get(f"/api/operations/{done['operation']}", wait=5)
    return done


def every_deed(client: Client) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "rate", {"rating": 4}
    yield "tag", {"tags": {"add": ["fox", "snow"]}}
    yield "collect", {"collect": client.post("/api/collections", {"name": "All"})["uuid"]}
    yield "trash", {"trash": True}


def around(client: Client, count: int, report: Callable[[str], None], writer: Writer) -> None:
    for name, marks in every_deed(client):
        view = client.post("/api/queries", {"q": ""})
        before = client.text("/api/export")
        writer.held_ms.clear()
        with Pages(client, view) as pages:
            began_s = time.perf_counter()
            asked = {"snapshot": view["snapshot"], "ranges": [[0, count]], "set": marks}
            done = settled(client, client.post("/api/bulk", asked))
            there_s = time.perf_counter() - began_s
            assert (done["state"], done["changed"]) == ("done", count)
            back = settled(client, client.post(f"/api/undo/{done['operation']}"))
            back_s = time.perf_counter() - began_s - there_s
        assert back["state"] == "undone"
        assert client.text("/api/export") == before
        held, waited = sorted(writer.held_ms), sorted(pages.waited_ms)
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        report(
            f"{name:8} {count:,} images: {there_s:5.1f} s, undone in {back_s:5.1f} s; writer held p99"
            f" {held[int(len(held) * 0.99)]:3.0f} ms of CPU, at most {held[-1]:3.0f}; pages p95"
            f" {waited[int(len(waited) * 0.95)]:3.0f} ms; {memory_mb} MB"
        )
        assert len(held) >= 2 * count / LARGEST_SLICE
        if count >= 100_000:
            assert held[int(len(held) * 0.95)] <= 3 * HELD_MS


def test_thousands_of_images_go_there_and_back_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer(monkeypatch)
    with connect(Settings(library=lay(tmp_path, 3_000), workers=1)) as client:
        around(client, 3_000, print, writer)


@pytest.mark.long
def test_a_hundred_thousand_images_go_there_and_back_byte_for_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(monkeypatch)
    with connect(Settings(library=lay(tmp_path, 100_000), workers=1)) as client:
        around(client, 100_000, print, writer)


def test_a_deed_that_is_refused_half_way_leaves_no_trace(tmp_path: Path) -> None:
    with connect(Settings(library=lay(tmp_path, 1_500), workers=1)) as client:
        view = client.post("/api/queries", {"q": ""})
        asked = {"snapshot": view["snapshot"], "ranges": [[0, 1_500]]}
        settled(client, client.post("/api/bulk", asked | {"set": {"tags": {"add": ["fox"]}}}))
        before = client.text("/api/export")
        script = {"text": "retag fox -> vixen\nimply a -> b\nimply b -> a"}
        with pytest.raises(ConflictError, match="circle"):
            client.post("/api/tags/script", script)
        assert client.text("/api/export") == before
        assert edit_undo.EditState.UNDONE in {one["state"] for one in client.get("/api/operations")["operations"]}
