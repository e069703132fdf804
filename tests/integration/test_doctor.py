"""`doctor` sees damage that a look at the pages alone does not, and repairs what follows from sound rows."""

import errno
import os
from pathlib import Path

import apsw
import pytest
from tests.rows import add_images

from mysticanvas.app import cli
from mysticanvas.app.in_process import open_in_process
from mysticanvas.cli.options import load_settings
from mysticanvas.db import backup as db_backup
from mysticanvas.db import checkpoints as db_checkpoints
from mysticanvas.db import checks as doctor_checks
from mysticanvas.db import database as db_database
from mysticanvas.db import event_log, page_copy, settings_store
from mysticanvas.db.database import Database
from mysticanvas.domain.errors import LibraryError
from mysticanvas.features.doctor import repair as doctor_repair
from mysticanvas.fs import archives
from mysticanvas.fs.thumbnail_cache import ThumbCache


def failed(database: Database) -> list[str]:
    return [check.name for check in doctor_checks.run_all(database) if not check.ok]


def overwrite(folder: Path, before: bytes, after: bytes, *, at: int) -> None:
    """Replaces the occurrence number `at` (from the end when negative) of some bytes in the file of the database."""
    assert len(before) == len(after)
    path = folder / db_database.FILE_NAME
    content = bytearray(path.read_bytes())
    places = [n for n in range(len(content)) if content.startswith(before, n)]
    content[places[at] : places[at] + len(before)] = after
    path.write_bytes(content)


def make_library(folder: Path, *, images: int = 30) -> None:
    with Database.open(folder) as database:
        add_images(database, images, prompt=lambda number: f"a red fox {number}")


def row_of_index(folder: Path, index: str, value: bytes) -> int:
    """Which occurrence of `value` in the file lies in the pages of the index."""
    with apsw.Connection(str(folder / db_database.FILE_NAME)) as connection:
        pages = {row[0] for row in connection.execute("SELECT pageno FROM dbstat WHERE name = ?", (index,))}
        size = connection.pragma("page_size")
    content = (folder / db_database.FILE_NAME).read_bytes()
    places = [n for n in range(len(content)) if content.startswith(value, n)]
    return next(number for number, place in enumerate(places) if place // size + 1 in pages)


def test_a_wrong_index_is_found_and_rebuilt(tmp_path: Path) -> None:
    make_library(tmp_path / "library")
    uuid = b"00000000-0000-4000-8000-000000000005"
    at = row_of_index(tmp_path / "library", "sqlite_autoindex_generations_1", uuid)
    overwrite(tmp_path / "library", uuid, uuid[:-1] + b"Z", at=at)
    with Database.open(tmp_path / "library") as database:
        assert "indexes" in failed(database)
        cache = ThumbCache(tmp_path / "thumbs", (256, 512))
        assert "indexes" in [one.what for one in doctor_repair.run_repairs(database, cache, now_ms=1)]
        assert failed(database) == []


def test_a_text_that_is_not_utf_8_is_found(tmp_path: Path) -> None:
    with Database.open(tmp_path / "library") as database:
        database.write(event_log.append, level="info", kind="k", subject="qqqq", data={}, now_ms=0)
    overwrite(tmp_path / "library", b"qqqq", b"qq\xffq", at=0)
    with Database.open(tmp_path / "library") as database:
        [check] = [one for one in doctor_checks.run_all(database) if one.name == "texts"]
        assert (check.ok, check.detail) == (False, "events.subject: not valid UTF-8")


def test_the_checks_neither_wait_for_the_writer_nor_hold_it_up(database: Database) -> None:
    add_images(database, 5)
    before = database.changes
    assert failed(database) == []
    assert database.changes == before
    assert database.write(lambda _: failed(database)) == []


def test_without_room_for_a_copy_the_library_is_checked_where_it_is(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_copy, "SPARE_BYTES", 1 << 60)
    add_images(database, 5)
    assert failed(database) == []
    database.write(lambda tx: tx.run("DELETE FROM live_generations"))
    assert failed(database) == ["gallery index"]


LEFT = ("backups/20260101T000000-000000-hourly.part", "backups/20260101T000000-000000-hourly.part-journal",
        "backups/drill-abc/mysticanvas.db", "checking-abc/copy.db", "scratch/foreign-abc/copy.db",
        "mysticanvas.db.restored")  # fmt: skip


def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    make_library(tmp_path, images=1)
    kept = tmp_path / "backups" / "20260101T000000-000000-hourly.db"
    for path in [*map(tmp_path.joinpath, LEFT), kept]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    Database.open(tmp_path).close()
    assert [name for name in LEFT if (tmp_path / name).parts[-1] and (tmp_path / name).exists()] == []
    assert not (tmp_path / "checking-abc").exists()
    assert kept.exists()


def test_damage_in_a_page_that_is_written_before_the_checks_is_reported(tmp_path: Path) -> None:
    with Database.open(tmp_path) as database:
        database.write(settings_store.put, "answer", "mellow")
    overwrite(tmp_path, b"mellow", b"yellow", at=0)
    with Database.open(tmp_path) as database:
        database.write(settings_store.put, "other", 1)
        assert failed(database) == ["checksums"]


def test_a_large_database_gets_its_checksums_by_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_checkpoints, "SMALL_BYTES", 0)
    make_library(tmp_path)
    with Database.open(tmp_path) as database:
        assert failed(database) == []
    overwrite(tmp_path, b"a red fox 7", b"a red fix 7", at=0)
    with Database.open(tmp_path) as database:
        assert "checksums" in failed(database)


def test_an_export_removes_what_a_killed_one_left_in_its_folder(tmp_path: Path) -> None:
    old, running, theirs = (tmp_path / name for name in (".mysticanvas-old", ".mysticanvas-now", "theirs"))
    for folder in (old, running, theirs):
        folder.mkdir()
        (folder / "whole.part").write_bytes(b"half")
    for folder in (old, theirs):
        os.utime(folder / "whole.part", (1, 1))
    archives.write(tmp_path / "a.zip", {"a.txt": b"text"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mysticanvas-now", "a.zip", "theirs"]
    assert (theirs / "whole.part").exists()


def test_an_unfinished_thumbnail_is_removed_by_the_repair(database: Database, tmp_path: Path) -> None:
    cache = ThumbCache(tmp_path / "thumbs", (256, 512))
    add_images(database, 1, first=3)
    ours = cache.path((3).to_bytes(32, "big").hex(), 256)
    part = ours.with_name(f"{ours.name}-abc.part")
    part.parent.mkdir(parents=True)
    for path in (ours, part):
        path.write_bytes(b"webp")
        os.utime(path, (1, 1))
    assert [one.what for one in doctor_repair.run_repairs(database, cache, now_ms=1)] == ["orphaned thumbnails"]
    assert (ours.exists(), part.exists()) == (True, False)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/library/x"), "The disk is full. /library/x could not be"),
        (apsw.IOError("disk I/O error"), "The disk reported an error"),
        (apsw.CorruptError("database disk image is malformed"), "backup restore FILE"),
    ],
)
def test_an_error_of_the_disk_in_a_route_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def fail(_: Path) -> None:
        raise error

    with open_in_process(load_settings(tmp_path)) as client:
        monkeypatch.setattr(db_backup, "list_backups", fail)
        with pytest.raises(LibraryError, match=sentence) as raised:
            client.get("/api/v1/backups")
    assert "disk I/O error" not in str(raised.value)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), apsw.FullError("database or disk is full")])
def test_an_error_of_the_disk_in_a_command_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = " ".join(capsys.readouterr().err.split())
    assert (ended.value.code, "The disk is full" in said) == (3, True), said
