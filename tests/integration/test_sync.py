"""Folders are shuffled, drives vanish, files come back: no row is lost (F1-F9)."""

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.pictures import a1111_png, write_pictures

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.imports import wait_for_import
from mysticanvas.features.importing.commands import import_and_follow
from mysticanvas.settings import Settings


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """The application in this process, with one worker."""
    with connect(Settings(library=tmp_path / "library", workers=1, settle_s=0.1)) as connected:
        yield connected
        assert [check["name"] for check in connected.get("/api/v1/doctor")["checks"] if not check["ok"]] == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


def take_in(client: Client, folder: Path, *, wait: bool = True) -> dict[str, Any]:
    return import_and_follow(client, [folder], dry_run=False, wait=wait)


def scan(client: Client, folder: Path, **how: bool) -> dict[str, Any]:
    [root] = [root for root in client.get("/api/v1/folders")["folders"] if root["path"] == str(folder)]
    return wait_for_import(client, client.post(f"/api/v1/folders/{root['id']}:scan", how)["id"])


def root_of(client: Client, folder: Path) -> dict[str, Any]:
    [root] = [root for root in client.get("/api/v1/folders")["folders"] if root["path"] == str(folder)]
    return dict(root)


def rate_by_seed(client: Client) -> dict[str, str]:
    """Every image gets a rating that only its seed explains; uuid by seed."""
    found = client.get("/api/v1/images", q="", limit=10_000)["items"]
    uuids = {client.get(f"/api/v1/images/{item['uuid']}")["seed"]: item["uuid"] for item in found}
    view = client.post("/api/v1/snapshots", {"q": ""})
    for position, item in enumerate(found):
        seed = next(seed for seed, uuid in uuids.items() if uuid == item["uuid"])
        change = {"ranges": [[position, position + 1]], "set": {"rating": int(seed) % 5 + 1}}
        client.post("/api/v1/edits", {"snapshot": view["snapshot"], **change})
    return uuids


def assert_all_there(client: Client, uuids: dict[str, str], folder: Path) -> None:
    """Every image is the one it was, with its rating, its thumbnail and the path of its own content."""
    assert client.get("/api/v1/images", q="")["total"] == len(uuids)
    for seed, uuid in uuids.items():
        detail = client.get(f"/api/v1/images/{uuid}")
        assert (detail["seed"], detail["rating"], detail["missing"]) == (seed, int(seed) % 5 + 1, False)
        assert detail["thumb"] is not None
        [file] = [file for file in detail["files"] if file["kind"] == "final"]
        assert (folder / file["path"]).read_bytes() == a1111_png(int(seed))


def test_a_deleted_file_is_missing_and_comes_back_as_it_was(client: Client, folder: Path) -> None:
    paths = write_pictures(folder, 5)
    take_in(client, folder)
    uuids = rate_by_seed(client)
    kept = paths[2].read_bytes()
    stat = paths[2].stat()
    paths[2].unlink()

    assert take_in(client, folder)["missing"] == 1
    detail = client.get(f"/api/v1/images/{uuids['2']}")
    assert (detail["missing"], detail["rating"]) == (True, 3)
    assert client.get("/api/v1/images", q="")["total"] == 5

    paths[2].write_bytes(kept)
    os.utime(paths[2], ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert take_in(client, folder)["unchanged"] == 5
    assert_all_there(client, uuids, folder)


def test_of_two_copies_the_other_one_stays(client: Client, folder: Path) -> None:
    first, _ = write_pictures(folder, 2)
    take_in(client, folder)
    uuids = rate_by_seed(client)
    second = folder / "second.png"
    shutil.copy(first, second)
    assert take_in(client, folder)["copies"] == 1
    first.unlink()
    assert take_in(client, folder)["missing"] == 1
    assert_all_there(client, uuids, folder)
    second.unlink()
    take_in(client, folder)
    assert client.get(f"/api/v1/images/{uuids['0']}")["missing"] is True


def test_names_that_were_swapped_keep_what_hangs_on_each_content(client: Client, folder: Path) -> None:
    paths = write_pictures(folder, 12)
    take_in(client, folder)
    uuids = rate_by_seed(client)
    aside = folder / "aside"
    for one, other in ((0, 9), (1, 10)):
        paths[one].rename(aside)
        paths[other].rename(paths[one])
        aside.rename(paths[other])
    # Three in a circle, of different sizes as of equal ones.
    paths[3].rename(aside)
    paths[4].rename(paths[3])
    paths[11].rename(paths[4])
    aside.rename(paths[11])
    report = take_in(client, folder)
    assert (report["imported"], report["missing"]) == (0, 0)
    assert_all_there(client, uuids, folder)


def test_a_moved_file_and_what_was_written_in_its_place_are_two_images(client: Client, folder: Path) -> None:
    paths = write_pictures(folder, 3)
    take_in(client, folder)
    uuids = rate_by_seed(client)
    (folder / "moved").mkdir()
    paths[1].rename(folder / "moved" / "elsewhere.png")
    paths[1].write_bytes(a1111_png(77))
    report = take_in(client, folder)
    assert (report["moved"], report["imported"], report["missing"]) == (1, 1, 0)
    new = client.get("/api/v1/images", q='"number 77"')["items"]
    assert len(new) == 1
    assert client.get(f"/api/v1/images/{new[0]['uuid']}")["rating"] == 0
    paths[1].unlink()
    take_in(client, folder)
    assert client.get(f"/api/v1/images/{uuids['1']}")["missing"] is False


def test_a_shuffled_library_loses_nothing(client: Client, folder: Path) -> None:
    chance = random.Random(5)
    paths = write_pictures(folder, 150)
    take_in(client, folder)
    uuids = rate_by_seed(client)
    places = [folder / f"{chance.randrange(9)}" / f"{chance.randrange(4)}" / f"{n}.png" for n in range(100)]
    targets = [*places, *chance.sample(paths, 50)]
    chance.shuffle(targets)
    aside = folder / "aside"
    aside.mkdir()
    for number, path in enumerate(paths):
        path.rename(aside / str(number))
    for number, target in enumerate(targets):
        target.parent.mkdir(parents=True, exist_ok=True)
        (aside / str(number)).rename(target)
    aside.rmdir()
    report = take_in(client, folder)
    assert (report["imported"], report["missing"], report["failed"]) == (0, 0, 0)
    assert_all_there(client, uuids, folder)


def test_an_edited_file_keeps_its_rating_unless_its_old_content_is_elsewhere(client: Client, folder: Path) -> None:
    paths = write_pictures(folder, 2)
    take_in(client, folder)
    uuids = rate_by_seed(client)
    paths[0].write_bytes(a1111_png(500))
    take_in(client, folder)
    edited = client.get(f"/api/v1/images/{uuids['0']}")
    assert (edited["seed"], edited["rating"]) == ("500", 1)

    shutil.copy(paths[1], folder / "copy.png")
    take_in(client, folder)
    paths[1].write_bytes(a1111_png(501))
    assert take_in(client, folder)["imported"] == 1
    old = client.get(f"/api/v1/images/{uuids['1']}")
    assert (old["seed"], old["rating"], old["missing"]) == ("1", 2, False)
    assert [file["path"] for file in old["files"]] == ["copy.png"]


def test_a_root_that_is_away_loses_nothing_and_is_welcome_back(client: Client, folder: Path) -> None:
    write_pictures(folder, 20)
    take_in(client, folder)
    uuids = rate_by_seed(client)
    away = folder.with_name("unplugged")
    folder.rename(away)
    report = scan(client, folder)
    assert (report["files_seen"], report["missing"]) == (0, 0)
    assert "is not available" in report["offline"][0]
    assert root_of(client, folder)["state"] == "offline"
    # As a mount point without its drive: the folder is there, and empty.
    folder.mkdir()
    assert scan(client, folder)["missing"] == 0
    assert root_of(client, folder)["state"] == "offline"
    # As another drive at the same place.
    write_pictures(folder, 8, first_seed=900)
    assert scan(client, folder)["imported"] == 0
    shutil.rmtree(folder)
    away.rename(folder)
    assert scan(client, folder)["unchanged"] == 20
    assert root_of(client, folder)["state"] == "online"
    assert_all_there(client, uuids, folder)


def test_an_emptied_root_is_believed_when_a_person_says_so(client: Client, folder: Path) -> None:
    write_pictures(folder, 6)
    take_in(client, folder)
    shutil.rmtree(folder)
    folder.mkdir()
    assert scan(client, folder)["missing"] == 0
    assert scan(client, folder, accept=True)["missing"] == 6
    assert root_of(client, folder)["missing"] == 6


def test_where_very_many_seem_gone_a_person_is_asked(client: Client, folder: Path) -> None:
    paths = write_pictures(folder, 400)
    take_in(client, folder, wait=False)
    for path in paths[:120]:
        path.unlink()
    assert scan(client, folder, dry_run=True)["missing"] == 120
    assert scan(client, folder)["missing"] == 0
    asked = root_of(client, folder)
    assert (asked["missing"], asked["would_miss"]) == (0, 120)
    assert "mysticanvas folder scan --accept" in asked["error"]
    assert scan(client, folder, accept=True)["missing"] == 120
    assert root_of(client, folder)["error"] is None


def test_a_root_that_was_moved_is_the_same_root_at_another_path(client: Client, folder: Path, tmp_path: Path) -> None:
    write_pictures(folder, 10)
    take_in(client, folder)
    uuids = rate_by_seed(client)
    moved = tmp_path / "drive" / "renamed"
    moved.parent.mkdir()
    folder.rename(moved)
    report = take_in(client, moved)
    assert (report["unchanged"], report["imported"], report["copies"]) == (10, 0, 0)
    assert [root["path"] for root in client.get("/api/v1/folders")["folders"]] == [str(moved)]
    assert_all_there(client, uuids, moved)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that may not be read")
def test_a_folder_that_may_not_be_read_says_nothing_about_its_files(client: Client, folder: Path) -> None:
    write_pictures(folder, 3)
    take_in(client, folder)
    (folder / "day-000").chmod(0)
    report = take_in(client, folder)
    (folder / "day-000").chmod(0o700)
    assert (report["missing"], report["failed"]) == (0, 1)


def test_an_original_is_served_from_the_copy_that_can_be_opened(client: Client, folder: Path, tmp_path: Path) -> None:
    [first] = write_pictures(folder, 1)
    other = tmp_path / "other drive"
    other.mkdir()
    shutil.copy(first, other / "copy.png")
    take_in(client, folder)
    take_in(client, other)
    folder.rename(tmp_path / "unplugged")
    [item] = client.get("/api/v1/images", q="")["items"]
    detail = client.get(f"/api/v1/images/{item['uuid']}")
    assert {file["kind"] for file in detail["files"]} == {"final", "copy"}
    assert detail["missing"] is False


def test_a_picture_that_cannot_be_decoded_is_shown_and_kept_and_tried_again_when_it_changes(
    client: Client, folder: Path
) -> None:
    sound = a1111_png(7)
    # Three bits a sample: no such PNG can be.
    depth = sound.index(b"IHDR") + 12
    torn = sound[:depth] + b"\x03" + sound[depth + 1 :]
    (folder / "torn.png").write_bytes(torn)
    take_in(client, folder)
    [item] = client.get("/api/v1/images", q="")["items"]
    detail = client.get(f"/api/v1/images/{item['uuid']}")
    assert "could not be decoded" in detail["damage"]
    assert (detail["seed"], detail["missing"]) == ("7", False)
    client.post("/api/v1/edits", {"uuids": [item["uuid"]], "set": {"rating": 4}})
    assert (folder / "torn.png").read_bytes() == torn

    (folder / "torn.png").write_bytes(sound)
    take_in(client, folder)
    [again] = client.get("/api/v1/images", q="")["items"]
    detail = client.get(f"/api/v1/images/{again['uuid']}")
    assert (again["uuid"], detail["rating"], detail["damage"]) == (item["uuid"], 4, None)
