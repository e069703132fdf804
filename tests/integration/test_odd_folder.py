"""A folder of more than sixty odd files: which become images, with which dates, states, sizes and thumbnails."""

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.odd_pictures import DAMAGED, SHOWN_AS_QUARTERS, SIZE, UNDAMAGED, write_odd_pictures
from tests.pictures import a1111_png

from mysticanvas.cli.client import Client, connect
from mysticanvas.features.importing.commands import import_and_follow
from mysticanvas.fs.thumbnail_cache import SHORT_EDGES_PX, ThumbCache
from mysticanvas.settings import Settings

# Names and seconds since 1970. 2264 is beyond what fits 64 bits of nanoseconds.
DATES = {
    "of 1925.png": -1_400_000_000,
    "of 1966.png": -110_000_000,
    "of 1970.png": 1,
    "of 2090.png": 3_800_000_000,
    "of 2264.png": 9_300_000_000,
}
NAMES = (
    "夜景 à la Łódź.png",
    "صورة.png",
    "a\u0301 combining.png",
    "😀 100 % #1 & 'quoted' \"twice\".png",
    "n" * 240 + ".png",
    "UPPER.PNG",
    "[brackets] {braces} $money.png",
)
# What programs and users have beside their images, and how it is counted.
NOT_IMPORTED = (
    "@eaDir/a.png",
    "#recycle/b.png",
    "lost+found/c.png",
    "__MACOSX/d.png",
    ".git/e.png",
    "drawing.psd",
    "movie.mp4",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("odd")
    pictures = made / "pictures"
    write_odd_pictures(pictures)
    for seed, name in enumerate((*DATES, *NAMES, *NOT_IMPORTED)):
        (pictures / name).parent.mkdir(exist_ok=True)
        (pictures / name).write_bytes(a1111_png(seed))
    if sys.platform == "linux":
        (pictures / os.fsdecode(b"not \xff utf-8.png")).write_bytes(a1111_png(99))
    for name, seconds in DATES.items():
        os.utime(pictures / name, (seconds, seconds))
    with connect(settings(made)) as client:
        import_and_follow(client, [pictures], dry_run=False, wait=True)
    return made


def settings(home: Path) -> Settings:
    return Settings(library=home / "library", workers=1, settle_s=0.1)


@pytest.fixture
def client(home: Path) -> Iterator[Client]:
    with connect(settings(home)) as connected:
        yield connected


def list_images(client: Client, query: str = "") -> dict[str, dict[str, Any]]:
    """The details of the images that match, by the names of their files."""
    items = client.get("/api/v1/images", q=query, limit=200)["items"]
    details = [client.get(f"/api/v1/images/{item['uuid']}") for item in items]
    return {one["files"][0]["path"]: one for one in details}


def test_every_image_is_there_and_nothing_else(client: Client) -> None:
    undecodable = {"not � utf-8.png"} if sys.platform == "linux" else set()
    expected = {*SHOWN_AS_QUARTERS, *DAMAGED, *UNDAMAGED, "bomb.png", *DATES, *NAMES, *undecodable}
    assert len(expected) > 60
    assert set(list_images(client)) == expected
    [root] = client.get("/api/v1/folders")["folders"]
    assert root["not_shown"]["PSD"] == 1
    assert [check for check in client.get("/api/v1/doctor")["checks"] if not check["ok"]] == []


def test_each_has_its_state_its_size_and_its_thumbnail(client: Client, home: Path) -> None:
    images, cache = list_images(client), ThumbCache(home / "library" / "thumbs", SHORT_EDGES_PX)
    assert {name for name, one in images.items() if one["damage"]} == set(DAMAGED)
    assert {name for name, one in images.items() if one["too_large"]} == {"bomb.png"}
    for name, one in images.items():
        # Nothing of a truncated WebP can be decoded.
        if name not in ("bomb.png", "cut.webp"):
            shown = Image.open(io.BytesIO(cache.path(one["thumb"], 256).read_bytes()))
            assert shown.size[0] > 0, name
        if name in SHOWN_AS_QUARTERS:
            file = one["files"][0]
            assert (file["width_px"], file["height_px"]) == SIZE, name


def test_each_is_found_by_its_date_and_none_stays_the_newest(client: Client, home: Path) -> None:
    assert set(list_images(client, "date:1925")) == {"of 1925.png"}
    assert set(list_images(client, "date:1966")) == {"of 1966.png"}
    assert set(list_images(client, "date:2090")) == {"of 2090.png"}
    oldest = client.get("/api/v1/images", q="sort:oldest", limit=3)["items"]
    names = [client.get(f"/api/v1/images/{item['uuid']}")["files"][0]["path"] for item in oldest]
    assert names == ["of 1925.png", "of 1966.png", "of 1970.png"]
    (home / "pictures" / "new.png").write_bytes(a1111_png(1_000))
    import_and_follow(client, [home / "pictures"], dry_run=False, wait=True)
    [newest] = client.get("/api/v1/images", q="", limit=1)["items"]
    assert Path(newest["path"]).name == "new.png"
    (home / "pictures" / "new.png").unlink()
