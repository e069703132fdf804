"""Files with modification times that the database cannot store."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.pictures import a1111_png, write_pictures

from mysticanvas.cli.client import Client, connect
from mysticanvas.domain.file import MAX_STORED, MIN_STORED, FileStat
from mysticanvas.features.importing.commands import import_and_follow
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
    assert [kind for kind in client.get("/api/jobs")["kinds"] if kind["failed"]] == []


def test_a_moved_file_with_such_a_time_is_still_the_same_image(client: Client, folder: Path) -> None:
    write_image(folder, "far.png", 71, year=2300).rename(folder / "before.png")
    run_import(client, folder)
    (folder / "before.png").rename(folder / "renamed.png")
    report = run_import(client, folder)
    assert (report["moved"], report["imported"], report["copies"]) == (1, 0, 0)
