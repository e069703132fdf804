"""A hundred thousand images by one request each, and back again byte for byte."""

import resource
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.rows import add_images

from mysticanvas.cli.client import Client, connect
from mysticanvas.db import connections
from mysticanvas.db import writer as db_writer
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.errors import ConflictError
from mysticanvas.edits import apply as edit_apply
from mysticanvas.edits import runner as edit_runner
from mysticanvas.edits.kinds import decode
from mysticanvas.edits.types import EditState
from mysticanvas.settings import Settings

# However fast the machine, no more images are changed in one transaction.
LARGEST_SLICE = 5_000


class Writer:
    """How long each transaction held the writer, in milliseconds of CPU: printed, never asserted."""

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
            path = f"/api/v1/snapshots/{self._view['snapshot']}/items"
            self._client.get(path, start=len(self.waited_ms) * 200 % 90_000, count=200)
            self.waited_ms.append((time.perf_counter() - began_s) * 1000)
            self._over.wait(0.02)


def lay(folder: Path, count: int) -> Path:
    with Database.open(folder / "library") as database:
        add_images(database, count)
    return folder / "library"


def settled(client: Client, done: dict[str, Any]) -> dict[str, Any]:
    while done["state"] in ("applying", "undoing", "redoing"):
        done = client.get(f"/api/v1/edits/{done['operation']}", wait=5)
    return done


def every_deed(client: Client) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "rate", {"rating": 4}
    yield "tag", {"tags": {"add": ["fox", "snow"]}}
    yield "collect", {"collect": client.post("/api/v1/collections", {"name": "All"})["uuid"]}
    yield "trash", {"trash": True}


def slices(library: Path, operation: int | None = None) -> list[int]:
    """How many images each slice of a deed (None: of the only one) had, in their order."""
    sql = """
        SELECT length(images) / 16
          FROM operation_slices
         WHERE operation_id = coalesce(?, operation_id)
         ORDER BY number
        """
    connection = connections.open_reader(library / "mysticanvas.db")
    try:
        return [images for (images,) in connection.execute(sql, (operation,))]
    finally:
        connection.close()


def around(client: Client, library: Path, count: int, report: Callable[[str], None], writer: Writer) -> None:
    for name, marks in every_deed(client):
        view = client.post("/api/v1/snapshots", {"q": ""})
        before = client.text("/api/v1/library/export")
        writer.held_ms.clear()
        with Pages(client, view) as pages:
            began_s = time.perf_counter()
            asked = {"snapshot": view["snapshot"], "ranges": [[0, count]], "set": marks}
            done = settled(client, client.post("/api/v1/edits", asked))
            there_s = time.perf_counter() - began_s
            assert (done["state"], done["changed"]) == ("done", count)
            back = settled(client, client.post(f"/api/v1/edits/{done['operation']}/undo"))
            back_s = time.perf_counter() - began_s - there_s
        assert back["state"] == "undone"
        assert client.text("/api/v1/library/export") == before
        held, waited = sorted(writer.held_ms), sorted(pages.waited_ms)
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        report(
            f"{name:8} {count:,} images: {there_s:5.1f} s, undone in {back_s:5.1f} s; writer held p99"
            f" {held[int(len(held) * 0.99)]:3.0f} ms of CPU, at most {held[-1]:3.0f}; pages p95"
            f" {waited[int(len(waited) * 0.95)]:3.0f} ms; {memory_mb} MB"
        )
        parts = slices(library, done["operation"])
        assert sum(parts) == count
        assert max(parts) <= LARGEST_SLICE
        # There and back, each in a transaction of its own.
        assert len(held) >= 2 * len(parts) > 2


def test_thousands_of_images_go_there_and_back_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer(monkeypatch)
    library = lay(tmp_path, 3_000)
    with connect(Settings(library=library, workers=1)) as client:
        around(client, library, 3_000, print, writer)


@pytest.mark.long
def test_a_hundred_thousand_images_go_there_and_back_byte_for_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(monkeypatch)
    library = lay(tmp_path, 100_000)
    with connect(Settings(library=library, workers=1)) as client:
        around(client, library, 100_000, print, writer)


@dataclass(slots=True)
class Clock:
    """In the place of the module `time`: it goes on by what a slice is said to cost, and by nothing else."""

    now_s: float = 0.0

    def perf_counter(self) -> float:
        return self.now_s

    @staticmethod
    def monotonic() -> float:
        return time.monotonic()


@pytest.mark.parametrize(
    ("image_s", "expected"),
    [
        # Twice as many each time, until there are enough.
        (0.0, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 700]),
        # As many as take 20 ms: exact in binary, so that no rounding moves the border.
        (1 / 8_192, [100, *[163] * 103, 111]),
        # Never so few that nothing comes of it.
        (1.0, [100, *[50] * 338]),
    ],
)
def test_a_slice_is_as_large_as_the_last_one_shows_that_it_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image_s: float, expected: list[int]
) -> None:
    """The writer, for which everybody waits, is held for about 20 ms by a slice, on every machine."""
    clock, apply_slice, done = Clock(), edit_apply.apply_slice, 0

    def with_costs(tx: WriteTx, operation: int, **how: Any) -> bool:
        nonlocal done
        more = apply_slice(tx, operation, **how)
        so_far = tx.value("SELECT sum(length(images) / 16) FROM operation_slices")
        clock.now_s += (so_far - done) * image_s
        done = so_far
        return more

    monkeypatch.setattr(edit_runner, "time", clock)
    monkeypatch.setattr(edit_apply, "apply_slice", with_costs)
    with Database.open(tmp_path) as database:
        images = add_images(database, 17_000)
        with edit_runner.EditRunner(database, now_ms=lambda: 0) as running:
            running.do(decode(("rating", {"value": 4})), images, wait_s=600)
        assert slices(tmp_path) == expected


def refusal(client: Client, script: dict[str, str]) -> str:
    """Why a script was not done: said at once, or of the deed when it takes longer than an answer may."""
    try:
        done = settled(client, client.post("/api/v1/tags:bulk-edit", script)["edit"])
    except ConflictError as error:
        return str(error)
    return f"{done['state']}: {done['error']}"


def test_a_deed_that_is_refused_half_way_leaves_no_trace(tmp_path: Path) -> None:
    with connect(Settings(library=lay(tmp_path, 1_500), workers=1)) as client:
        view = client.post("/api/v1/snapshots", {"q": ""})
        asked = {"snapshot": view["snapshot"], "ranges": [[0, 1_500]]}
        settled(client, client.post("/api/v1/edits", asked | {"set": {"tags": {"add": ["fox"]}}}))
        before = client.text("/api/v1/library/export")
        script = {"text": "retag fox -> vixen\nimply a -> b\nimply b -> a"}
        assert "cycle" in refusal(client, script)
        assert client.text("/api/v1/library/export") == before
        assert EditState.UNDONE in {one["state"] for one in client.get("/api/v1/edits")["operations"]}
