"""Folders as a person looks after them: dry runs, taking one out, finding lost files by hand (F4-F6)."""

import os
import shutil
from pathlib import Path
from stat import S_IFREG
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.integration.test_sync import client, folder, rate_by_seed, root_of, scan, take_in
from tests.pictures import a1111_png, write_pictures

from mysticanvas.cli.client import Client
from mysticanvas.domain.errors import ConflictError, InvalidInputError, NotFoundError
from mysticanvas.features.importing.commands import import_and_follow
from mysticanvas.fs import not_shown

__all__ = ["client", "folder"]


def missing_in(client: Client, folder: Path) -> list[dict[str, Any]]:
    return list(client.get(f"/api/v1/folders/{root_of(client, folder)['id']}/missing")["files"])


def lose(client: Client, folder: Path, path: Path) -> dict[str, Any]:
    """A file that a scan did not find, and its bytes."""
    content = path.read_bytes()
    path.unlink()
    assert scan(client, folder)["missing"] == 1
    [lost] = missing_in(client, folder)
    return {"content": content, **lost}


def test_a_dry_run_tells_new_changed_moved_and_missing_apart_and_changes_nothing(client: Client, folder: Path) -> None:
    paths = write_pictures(folder, 8)
    take_in(client, folder)
    (folder / "deep").mkdir()
    paths[0].rename(folder / "deep" / "elsewhere.png")
    paths[1].unlink()
    paths[2].write_bytes(a1111_png(901))
    (folder / "new.png").write_bytes(a1111_png(902))
    shutil.copy2(paths[3], folder / "copy.png")
    # Two change places: neither is new content.
    paths[4].rename(folder / "x")
    paths[5].rename(paths[4])
    (folder / "x").rename(paths[5])
    os.utime(paths[6])

    would = scan(client, folder, dry_run=True)

    names = ("imported", "changed", "moved", "copies", "missing", "unchanged")
    assert {name: would[name] for name in names} == {
        "imported": 1, "changed": 1, "moved": 3, "copies": 1, "missing": 1, "unchanged": 3,
    }  # fmt: skip
    assert would["examples"]["imported"] == [str(folder / "new.png")]
    assert would["examples"]["missing"] == [str(paths[1])]
    assert not would["asks"]
    assert client.get("/api/v1/images", q="")["total"] == 8
    did = scan(client, folder)
    assert {name: did[name] for name in names} == {name: would[name] for name in names}


@pytest.mark.parametrize("is_known", [False, True])
def test_a_dry_run_tells_a_file_that_differs_in_one_byte_from_a_copy(
    client: Client, folder: Path, is_known: bool
) -> None:
    folder.mkdir(exist_ok=True)
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8))
    noise.save(folder / "first.png")
    if is_known:
        take_in(client, folder)
    content = (folder / "first.png").read_bytes()
    middle = len(content) // 2
    (folder / "other.png").write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    (folder / "same.png").write_bytes(content)
    names = ("imported", "changed", "moved", "copies", "missing", "unchanged")
    would = import_and_follow(client, [folder], dry_run=True, wait=True)
    did = take_in(client, folder)
    assert {name: would[name] for name in names} == {name: did[name] for name in names}
    assert (did["imported"], did["copies"]) == (1 if is_known else 2, 1)


def put_what_is_not_shown(folder: Path) -> None:
    (folder / "deep").mkdir(exist_ok=True)
    for name in (
        "a.psd",
        "deep/b.PSD",
        "deep/c.Psd",
        "clip.mp4",
        "LICENSE",
        "deep/odd.a b",
        ".hidden.psd",
        "Thumbs.db",
    ):
        (folder / name).write_bytes(b"not an image")
    (folder / "of.txt").write_text("a sidecar")
    (folder / "link.png").symlink_to(folder / "a.psd")
    (folder / "deep" / "loop").symlink_to(folder)


def test_files_that_are_not_images_are_counted_by_kind_and_never_silent(client: Client, folder: Path) -> None:
    write_pictures(folder, 2)
    put_what_is_not_shown(folder)
    expected = {"PSD": 3, "MP4": 1, "links": 2, "other files": 2}
    report = take_in(client, folder)
    assert (report["imported"], report["failed"]) == (2, 0)
    assert report["not_shown"] == expected
    assert root_of(client, folder)["not_shown"] == expected
    [event] = [one for one in client.get("/api/v1/events")["events"] if one["kind"] == "import"]
    assert event["data"]["not_shown"] == expected

    (folder / "clip.mp4").unlink()
    assert "MP4" not in scan(client, folder, dry_run=True)["not_shown"]
    assert root_of(client, folder)["not_shown"] == expected
    scan(client, folder)
    assert root_of(client, folder)["not_shown"] == {"PSD": 3, "links": 2, "other files": 2}


def test_a_report_names_no_more_kinds_than_a_person_reads() -> None:
    counts: dict[str, int] = {}
    for number in range(1_000):
        not_shown.count(counts, f"a.x{number}".encode(), S_IFREG)
    assert len(counts) == not_shown.MAX_KINDS + 1
    assert sum(counts.values()) == 1_000
    assert not_shown.describe({"links": 1, "PSD": 1_200, "other files": 3}) == "1,200 PSD, 3 other files, 1 link"


def test_a_dry_run_says_that_a_scan_would_ask(client: Client, folder: Path) -> None:
    write_pictures(folder, 140)
    take_in(client, folder, wait=False)
    for path in sorted(folder.rglob("*.png"))[:120]:
        path.unlink()
    would = scan(client, folder, dry_run=True)
    assert (would["asks"], would["missing"]) == (True, 120)
    assert root_of(client, folder)["would_miss"] == 0


def test_a_folder_that_is_removed_keeps_files_and_images_and_comes_back_as_it_was(client: Client, folder: Path) -> None:
    write_pictures(folder, 4)
    take_in(client, folder)
    uuids = rate_by_seed(client)
    before = {path.name: path.read_bytes() for path in folder.rglob("*.png")}

    client.delete(f"/api/v1/folders/{root_of(client, folder)['id']}")

    known = client.get("/api/v1/folders")
    assert known["folders"] == []
    assert [(one["path"], one["images"]) for one in known["removed"]] == [(str(folder), 4)]
    assert {path.name: path.read_bytes() for path in folder.rglob("*.png")} == before
    assert client.get("/api/v1/images", q="rating:>=1")["total"] == 4

    assert take_in(client, folder)["unchanged"] == 4
    assert client.get("/api/v1/folders")["removed"] == []
    assert client.get(f"/api/v1/images/{uuids['2']}")["rating"] == 3


def test_emptying_the_trash_touches_no_file_of_a_removed_folder(client: Client, folder: Path) -> None:
    write_pictures(folder, 3)
    take_in(client, folder)
    client.delete(f"/api/v1/folders/{root_of(client, folder)['id']}")
    client.post("/api/v1/edits", {"query": "", "set": {"trash": True}})

    purged = client.post("/api/v1/trash:purge", {"which": "all", "how": "unlink"})

    assert (purged["images"], purged["left"]) == (3, 0)
    assert len(list(folder.rglob("*.png"))) == 3
    assert {event["kind"] for event in client.get("/api/v1/events")["events"]} >= {"image.forgotten", "root.removed"}
    assert "file.purged" not in {event["kind"] for event in client.get("/api/v1/events")["events"]}


def test_a_removed_folder_without_images_is_forgotten(client: Client, folder: Path) -> None:
    take_in(client, folder)
    client.delete(f"/api/v1/folders/{root_of(client, folder)['id']}")
    assert client.get("/api/v1/folders") == {"folders": [], "removed": []}


def test_a_lost_file_is_found_by_hand_only_if_it_has_the_same_content(client: Client, folder: Path) -> None:
    paths = write_pictures(folder, 3)
    take_in(client, folder)
    uuids = rate_by_seed(client)
    lost = lose(client, folder, paths[1])
    assert lost["uuid"] == uuids["1"]
    place = folder / "later" / "found.png"
    place.parent.mkdir()

    where = f"/api/v1/missing-files/{lost['id']}:locate"
    with pytest.raises(InvalidInputError, match="does not exist"):
        client.post(where, {"path": str(place)})
    place.write_bytes(a1111_png(77))
    with pytest.raises(ConflictError, match="a different image"):
        client.post(where, {"path": str(place)})
    outside = folder.parent / "outside.png"
    outside.write_bytes(lost["content"])
    with pytest.raises(InvalidInputError, match="not in a library folder"):
        client.post(where, {"path": str(outside)})
    place.write_bytes(lost["content"])
    assert client.post(where, {"path": str(place)}) == {"uuid": uuids["1"]}

    detail = client.get(f"/api/v1/images/{uuids['1']}")
    assert (detail["missing"], detail["rating"], detail["files"][0]["path"]) == (False, 2, "later/found.png")
    assert missing_in(client, folder) == []
    with pytest.raises(NotFoundError):
        client.post(where, {"path": str(place)})


def test_forgetting_a_lost_image_is_undone_as_any_deed(client: Client, folder: Path) -> None:
    paths = write_pictures(folder, 3)
    take_in(client, folder)
    lost = lose(client, folder, paths[0])

    done = client.post("/api/v1/missing-files:forget", {"files": [lost["id"]]})

    assert (done["copies"], done["edit"]["changed"]) == (0, 1)
    assert (missing_in(client, folder), root_of(client, folder)["missing"]) == ([], 0)
    client.post("/api/v1/edits:undo")
    assert [one["id"] for one in missing_in(client, folder)] == [lost["id"]]


def test_forgetting_a_spare_place_keeps_the_image(client: Client, folder: Path) -> None:
    first, _ = write_pictures(folder, 2)
    copy = folder / "copy.png"
    shutil.copy2(first, copy)
    take_in(client, folder)
    lost = lose(client, folder, copy)
    assert lost["elsewhere"]
    done = client.post("/api/v1/missing-files:forget", {"folder": root_of(client, folder)["id"]})
    assert done == {"copies": 1, "edit": None}
    assert client.get("/api/v1/images", q="")["total"] == 2


def test_files_that_could_not_be_taken_in_are_listed_with_the_reason(client: Client, folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    take_in(client, folder)
    root = root_of(client, folder)
    [one] = client.get(f"/api/v1/folders/{root['id']}/untracked")["files"]
    assert (root["untracked"], one["path"]) == (1, "broken.png")
    assert one["reason"]


def test_a_folder_says_whether_it_is_there_and_may_be_written(client: Client, folder: Path) -> None:
    take_in(client, folder)
    root = root_of(client, folder)
    assert (root["available"], root["watching"], root["read_only"]) == (True, False, not os.access(folder, os.W_OK))
    folder.rmdir()
    root = root_of(client, folder)
    assert (root["available"], root["read_only"]) == (False, False)


def test_a_folder_is_added_read_and_found_again_by_a_path_in_it(client: Client, tmp_path: Path) -> None:
    [*_, last] = write_pictures(tmp_path / "more", 2)
    added = client.post("/api/v1/folders", {"path": str(tmp_path / "more")})
    assert (added["folder"]["path"], added["folder"]["watched"]) == (str(tmp_path / "more"), True)
    assert client.get(f"/api/v1/imports/{added['scan']}", wait=25)["report"]["imported"] == 2
    shown = client.get(f"/api/v1/folders/{added['folder']['id']}")
    assert (shown["images"], shown["available"], shown["error"]) == (2, True, None)
    again = client.post("/api/v1/folders", {"path": str(last.parent)})
    assert again["folder"]["id"] == added["folder"]["id"]
    client.delete(f"/api/v1/folders/{added['folder']['id']}")
    with pytest.raises(NotFoundError, match="not in the library"):
        client.get(f"/api/v1/folders/{added['folder']['id']}")
    with pytest.raises(InvalidInputError):
        client.post("/api/v1/folders", {"path": str(tmp_path / "nowhere")})
