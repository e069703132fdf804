"""A folder of odd pictures in a library: what is damaged, what is too large, which size is shown. And its upgrade."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from PIL import Image
from tests import pictures
from tests.odd_pictures import GREEN, RED, SHOWN_AS_QUARTERS, SIZE, bomb, cut, detailed, encoded, quarters

from mysticanvas.cli.client import Client, connect, wait_for_jobs
from mysticanvas.cli.imports import import_and_follow
from mysticanvas.db.database import Database
from mysticanvas.features.images import routes as image_routes
from mysticanvas.features.thumbnails import recheck
from mysticanvas.fs.thumbnail_cache import SHORT_EDGES_PX, ThumbCache
from mysticanvas.search.snapshots import Snapshots
from mysticanvas.settings import Settings


def settings(tmp_path: Path) -> Settings:
    return Settings(library=tmp_path / "library", workers=1, settle_s=0.1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    for name in ("turned-6.jpg", "turned-3.png", "turned-8.webp", "wide-gamut.png"):
        (made / name).write_bytes(SHOWN_AS_QUARTERS[name]())
    (made / "plain.png").write_bytes(encoded(quarters(), "png"))
    (made / "cut.png").write_bytes(cut(detailed("png")))
    (made / "bomb.png").write_bytes(bomb())
    return made


@pytest.fixture
def client(tmp_path: Path, folder: Path) -> Iterator[Client]:
    with connect(settings(tmp_path)) as connected:
        import_and_follow(connected, [folder], dry_run=False, wait=True)
        yield connected


def find_names(client: Client, query: str) -> set[str]:
    items = client.get("/api/v1/images", q=query, limit=100)["items"]
    return {find_detail(client, item["uuid"])["files"][0]["path"] for item in items}


def find_detail(client: Client, uuid: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/images/{uuid}")
    return found


def test_an_image_without_a_thumbnail_names_none_in_the_grid(client: Client) -> None:
    view = client.post("/api/v1/snapshots", {"q": "is:too-large OR is:damaged"})
    page = client.get(f"/api/v1/snapshots/{view['snapshot']}/items", start=0, count=100)
    names = [find_detail(client, uuid)["files"][0]["path"] for uuid in page["uuid"]]
    has_thumb = {name: thumb is not None for name, thumb in zip(names, page["thumb"], strict=True)}
    assert has_thumb == {"cut.png": True, "bomb.png": False}


def flags_by_name(client: Client) -> dict[str, int]:
    view = client.post("/api/v1/snapshots", {"q": ""})
    page = client.get(f"/api/v1/snapshots/{view['snapshot']}/items", start=0, count=100)
    names = [find_detail(client, uuid)["files"][0]["path"] for uuid in page["uuid"]]
    return dict(zip(names, page["flags"], strict=True))


def test_damaged_and_too_large_are_two_states_with_a_query_and_a_reason_each(client: Client) -> None:
    assert find_names(client, "is:damaged") == {"cut.png"}
    assert find_names(client, "is:too-large") == find_names(client, "is:too_large") == {"bomb.png"}
    assert len(find_names(client, "-is:damaged -is:too-large")) == 5
    reasons, thumbs = {}, {}
    for item in client.get("/api/v1/images", q="", limit=100)["items"]:
        detail = find_detail(client, item["uuid"])
        reasons[detail["files"][0]["path"]] = (detail["damage"], detail["too_large"])
        thumbs[detail["files"][0]["path"]] = detail["thumb"] is not None
    assert reasons["cut.png"] == ("The file ends too early: part of the image is missing.", None)
    assert reasons["bomb.png"] == (None, "The image is too large for a thumbnail: 30,000 × 30,000 pixels.")
    assert reasons["turned-6.jpg"] == (None, None)
    # What was decoded of a damaged file is shown; of one that is too large, nothing.
    assert (thumbs["cut.png"], thumbs["bomb.png"]) == (True, False)
    assert [check["name"] for check in client.get("/api/v1/doctor")["checks"] if not check["ok"]] == []


def test_the_size_of_a_turned_image_is_the_one_that_is_shown(client: Client) -> None:
    turned = {"turned-6.jpg", "turned-3.png", "turned-8.webp"}
    assert find_names(client, f"size:{SIZE[0]}x{SIZE[1]}") >= turned
    assert find_names(client, "size:portrait") == set()
    flags = flags_by_name(client)
    # 8 − 1 in the bits from 16 on, for browsers do not turn a WebP.
    assert [flags[name] for name in ("turned-8.webp", "turned-6.jpg", "cut.png", "bomb.png")] == [7 << 4, 0, 2, 8]


# What an older version stored: the sides of what is turned were swapped, and no file was known to be cut off.
AS_STORED_BEFORE = """
UPDATE generation_files SET damage = NULL WHERE damage LIKE 'The file ends%';
UPDATE generation_files SET width = height, height = width WHERE orientation > 4;
UPDATE generation_files SET orientation = 1, is_outdated = 1 WHERE kind = 'final';
"""


def store_as_before(library: Path) -> None:
    with Database.open(library) as database:
        for statement in filter(str.strip, AS_STORED_BEFORE.split(";")):
            database.write(lambda tx, statement=statement: tx.run(statement))


def read_thumbnail(library: Path, client: Client, name: str) -> Image.Image:
    for item in client.get("/api/v1/images", q="", limit=100)["items"]:
        detail = find_detail(client, item["uuid"])
        if detail["files"][0]["path"] == name:
            return Image.open(ThumbCache(library / "thumbs", SHORT_EDGES_PX).path(detail["thumb"], 512)).convert("RGB")
    raise AssertionError(name)


def test_a_library_of_the_version_before_gets_right_sizes_states_and_thumbnails(tmp_path: Path, folder: Path) -> None:
    library = tmp_path / "library"
    with connect(settings(tmp_path)) as client:
        import_and_follow(client, [folder], dry_run=False, wait=True)
    store_as_before(library)
    # As they looked: neither turned nor converted.
    for path in (library / "thumbs").glob("??/*-512.webp"):
        encoded_gray = encoded(Image.new("RGB", SIZE, (99, 99, 99)), "webp")
        path.write_bytes(encoded_gray)
    thumbnails = {path: path.stat().st_mtime_ns for path in (library / "thumbs").glob("??/*.webp")}
    with Database.open(library) as database:
        assert recheck.queue_outdated(database, now_ms=lambda: 0) == 7
    with connect(settings(tmp_path)) as client:
        wait_for_jobs(client)
        assert find_names(client, "is:damaged") == {"cut.png"}
        assert find_names(client, "is:too-large") == {"bomb.png"}
        assert find_names(client, "size:portrait") == set()
        assert flags_by_name(client)["turned-8.webp"] == 7 << 4
        shown = read_thumbnail(library, client, "turned-6.jpg")
        width, height = shown.size
        corners = [(width // 4, height // 4), (-(-3 * width // 4), height // 4)]
        for at, color in zip(corners, (RED, GREEN), strict=True):
            pixel = shown.getpixel(at)
            assert isinstance(pixel, tuple)
            assert max(abs(ours - meant) for ours, meant in zip(pixel, color, strict=True)) <= 12
        assert [check["name"] for check in client.get("/api/v1/doctor")["checks"] if not check["ok"]] == []
    # Only what looked wrong was made again: three turned, one with a profile, one cut off; two sizes each.
    remade = [path for path, made_ns in thumbnails.items() if path.stat().st_mtime_ns != made_ns]
    assert len(thumbnails) == 2 * 6
    assert len(remade) == 2 * 5
    with Database.open(library) as database:
        assert recheck.queue_outdated(database, now_ms=lambda: 0) == 0


def test_a_thumbnail_that_may_be_made_again_is_not_kept_by_the_browser(tmp_path: Path, folder: Path) -> None:
    library = tmp_path / "library"
    with connect(settings(tmp_path)) as client:
        import_and_follow(client, [folder], dry_run=False, wait=True)

    def ask_how_long(database: Database) -> set[str]:
        routes = image_routes.routes(
            database, ThumbCache(library / "thumbs", SHORT_EDGES_PX), Snapshots(database)
        ).routes
        [thumb] = [one for one in routes if isinstance(one, APIRoute) and one.path == "/thumbnails/{name}/{size}"]
        names = [path.name.removesuffix("-512.webp") for path in (library / "thumbs").glob("??/*-512.webp")]
        assert len(names) == 6
        return {asyncio.run(thumb.endpoint(name=name, size=512)).headers["cache-control"] for name in names}

    with Database.open(library) as database:
        assert ask_how_long(database) == {"private, max-age=31536000, immutable"}
        database.write(lambda tx: tx.run("UPDATE generation_files SET is_outdated = 1"))
        assert ask_how_long(database) == {"no-cache"}


NUMBERS = ("1e400", "-1e400", "Infinity", "-Infinity", "NaN", "9" * 400, "9" * 400 + ".5")
_OBJECT = '{"prompt": "a fox", "seed": %s, "steps": -1, "deep": [{"value": %s}]}'
_GRAPH = '{"1": {"class_type": "KSampler", "inputs": {"seed": %s, "cfg": %s, "steps": 20}}}'
_WORKFLOW = '{"nodes": [{"id": 1, "type": "KSampler", "widgets_values": [%s, "fixed", 20, %s]}], "links": []}'
_INFOTEXT = "a fox\nSteps: 20, Sampler: Euler, CFG scale: %s, Seed: %s, Size: 64x64, Denoising strength: nan"
_KEYS = {
    **dict.fromkeys(("invokeai_metadata", "sd-metadata", "parameters", "Comment", "fooocus_scheme"), _OBJECT),
    "prompt": _GRAPH,
    "workflow": _WORKFLOW,
    "sui_image_params": '{"sui_image_params": ' + _OBJECT + "}",
    "Description": _INFOTEXT,
}


def test_a_number_that_json_cannot_store_does_not_refuse_the_image(tmp_path: Path) -> None:
    folder = tmp_path / "numbers"
    folder.mkdir()
    made = 0
    for number in NUMBERS:
        for key, text in (*_KEYS.items(), ("parameters", _INFOTEXT)):
            made += 1
            content = pictures.png(16, 16, color=made, texts={key: text.replace("%s", number)})
            (folder / f"{made}.png").write_bytes(content)
        made += 1
        (folder / f"{made}.png").write_bytes(pictures.png(16, 16, color=made))
        (folder / f"{made}.json").write_text(_OBJECT.replace("%s", number))
    with connect(settings(tmp_path)) as connected:
        report = import_and_follow(connected, [folder], dry_run=False, wait=True)
        assert report["failures"] == []
        assert report["imported"] == made
        assert connected.get("/api/v1/images", q='"a fox"')["total"] >= len(NUMBERS)
