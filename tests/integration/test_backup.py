"""Backups are sound before they count, thinned as they age, and bring a library back (I1)."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticanvas.db import backup as db_backup
from mysticanvas.db import checks as doctor_checks
from mysticanvas.db import event_log, settings_store
from mysticanvas.db.database import Database, restore
from mysticanvas.domain.errors import (
    DamagedLibraryError,
    ForeignFileError,
    LibraryBusyError,
    LibraryError,
    NotFoundError,
)
from mysticanvas.features.backups.service import BackupRunner, HourlyBackups, RestoreTest


def test_a_restored_library_is_as_it_was_and_what_it_was_until_now_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    with Database.open(folder) as database:
        database.write(settings_store.put, "answer", "then")
        made = database.back_up()
        database.write(settings_store.put, "answer", "now")
    kept = restore(folder, Path(made.path))
    with Database.open(folder) as database:
        assert database.read(settings_store.get, "answer", None) == "then"
        assert all(check.ok for check in doctor_checks.run_all(database))
    assert kept is not None
    restore(folder, Path(kept.path))
    with Database.open(folder) as database:
        assert database.read(settings_store.get, "answer", None) == "now"


def test_a_library_whose_database_is_gone_or_torn_is_restored_too(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    with Database.open(folder) as database:
        database.write(settings_store.put, "answer", 42)
        made = Path(database.back_up().path)
    (folder / "mysticanvas.db").write_bytes(b"torn" * 5_000)
    kept = restore(folder, made)
    assert kept is not None
    assert Path(kept.path).read_bytes() == b"torn" * 5_000
    (folder / "mysticanvas.db").unlink()
    assert restore(folder, made) is None
    with Database.open(folder) as database:
        assert database.read(settings_store.get, "answer", None) == 42


def test_an_open_library_a_foreign_file_and_a_damaged_copy_are_refused_untouched(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    with Database.open(folder) as database:
        database.write(settings_store.put, "answer", 42)
        made = Path(database.back_up().path)
        with pytest.raises(LibraryBusyError):
            restore(folder, made)
    before = (folder / "mysticanvas.db").read_bytes()
    foreign = tmp_path / "foreign.db"
    apsw.Connection(str(foreign)).execute("CREATE TABLE theirs (id)")
    with pytest.raises(ForeignFileError):
        restore(folder, foreign)
    content = bytearray(made.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 9_000] = b"\xff" * 9_000
    torn = tmp_path / "torn.db"
    torn.write_bytes(content)
    with pytest.raises(DamagedLibraryError):
        restore(folder, torn)
    assert (folder / "mysticanvas.db").read_bytes() == before


def test_a_missing_word_in_the_index_fails_the_copy(database: Database) -> None:
    database.write_bulk(lambda tx: tx.run("INSERT INTO generations_fts (rowid, prompt) VALUES (7, 'a ghost')"))
    with pytest.raises(DamagedLibraryError):
        database.back_up()
    assert db_backup.list_backups(database.backups) == []


def test_no_backup_is_begun_where_there_is_no_room(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_backup, "SPARE_BYTES", 1 << 60)
    with pytest.raises(LibraryError, match="not enough free space"):
        database.back_up()


class Hours:
    """Stands in the place of the event that `HourlyBackups` waits for: an hour is over when the test says so."""

    def __init__(self) -> None:
        self._begun, self._over = threading.Semaphore(0), threading.Semaphore(0)
        self._closing = False

    def wait(self, hour_s: float) -> bool:
        assert hour_s == 3_600
        self._begun.release()
        self._over.acquire()
        return self._closing

    def set(self) -> None:
        self._closing = True
        self._over.release()

    def pass_by(self, count: int) -> None:
        """Returns when what is to be done after each of them has been done."""
        for _ in range(count):
            assert self._begun.acquire(timeout=120)
            self._over.release()
        assert self._begun.acquire(timeout=120)
        self._begun.release()


def test_an_hour_without_a_change_makes_no_backup(database: Database) -> None:
    hours = Hours()
    backups = HourlyBackups(database, BackupRunner(database))
    backups._closing = hours  # type: ignore[assignment]
    with backups:
        hours.pass_by(3)
        assert db_backup.list_backups(database.backups) == []
        database.write(settings_store.put, "answer", 42)
        hours.pass_by(3)
    assert [one.why for one in db_backup.list_backups(database.backups)] == [db_backup.HOURLY]


def test_damage_is_an_event_and_keeps_the_older_backups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "library"
    with Database.open(folder) as database:
        database.write(settings_store.put, "answer", "mellow")
    path = folder / "mysticanvas.db"
    path.write_bytes(path.read_bytes().replace(b"mellow", b"yellow"))
    pruned: list[Path] = []
    monkeypatch.setattr(db_backup, "prune_hourly", pruned.append)
    with Database.open(folder) as database:
        hours = Hours()
        backups = HourlyBackups(database, BackupRunner(database))
        backups._closing = hours  # type: ignore[assignment]
        with backups:
            database.write(settings_store.put, "other", 1)
            hours.pass_by(2)
        told = [one for one in database.read(event_log.list_newest, before=None, limit=9) if one.level == "error"]
    # At the opening, before the page was written again, and by the backups.
    assert ([one.kind for one in told], pruned) == (["library.damaged", "library.damaged"], [])
    assert all("settings" in one.data["why"] for one in told)


NOON = datetime(2026, 8, 22, 12, tzinfo=UTC)


def test_a_year_of_hourly_backups_thins_to_some_tens() -> None:
    moments = [NOON - timedelta(hours=hours) for hours in range(24 * 365)]
    kept = [moment for moment, wanted in zip(moments, db_backup.select_kept(moments), strict=True) if wanted]
    assert 24 + 5 + 2 + 10 <= len(kept) <= 24 + 7 + 4 + 12
    assert kept[:24] == moments[:24]
    assert kept[-1] < NOON - timedelta(days=320)


@given(st.lists(st.integers(0, 24 * 800), unique=True, max_size=200))
def test_thinning_again_removes_nothing_more(hours: list[int]) -> None:
    moments = [NOON - timedelta(hours=one) for one in sorted(hours)]
    kept = [moment for moment, wanted in zip(moments, db_backup.select_kept(moments), strict=True) if wanted]
    assert all(db_backup.select_kept(kept))
    assert kept[:1] == moments[:1]


def test_a_backup_is_tried_out_apart_from_the_library(tmp_path: Path) -> None:
    with Database.open(tmp_path / "library") as database:
        backup_runner = BackupRunner(database)
        with pytest.raises(NotFoundError):
            backup_runner.drill()
        assert not backup_runner.is_drill_due()
        made = backup_runner.back_up()
        assert backup_runner.is_drill_due()
        before = database.path.stat().st_ino
        assert backup_runner.drill() == RestoreTest(Path(made.path).name, 0, None)
        assert not backup_runner.is_drill_due()
        assert database.path.stat().st_ino == before
        assert [path.name for path in database.backups.iterdir()] == [Path(made.path).name]
        Path(made.path).write_bytes(b"torn" * 5_000)
        assert backup_runner.drill().error
        told = [(one.kind, one.level) for one in database.read(event_log.list_newest, before=None, limit=9)]
        assert told == [("backup.drill", "error"), ("backup.drill", "info"), ("backup", "info")]
