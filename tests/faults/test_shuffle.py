"""Every path of a library's folders changes, while it runs and while it does not: nothing is lost (F1, F11)."""

import random
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults import shuffling
from tests.faults.kill_loop import doctor
from tests.faults.serving import Served
from tests.pictures import a1111_png, write_pictures

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bytes read are counted in /proc")

MB = 1e6


def prepare(served: Served, count: int) -> None:
    """What a person made of the images, each told by its seed alone."""
    uuid_of = _uuids(served)
    made = served.post("/api/v1/collections", {"name": "kept"})["uuid"]
    for rating in range(1, 6):
        uuids = [uuid for seed, uuid in uuid_of.items() if seed % 5 + 1 == rating]
        for start in range(0, len(uuids), 1_000):
            some = {"uuids": uuids[start : start + 1_000]}
            served.post("/api/v1/edits", some | {"set": {"rating": rating}})
            served.post("/api/v1/edits", some | {"set": {"tags": {"add": [f"tag {rating}"]}}})
            if rating == 5:
                served.post("/api/v1/edits", some | {"set": {"collect": made}})


def _uuids(served: Served) -> dict[int, str]:
    lines = served.get("/api/v1/images", q="", limit=50_000)["items"]
    return {int(Path(item["prompt"].split("number ")[1].split()[0]).name): item["uuid"] for item in lines}


def wrote(served: Served) -> list[str]:
    """The export: all that the person wrote, by image."""
    return served.http.get("/api/v1/library/export").raise_for_status().text.splitlines()


def scan(served: Served, label: str, files: int) -> dict[str, Any]:
    """What a scan of the only root found; its time and bytes are printed."""
    [root] = served.get("/api/v1/folders")["folders"]
    read, began_s = shuffling.bytes_read(served.process.pid), time.perf_counter()
    started = served.post(f"/api/v1/folders/{root['id']}:scan", {})["id"]
    while (said := served.get(f"/api/v1/imports/{started}", wait=5))["report"] is None:
        pass
    took_s = time.perf_counter() - began_s
    read = shuffling.bytes_read(served.process.pid) - read
    print(f"\n{label}: {files:,} files in {took_s:.1f} s, {files / took_s:,.0f} a second, {read / MB:.1f} MB read")
    return dict(said["report"])


def wait_for_thumbnails(served: Served, count: int) -> None:
    """What prompts mean can wait."""
    until_s = time.monotonic() + 60 + count / 10
    while time.monotonic() < until_s:
        status = served.get("/api/v1/status")
        kinds = served.get("/api/v1/jobs/summary")["kinds"]
        left = sum(one["waiting"] + one["running"] for one in kinds if one["kind"] == "thumb")
        if status["total"] >= count and status["current_import"] is None and not left:
            return
        time.sleep(0.1)
    raise TimeoutError("the thumbnails were not made")


def thumbs(library: Path) -> set[str]:
    return {path.name for path in (library / "thumbs").rglob("*.webp")}


def run(tmp_path: Path, count: int) -> None:
    chance = random.Random(3)
    pictures, library = tmp_path / "pictures", tmp_path / "library"
    library.mkdir()
    write_pictures(pictures, count)
    total_bytes = sum(path.stat().st_size for path in pictures.rglob("*.png"))
    served = Served(library, [pictures]).wait_until_up()
    wait_for_thumbnails(served, count)
    prepare(served, count)
    meant, made = wrote(served), thumbs(library)
    assert len(made) == 2 * count
    for running in (False, True):
        if not running:
            assert served.stop() == 0
            swapped = shuffling.shuffle(pictures, chance)
            served = Served(library, []).wait_until_up()
        else:
            swapped = shuffling.shuffle(pictures, chance)
        assert swapped > count // 10
        report = scan(
            served, f"shuffled while {'running' if running else 'not running'} ({total_bytes / MB:.1f} MB)", count
        )
        wait_for_thumbnails(served, count)
        # A scan that meets a file while it moves may know two places of it, of which one is gone by now.
        assert (report["imported"], report["failed"]) == (0, 0)
        assert running or report["missing"] == 0
        assert served.get("/api/v1/images", q="is:missing")["total"] == 0
        assert wrote(served) == meant
        assert thumbs(library) == made
        assert served.get("/api/v1/status")["total"] == count
    report = scan(served, "unchanged", count)
    assert report["unchanged"] == count
    assert_each_path_has_its_content(served, pictures, chance.sample(range(count), min(count, 200)))
    assert served.stop() == 0
    assert doctor(library) == []


def assert_each_path_has_its_content(served: Served, pictures: Path, seeds: list[int]) -> None:
    uuids = _uuids(served)
    for seed in seeds:
        detail = served.get(f"/api/v1/images/{uuids[seed]}")
        [file] = [file for file in detail["files"] if file["kind"] == "final"]
        assert (pictures / file["path"]).read_bytes() == a1111_png(seed)
        assert detail["rating"] == seed % 5 + 1
        assert detail["missing"] is False


def test_shuffled_paths_lose_nothing(tmp_path: Path) -> None:
    run(tmp_path, 150)


@pytest.mark.long
def test_twenty_thousand_shuffled_paths_lose_nothing(tmp_path: Path) -> None:
    run(tmp_path, 20_000)
