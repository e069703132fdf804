"""Files with modification times before 2010, in the future, and that the database cannot store."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.pictures import a1111_png, write_pictures

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.imports import import_and_follow
from mysticanvas.domain import local_time
from mysticanvas.domain.file import MAX_STORED, MIN_STORED, FileStat
from mysticanvas.domain.generation import is_in_future
from mysticanvas.domain.local_time import convert_to_local_time
from mysticanvas.settings import Settings


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with connect(Settings(library=tmp_path / "library", workers=1, settle_s=0.3)) as connected:
        yield connected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


def to_seconds(year: int) -> int:
    return int(datetime(year, 6, 15, 12, tzinfo=UTC).timestamp())


def write_image(folder: Path, name: str, seed: int, *, year: int) -> Path:
    """An image modified in `year`, if the file system can store that."""
    path = folder / name
    path.write_bytes(a1111_png(seed))
    os.utime(path, ns=(to_seconds(year) * 10**9,) * 2)
    if int(path.stat().st_mtime) != to_seconds(year):
        pytest.skip("this file system cannot store such times")
    return path


def run_import(client: Client, folder: Path) -> dict[str, Any]:
    return import_and_follow(client, [folder], dry_run=False, wait=True)


def test_a_file_stat_has_only_values_that_the_database_can_store() -> None:
    far = FileStat(b"a.png", 2**70, to_seconds(2446) * 10**9)
    assert (far.bytes, far.mtime_ns) == (MAX_STORED, MAX_STORED)
    assert FileStat(b"a.png", 1, to_seconds(1600) * 10**9).mtime_ns == MIN_STORED
    assert FileStat(b"a.png", 1, -5).mtime_ns == -5


def test_a_time_that_the_database_cannot_store_does_not_stop_the_import(client: Client, folder: Path) -> None:
    write_pictures(folder, 3)
    write_image(folder, "far.png", 71, year=2264)
    write_image(folder, "farthest.png", 72, year=2445)
    report = run_import(client, folder)
    assert (report["imported"], report["failed"]) == (5, 0)
    again = run_import(client, folder)
    assert (again["unchanged"], again["failed"]) == (5, 0)
    assert [kind for kind in client.get("/api/v1/jobs/summary")["kinds"] if kind["failed"]] == []


def test_a_moved_file_with_such_a_time_is_still_the_same_image(client: Client, folder: Path) -> None:
    write_image(folder, "far.png", 71, year=2300).rename(folder / "before.png")
    run_import(client, folder)
    (folder / "before.png").rename(folder / "renamed.png")
    report = run_import(client, folder)
    assert (report["moved"], report["imported"], report["copies"]) == (1, 0, 0)


# -- before 2010 and in the future ----------------------------------------------------------------


def find_names(client: Client, query: str) -> list[str]:
    return [Path(item["path"]).name for item in client.get("/api/v1/images", q=query)["items"]]


def list_sections(client: Client, query: str) -> list[tuple[str, int]]:
    opened = client.post("/api/v1/snapshots", {"q": query})
    return [(section["day"], section["count"]) for section in opened["sections"]]


def get_detail(client: Client, query: str) -> Any:
    return client.get("/api/v1/images/" + client.get("/api/v1/images", q=query)["items"][0]["uuid"])


def test_images_before_2010_are_shown_in_order_and_found_by_date(client: Client, folder: Path) -> None:
    for seed, (name, year) in enumerate(
        (("moon", 1966), ("disco", 1975), ("zip", 1980), ("late", 2009), ("new", 2024))
    ):
        write_image(folder, f"{name}.png", seed, year=year)
    assert run_import(client, folder)["imported"] == 5

    assert find_names(client, "") == ["new.png", "late.png", "zip.png", "disco.png", "moon.png"]
    assert find_names(client, "sort:oldest")[0] == "moon.png"
    assert sorted(find_names(client, "sort:random")) == sorted(find_names(client, ""))
    assert find_names(client, "date:1966") == ["moon.png"]
    assert find_names(client, "date:1966..1979") == ["disco.png", "moon.png"]
    assert find_names(client, "date:<1970") == ["moon.png"]
    assert find_names(client, "date:>=2009") == ["new.png", "late.png"]
    assert find_names(client, "date:2010") == []
    assert list_sections(client, "")[-1] == ("1966-06-15", 1)
    assert [day[:4] for day, _ in list_sections(client, "")] == ["2024", "2009", "1980", "1975", "1966"]
    snapshot = client.post("/api/v1/snapshots", {"q": ""})["snapshot"]
    months = client.get(f"/api/v1/snapshots/{snapshot}/facets/date")["values"]
    assert ("1966-06", 1) in [(month["value"], month["count"]) for month in months]


def test_an_image_before_1970_is_found_by_words_and_rating(client: Client, folder: Path) -> None:
    write_image(folder, "moon.png", 1, year=1966)
    run_import(client, folder)
    assert find_names(client, "fox date:1966") == ["moon.png"]
    snapshot = client.post("/api/v1/snapshots", {"q": ""})["snapshot"]
    client.post("/api/v1/edits", {"snapshot": snapshot, "ranges": [[0, 1]], "set": {"rating": 4}})
    assert find_names(client, "rating:4 sort:rating") == ["moon.png"]
    assert get_detail(client, "")["timestamp"] == to_seconds(1966) * 1000


def test_an_image_from_the_future_does_not_stay_the_newest_and_keeps_its_date(client: Client, folder: Path) -> None:
    write_image(folder, "future.png", 1, year=2090)
    run_import(client, folder)
    assert get_detail(client, "")["timestamp"] == to_seconds(2090) * 1000
    for query in ("date:2090", "date:today", "date:>2089", "date:2089..2091 fox", "-date:2091"):
        assert find_names(client, query) == ["future.png"], query
        assert client.post("/api/v1/snapshots", {"q": query})["total"] == 1, query
    assert find_names(client, "date:2091") == []
    assert run_import(client, folder)["unchanged"] == 1
    (folder / "later.png").write_bytes(a1111_png(2))
    os.utime(folder / "later.png", (time.time() + 60,) * 2)
    run_import(client, folder)
    assert find_names(client, "") == ["later.png", "future.png"]
    assert find_names(client, "-date:2090") == ["later.png"]


def test_no_date_is_in_the_future_while_the_clock_is_not_set() -> None:
    assert is_in_future(to_seconds(2090) * 1000, now_ms=int(time.time() * 1000))
    assert not is_in_future(to_seconds(2024) * 1000, now_ms=5)
    assert not is_in_future(int(time.time() * 1000) + 3_600_000, now_ms=int(time.time() * 1000))


def test_local_time_covers_dates_for_which_the_system_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [to_seconds(year) for year in (1901, 1966, 1969, 2090)]
    expected = [convert_to_local_time(moment) for moment in moments]

    class FailingDatetime(datetime):
        @classmethod
        def fromtimestamp(cls, *_: Any) -> Any:  # type: ignore[override]
            raise OSError(22, "Invalid argument")

        def timestamp(self) -> float:
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(local_time, "datetime", FailingDatetime)
    for moment, local in zip(moments, expected, strict=True):
        assert abs(convert_to_local_time(moment) - local).total_seconds() <= 3_600 * 2
        there = FailingDatetime(local.year, local.month, local.day, local.hour, local.minute, local.second)
        assert abs(local_time.convert_from_local_time(there) - moment) <= 3_600 * 2
