"""A whole library goes into a zip and comes out of it elsewhere; what a stranger made of the zip does no harm."""

import json
import random
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.test_rebuilding import live_out, opened, settled_export, take_in, uuids
from tests.pictures import write_pictures

from mysticanvas.cli.client import Client
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.features.archive import service as archive_service
from mysticanvas.features.archive.commands import export
from mysticanvas.features.migrate.commands import import_archive
from mysticanvas.fs import archives

PICTURES = 30


def exported(library: Path, target: Path) -> Path:
    export(target, library=library)
    return target


def taken_in(client: Client, file: Path, folders: dict[str, str] | None = None, *, dry_run: bool = False) -> Any:
    asked = {"path": str(file), "folders": folders or {}, "dry_run": dry_run}
    started = client.post("/api/v1/migrations", asked)["id"]
    while (now := client.get(f"/api/v1/migrations/{started}", wait=5))["report"] is None:
        pass
    return now["report"]


def test_a_library_exported_whole_is_the_same_on_another_machine_with_its_folders_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, elsewhere = tmp_path / "outputs", tmp_path / "other machine" / "pictures"
    pictures = write_pictures(folder, PICTURES)
    with opened(tmp_path / "library") as client:
        take_in(client, folder)
        assert live_out(client, random.Random(4), 40) > 25
        before = settled_export(client, tmp_path / "library")
    zip_file = exported(tmp_path / "library", tmp_path / "whole.zip")
    with pytest.raises(InvalidInputError, match="already exists"):
        exported(tmp_path / "library", zip_file)
    elsewhere.parent.mkdir()
    pictures[3].rename(folder / "renamed.png")
    folder.rename(elsewhere)
    new = tmp_path / "new"
    import_archive(zip_file, folder=[f"{folder}={elsewhere}"], dry_run=True, library=new)
    assert "Would import" in capsys.readouterr().out
    with opened(new) as client:
        assert client.post("/api/v1/snapshots", {"q": ""})["total"] == 0
        assert client.get("/api/v1/collections")["collections"] == []
        report = taken_in(client, zip_file, {str(folder): str(elsewhere)})
        assert (report["missing"], report["folders"]) == (0, {str(folder): str(elsewhere)})
        assert settled_export(client, new) == before
        assert [one["path"] for one in client.get("/api/v1/folders")["folders"]] == [str(elsewhere)]
        assert [one for one in client.get("/api/v1/doctor")["checks"] if not one["ok"]] == []
        # Twice is once.
        taken_in(client, zip_file, {str(folder): str(elsewhere)})
        assert client.text("/api/v1/library/export") == before
    assert list(tmp_path.glob(".mysticanvas*")) == []


def test_what_is_in_the_library_already_stays_and_what_has_no_file_waits(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    pictures = write_pictures(folder, 4)
    with opened(tmp_path / "library") as client:
        take_in(client, folder)
        say(client, "", {"rating": 2}, {"notes": "old"}, {"tags": {"add": ["fox"]}}, {"trash": True})
        names = uuids_in_trash(client)
    zip_file = exported(tmp_path / "library", tmp_path / "whole.zip")
    away = tmp_path / "away.png"
    pictures[0].rename(away)
    with opened(tmp_path / "new") as client:
        take_in(client, folder)
        [mine, *_] = uuids(client)
        say(client, mine, {"rating": 5}, {"tags": {"reject": ["fox"]}})
        assert taken_in(client, zip_file)["missing"] == 1
        # Its name is that of the export now; what was said of it here still holds.
        [kept] = uuids(client)
        assert kept in names
        detail = client.get(f"/api/v1/images/{kept}")
        assert (detail["rating"], detail["notes"]) == (5, "old")
        assert client.post("/api/v1/snapshots", {"q": "tag:fox"})["total"] == 0
        away.rename(folder / "back.png")
        take_in(client, folder)
        client.post("/api/v1/edits", {"uuids": names, "set": {"trash": False}})
        assert client.post("/api/v1/snapshots", {"q": "is:missing"})["total"] == 0
        assert client.post("/api/v1/snapshots", {"q": "rating:2 tag:fox"})["total"] == 3
        assert [one for one in client.get("/api/v1/doctor")["checks"] if not one["ok"]] == []


def say(client: Client, image: str, *marks: dict[str, Any]) -> None:
    """Of the image, or of all where none is named."""
    for one in marks:
        client.post("/api/v1/edits", ({"uuids": [image]} if image else {"query": ""}) | {"set": one})


def uuids_in_trash(client: Client) -> list[str]:
    text = client.text("/api/v1/library/export")
    return [one["image"] for one in map(json.loads, text.splitlines()) if "trash" in one]


# -- hostile zips ---------------------------------------------------------------------------------

MANIFEST = json.dumps({"mysticanvas_library": 1, "program": "0.1.0", "counts": {}, "roots": []})
TAG: dict[str, Any] = {
    "kind": "tag", "key": 1, "name": "fox", "normalized_name": "fox", "category": None, "state": "known",
    "origin": "user", "created_at": 1, "alias_of": None, "implies": [], "thresholds": {},
}  # fmt: skip
ROOT: dict[str, Any] = {"kind": "root", "key": 1, "path": "/gone", "watched": 1, "added_at": 1, "removed_at": None}
IMAGE = {"kind": "image", "key": 1, "uuid": "a", "at": 1, "root": "/gone", "path": "a.png"}
COLLECTION: dict[str, Any] = {
    "kind": "collection", "key": 1, "uuid": "a", "name": "a", "how": "manual", "query_json": None, "parent_id": 1,
    "cover": None, "notes": None, "position": 1.0, "created_at": 1, "updated_at": 1,
}  # fmt: skip


def zipped(path: Path, words: str, manifest: str = MANIFEST, **more: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", manifest)
        archive.writestr("words.jsonl", words)
        for name, content in more.items():
            archive.writestr(name, content)


def words(*things: dict[str, Any]) -> Callable[[Path], None]:
    return lambda path: zipped(path, "\n".join(map(json.dumps, things)))


def named(name: str) -> Callable[[Path], None]:
    return lambda path: zipped(path, json.dumps(TAG), **{name: "x"})


def link(path: Path) -> None:
    zipped(path, json.dumps(TAG))
    entry = zipfile.ZipInfo("a-link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, "/etc/passwd")


def bomb(path: Path) -> None:
    zipped(path, " " * 5_000_000)


def twice(path: Path) -> None:
    zipped(path, json.dumps(TAG))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("words.jsonl", "")


def lying(by: int) -> Callable[[Path], None]:
    """The directory says another size than the file has."""

    def make(path: Path) -> None:
        zipped(path, json.dumps(TAG))
        content = bytearray(path.read_bytes())
        at = content.rindex(b"PK\x01\x02") + 24
        size = int.from_bytes(content[at : at + 4], "little")
        content[at : at + 4] = (size + by).to_bytes(4, "little")
        path.write_bytes(content)

    return make


def wrong_sum(path: Path) -> None:
    zipped(path, json.dumps(TAG))
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 16] ^= 1
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    zipped(path, json.dumps(TAG))
    path.write_bytes(path.read_bytes()[:-40])


def crowded(path: Path) -> None:
    zipped(path, json.dumps(TAG))
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x05\x06") + 12
    content[at : at + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (named("../evil"), "unsafe"), (named("a/../../evil"), "unsafe"), (named("/etc/evil"), "unsafe"),
        (named("C:\\evil"), "unsafe"), (named("images/con.png"), "unsafe"), (named("a/x:ads"), "unsafe"),
        (link, "not a regular file"), (bomb, "too large when unpacked"), (twice, "two files"), (lying(5), "damaged"),
        (lying(-5), "damaged"), (wrong_sum, "damaged"), (cut_short, "truncated"), (crowded, "100,000"),
        (lambda path: path.write_bytes(b"no zip at all"), "not a zip file"),
        (lambda path: zipped(path, "", MANIFEST.replace(": 1,", ": 2,")), "newer version of MystiCanvas"),
        (lambda path: zipped(path, "", "[]"), "not a MystiCanvas archive"),
        (lambda path: zipped(path, "[" * 60_000), "invalid entry"),
        (words(TAG, TAG | {"key": 2, "state": "fine"}), "invalid entry"),
        (words(TAG, TAG | {"key": 2**70}), "invalid entry"),
        (words(TAG, {"kind": "setting", "key": "autotag.endpoint", "value_json": "1"}), "invalid entry"),
        (words(TAG, {"kind": "setting", "key": "trash.days", "value_json": '"soon"'}), "invalid entry"),
        (words(ROOT, IMAGE | {"path": "../../etc/passwd"}), "outside its folder"),
        (words(IMAGE), "folder of an image"), (words(ROOT | {"path": "etc"}), "not a folder on this machine"),
        (words(TAG | {"alias_of": 2}, TAG | {"key": 2, "name": "b", "normalized_name": "b", "alias_of": 1}), "cycle"),
        (words(COLLECTION), "would contain itself"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_zip_is_refused_with_a_sentence_and_nothing_is_changed(
    shared: Client, tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "whole.zip"
    make(path)
    before = shared.text("/api/v1/library/archive")
    with pytest.raises(InvalidInputError, match=said) as refused:
        taken_in(shared, path)
    assert len(str(refused.value)) < 1_000
    assert shared.text("/api/v1/library/archive") == before


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with opened(tmp_path_factory.mktemp("shared") / "library") as client:
        yield client


def test_a_sound_zip_of_that_kind_is_taken(shared: Client, tmp_path: Path) -> None:
    """Or the refusals above would say nothing."""
    words(TAG | {"name": "badger", "normalized_name": "badger"})(tmp_path / "whole.zip")
    assert taken_in(shared, tmp_path / "whole.zip")["tags"] == 1


def test_what_repeats_itself_is_not_packed_into_a_bomb(tmp_path: Path) -> None:
    archives.write(tmp_path / "a.zip", {"words.jsonl": b" " * 5_000_000})
    with archives.open_archive(tmp_path / "a.zip") as archive:
        assert len(archive.read("words.jsonl", most_bytes=5_000_000)) == 5_000_000
        with pytest.raises(InvalidInputError, match="larger than"):
            archive.read("words.jsonl", most_bytes=4_999_999)


def test_nothing_is_left_where_a_zip_could_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="Could not write"):
        archive_service.write_archive(tmp_path / "no such folder" / "a.zip", b"")
    assert list(tmp_path.iterdir()) == []
