"""Whatever adds or moves an image, its path may belong to another file by now: the library stays sound (D16)."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.integration.test_rebuilding import lose_database, opened, rebuilt, settled_export, take_in, uuids
from tests.pictures import write_pictures
from tests.rows import add_images

from mysticanvas import __version__
from mysticanvas.cli.client import Client
from mysticanvas.db import checks as doctor_checks
from mysticanvas.db.checks import Check
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import placeholders
from mysticanvas.domain.file import FileKind
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features import repairs
from mysticanvas.features.backups import service as backup_service
from mysticanvas.features.journal import rebuild_queries
from mysticanvas.features.journal.commands import rebuild
from mysticanvas.features.journal.rebuild_queries import Ids

ROOT = 1


def rate_all(client: Client) -> list[str]:
    names = uuids(client)
    for number, name in enumerate(names):
        client.post("/api/v1/edits", {"uuids": [name], "set": {"rating": number % 5 + 1}})
    return names


def assert_sound(client: Client) -> None:
    verdict = client.get("/api/v1/doctor")
    assert [check for check in verdict["checks"] if not check["ok"]] == []


def overwrite(picture: Path, tmp_path: Path, seed: int) -> None:
    """Other content at the same path, with another size and date."""
    [other] = write_pictures(tmp_path / f"other-{seed}", 1, first_seed=seed)
    os.replace(other, picture)


def swap(one: Path, other: Path) -> None:
    aside = one.with_suffix(".aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


# -- rebuild --------------------------------------------------------------------------------------


def test_a_rated_file_that_was_edited_in_place_keeps_its_rating_through_a_rebuild(tmp_path: Path) -> None:
    library, folder = tmp_path / "library", tmp_path / "outputs"
    pictures = write_pictures(folder, 5)
    with opened(library) as client:
        take_in(client, folder)
        rate_all(client)
    # The journal is written at the end.
    with opened(library) as client:
        overwrite(pictures[2], tmp_path, 700)
        swap(pictures[0], pictures[1])
        take_in(client, folder)
        before = settled_export(client, library)
        assert_sound(client)
    lose_database(library)
    with opened(library) as client:
        report = rebuilt(client)
        assert (report["absent"], report["unsound"]) == (0, [])
        assert settled_export(client, library) == before


def test_a_rated_file_that_was_overwritten_after_the_database_was_lost_is_a_missing_image(tmp_path: Path) -> None:
    library, folder = tmp_path / "library", tmp_path / "outputs"
    pictures = write_pictures(folder, 4)
    with opened(library) as client:
        take_in(client, folder)
        names = rate_all(client)
        before = settled_export(client, library)
    lose_database(library)
    kept = tmp_path / "kept.png"
    shutil.copyfile(pictures[1], kept)
    overwrite(pictures[1], tmp_path, 700)
    with opened(library) as client:
        report = rebuilt(client)
        assert (report["absent"], report["unsound"]) == (1, [])
        assert_sound(client)
        assert settled_export(client, library) == before
        assert client.post("/api/v1/snapshots", {"q": "is:missing rating:>0"})["total"] == 1
        assert client.post("/api/v1/snapshots", {"q": "rating:0"})["total"] == 1
        # Its content comes back under another name.
        kept.rename(folder / "found again.png")
        take_in(client, folder)
        assert client.post("/api/v1/snapshots", {"q": "is:missing"})["total"] == 0
        assert set(names) < set(uuids(client))
        assert_sound(client)
    # Rebuilt again, with a file that was displaced.
    lose_database(library)
    with opened(library) as client:
        assert rebuilt(client)["unsound"] == []
        assert settled_export(client, library) == before


@pytest.mark.parametrize("kind", list(FileKind))
def test_a_missing_image_is_sound_whatever_file_has_its_path(database: Database, kind: FileKind) -> None:
    [image, other] = add_images(database, 2)
    database.write(_occupy, image, kind)
    entry = {"kind": "image", "key": 9, "uuid": "0" * 36, "at": 5, "root": "/nowhere", "path": "taken.png", "rating": 3}
    with Checked(database):
        assert database.write(_restore, [entry, entry | {"uuid": "1" * 36, "key": 10}]) == 2
        database.write(_add_placeholder, other, "taken.png")
    found = database.read(lambda tx: tx.value("SELECT count(*) FROM generations WHERE rating = 3"))
    assert found == 2


class Checked:
    """What is sound before is sound after."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._before = self._failed()

    def _failed(self) -> set[str]:
        return {check.name for check in doctor_checks.run_all(self._database) if not check.ok}

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            assert self._failed() <= self._before


def _occupy(tx: WriteTx, image: GenerationId, kind: FileKind) -> None:
    if kind == FileKind.FINAL:
        tx.run("UPDATE generation_files SET path_bytes = :path, path = 'taken.png' WHERE generation_id = :image",
               path=b"taken.png", image=image)  # fmt: skip
        return
    tx.run(
        """
        INSERT INTO generation_files (generation_id, kind, root_id, path_bytes, path, bytes, mtime_ns)
        VALUES (:image, :kind, 1, :path, 'taken.png', 1, 1)
        """,
        image=image,
        kind=kind.value,
        path=b"taken.png",
    )


def _restore(tx: WriteTx, entries: list[dict[str, Any]]) -> int:
    return rebuild_queries.add_images(tx, entries, Ids(), app_version=__version__, now_ms=7)


def _add_placeholder(tx: WriteTx, image: GenerationId, path: str) -> None:
    """As a migration from another gallery adds it."""
    tx.run("DELETE FROM generation_files WHERE generation_id = :image", image=image)
    placeholders.add_absent_file(tx, image, root_id=ROOT, path=path, now_ms=7)


def test_an_image_whose_folder_is_unknown_has_a_file_row(database: Database) -> None:
    add_images(database, 1)
    entry = {"kind": "image", "key": 9, "uuid": "0" * 36, "at": 5, "rating": 3}
    with Checked(database):
        database.write(_restore, [entry, entry | {"uuid": "1" * 36, "root": "/gone", "path": "a.png"}])


def test_two_entries_are_never_one_image(database: Database) -> None:
    """Two files with the same size and ends have one fingerprint; the hash of one was not known yet."""
    add_images(database, 2)
    database.write(lambda tx: tx.run("UPDATE generation_files SET fingerprint = zeroblob(32)"))
    hashes = database.read(lambda tx: tx.column("SELECT hex(blake3) FROM generation_files ORDER BY id"))
    first = {"kind": "image", "key": 1, "uuid": "0" * 36, "at": 5, "root": "/nowhere", "path": "0.png", "rating": 1,
             "fingerprint": "00" * 32}  # fmt: skip
    second = first | {"uuid": "1" * 36, "path": "moved.png", "rating": 2, "blake3": hashes[1].lower()}
    third = first | {"uuid": "2" * 36, "path": "also moved.png", "rating": 3}
    with Checked(database):
        assert database.write(_restore, [first, second, third]) == 1
    rated = database.read(lambda tx: dict(list(tx.rows("SELECT uuid, rating FROM generations"))))
    assert rated == {"0" * 36: 1, "1" * 36: 2, "2" * 36: 3}


def damage_line(library: Path, part: bytes) -> None:
    [path] = (library / "journal").glob("*.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    # The last line of the item: an earlier one is replaced by it.
    number = max(index for index, line in enumerate(lines) if part in line)
    lines[number] = b"00000000" + lines[number][8:]
    path.write_bytes(b"".join(lines))


def test_a_folder_whose_line_is_damaged_is_imported_all_the_same(tmp_path: Path) -> None:
    library, folder = tmp_path / "library", tmp_path / "outputs"
    write_pictures(folder, 4)
    with opened(library) as client:
        take_in(client, folder)
        rate_all(client)
        before = settled_export(client, library)
    lose_database(library)
    damage_line(library, b'"kind":"root"')
    with opened(library) as client:
        report = rebuilt(client)
        assert (report["absent"], report["unread"], report["unsound"]) == (0, 1, [])
        assert settled_export(client, library) == before


def test_what_a_damaged_line_held_is_said_with_the_backup_that_may_have_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library, folder = tmp_path / "library", tmp_path / "outputs"
    pictures = write_pictures(folder, 4)
    with opened(library) as client:
        take_in(client, folder)
        rate_all(client)
        client.post("/api/v1/edits", {"uuids": uuids(client)[:1], "set": {"notes": "for the wall"}})
        made = client.post("/api/v1/backups")["path"]
    lose_database(library)
    damage_line(library, b"for the wall")
    with pytest.raises(typer.Exit) as ended:
        rebuild(library=library)
    assert ended.value.exit_code == 1
    said = capsys.readouterr().out
    assert "1 damaged line in the journal." in said
    assert "for the wall" in said
    assert any(picture.name in said for picture in pictures)
    assert f'mysticanvas backup restore "{made}"' in said


def test_a_rebuilt_library_that_is_unsound_is_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    library, folder = tmp_path / "library", tmp_path / "outputs"
    write_pictures(folder, 2)
    with opened(library) as client:
        take_in(client, folder)
        rate_all(client)
    lose_database(library)
    monkeypatch.setattr(repairs, "_CHECKS", [lambda database: Check("planted", False, "a fault")])
    with pytest.raises(typer.Exit) as ended:
        rebuild(library=library)
    assert ended.value.exit_code == 1
    assert "planted: a fault" in capsys.readouterr().out


# -- everything else that adds or moves a row -----------------------------------------------------


Clash = Callable[[list[Path], Path], None]


def swapped(pictures: list[Path], tmp_path: Path) -> None:
    swap(pictures[0], pictures[1])


def in_a_circle(pictures: list[Path], tmp_path: Path) -> None:
    swap(pictures[0], pictures[1])
    swap(pictures[1], pictures[2])


def overwritten(pictures: list[Path], tmp_path: Path) -> None:
    overwrite(pictures[0], tmp_path, 800)
    overwrite(pictures[1], tmp_path, 801)


def overwritten_by_another_of_them(pictures: list[Path], tmp_path: Path) -> None:
    os.replace(pictures[0], pictures[1])


def overwritten_by_a_copy(pictures: list[Path], tmp_path: Path) -> None:
    shutil.copyfile(pictures[0], pictures[1])
    shutil.copyfile(pictures[2], pictures[0])


def moved_away_and_replaced(pictures: list[Path], tmp_path: Path) -> None:
    pictures[0].rename(pictures[0].with_name("elsewhere.png"))
    [other] = write_pictures(tmp_path / "other", 1, first_seed=802)
    other.rename(pictures[0])


def named_like_a_mask_of_another(pictures: list[Path], tmp_path: Path) -> None:
    os.replace(pictures[0], pictures[1].with_name(f"{pictures[1].stem}-mask.png"))
    shutil.copyfile(pictures[2], pictures[0])


CLASHES: list[Clash] = [
    swapped, in_a_circle, overwritten, overwritten_by_another_of_them, overwritten_by_a_copy, moved_away_and_replaced,
    named_like_a_mask_of_another,
]  # fmt: skip


@pytest.mark.parametrize("clash", CLASHES)
def test_import_undo_restore_and_rebuild_are_sound_when_paths_clash(tmp_path: Path, clash: Clash) -> None:
    library, folder = tmp_path / "library", tmp_path / "outputs"
    pictures = write_pictures(folder, 5)
    with opened(library) as client:
        take_in(client, folder)
        rate_all(client)
        made = Path(client.post("/api/v1/backups")["path"])
        client.post("/api/v1/edits", {"query": "", "set": {"trash": True}})
        clash(pictures, tmp_path)
        take_in(client, folder)
        assert_sound(client)
        client.post("/api/v1/edits:undo")
        take_in(client, folder)
        assert_sound(client)
        before = settled_export(client, library)
    lose_database(library)
    with opened(library) as client:
        assert rebuilt(client)["unsound"] == []
        assert settled_export(client, library) == before
    backup_service.restore(library, made)
    with opened(library) as client:
        assert_sound(client)
        take_in(client, folder)
        assert_sound(client)
