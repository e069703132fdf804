"""One writer, many readers, and a library that is refused untouched (D2, D3, D7, D8, D10)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import apsw
import pytest

from mysticanvas.db import database_file, settings_store
from mysticanvas.db import writer as db_writer
from mysticanvas.db.database import ChangeSet, Database, ReadTx, WriteTx
from mysticanvas.domain.errors import (
    ForeignFileError,
    LibraryBusyError,
    LibraryError,
    MystiCanvasError,
    NewerLibraryError,
    TimeLimitError,
)


def test_a_change_is_there_for_readers_when_write_returns(database: Database) -> None:
    database.write(settings_store.put, "answer", 42)
    assert database.read(settings_store.get, "answer", None) == 42


def test_one_failing_change_leaves_nothing_and_sinks_no_other(database: Database) -> None:
    def half(tx: WriteTx) -> None:
        settings_store.put(tx, "half", 1)
        raise ValueError("no")

    database.write_later(settings_store.put, "before", 1)
    with pytest.raises(ValueError, match="no"):
        database.write_bulk(half)
    database.write_bulk(settings_store.put, "after", 1)
    kept = database.read(
        lambda tx: tx.column("SELECT name FROM settings WHERE name IN ('before', 'half', 'after') ORDER BY name")
    )
    assert kept == ["after", "before"]


def test_listeners_hear_of_a_change_only_after_its_commit(database: Database) -> None:
    seen: list[object] = []

    def listen(changes: ChangeSet) -> None:
        seen.append((changes.events, database.read(settings_store.get, "told", None)))

    def change(tx: WriteTx) -> None:
        settings_store.put(tx, "told", "yes")
        tx.changes.events = True

    database.after_commit(listen)
    database.write(change)
    assert seen == [(True, "yes")]


def test_a_read_that_takes_too_long_is_broken_off(database: Database) -> None:
    def endless(tx: ReadTx) -> object:
        return tx.value("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")

    with pytest.raises(TimeLimitError):
        database.read_within(50, endless)


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(LibraryError, match="SQLITE_READONLY"):
        database.read(lambda tx: tx.value("DELETE FROM settings RETURNING name"))


def test_a_held_library_is_refused_and_free_again_after_closing(tmp_path: Path) -> None:
    with Database.open(tmp_path), pytest.raises(LibraryBusyError, match="process"):
        Database.open(tmp_path)
    Database.open(tmp_path).close()


@pytest.mark.parametrize(
    ("setting", "error"),
    [("application_id = 12345", ForeignFileError), ("user_version = 999", NewerLibraryError)],
)
def test_a_foreign_or_newer_file_is_refused_untouched(
    tmp_path: Path, setting: str, error: type[MystiCanvasError]
) -> None:
    Database.open(tmp_path).close()
    path = tmp_path / "mysticanvas.db"
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    connection.execute(f"PRAGMA {setting}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(error):
        Database.open(tmp_path)
    assert path.read_bytes() == before


def test_what_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "mysticanvas.db"
    path.write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(ForeignFileError):
        Database.open(tmp_path)
    assert path.read_bytes().startswith(b"this is a letter")


def test_every_table_is_strict_and_every_foreign_key_is_indexed(database: Database) -> None:
    def unindexed(tx: ReadTx) -> list[str]:
        tables = tx.all("SELECT name, strict FROM pragma_table_list WHERE type = 'table' AND schema = 'main'")
        ours = [t for t in tables if not t["name"].startswith(("sqlite_", "generations_fts"))]
        assert [t["name"] for t in ours if not t["strict"]] == []
        missing = []
        for table in ours:
            for key in tx.all('SELECT "from" AS column FROM pragma_foreign_key_list(:name)', name=table["name"]):
                first = tx.column(
                    """
                    SELECT i.name FROM pragma_index_list(:name) AS l, pragma_index_info(l.name) AS i WHERE i.seqno = 0
                    """,
                    name=table["name"],
                )
                primary = tx.column("SELECT name FROM pragma_table_info(:name) WHERE pk = 1", name=table["name"])
                if key["column"] not in first + primary:
                    missing.append(f"{table['name']}.{key['column']}")
        return missing

    assert database.read(unindexed) == []


def test_a_backup_can_be_opened_as_a_library(database: Database, tmp_path: Path) -> None:
    database.write(settings_store.put, "answer", 42)
    made = database.back_up()
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "mysticanvas.db").write_bytes(Path(made.path).read_bytes())
    with Database.open(copy) as opened:
        assert opened.read(settings_store.get, "answer", None) == 42


def test_a_closed_library_is_one_file(tmp_path: Path) -> None:
    with Database.open(tmp_path) as database:
        database.write(settings_store.put, "answer", 42)
        database.read(settings_store.get, "answer", None)
    assert [path.name for path in tmp_path.glob("mysticanvas.db*")] == ["mysticanvas.db"]


def with_hot_journal(path: Path, pages: int) -> None:
    """A database whose process died in a transaction, its rollback journal beside it."""
    made = path.with_suffix(".made")
    connection = apsw.Connection(str(made))
    if pages > 1:
        connection.execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (zeroblob(20000))").fetchall()
    connection.execute("PRAGMA cache_size = 1; BEGIN; CREATE TABLE more (x)").fetchall()
    connection.execute("INSERT INTO more VALUES (zeroblob(50000))")
    content = made.read_bytes()
    path.write_bytes(content if pages > 1 else content[:4096])
    path.with_name(path.name + "-journal").write_bytes(made.with_name(made.name + "-journal").read_bytes())
    connection.close()


def test_a_library_whose_making_was_cut_short_is_made_anew_and_a_foreign_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    with_hot_journal(tmp_path / "theirs" / "mysticanvas.db", pages=6)
    with pytest.raises(ForeignFileError):
        Database.open(tmp_path / "theirs")
    (tmp_path / "ours").mkdir()
    with_hot_journal(tmp_path / "ours" / "mysticanvas.db", pages=1)
    with Database.open(tmp_path / "ours") as database:
        database.write(settings_store.put, "answer", 42)


class LosesTheAnswer(apsw.Connection):
    """A disk that reports a fault of COMMIT: before it happened, or when it had."""

    faults: ClassVar[list[str]] = []

    def execute(self, sql: str, *args: Any, **kwargs: Any) -> apsw.Cursor:
        fault = self.faults.pop(0) if sql == "COMMIT" and self.faults else None
        if fault != "before":
            cursor = super().execute(sql, *args, **kwargs)
        if fault is not None:
            raise apsw.IOError("disk I/O error")
        return cursor


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr("mysticanvas.db.connections.apsw.Connection", LosesTheAnswer)
    LosesTheAnswer.faults.clear()
    with Database.open(tmp_path / "library") as database:
        yield database


def test_a_commit_that_failed_only_in_words_is_acknowledged_once(faulty: Database) -> None:
    heard: list[ChangeSet] = []
    faulty.after_commit(heard.append)

    def change(tx: WriteTx) -> None:
        settings_store.put(tx, "answer", 42)
        tx.changes.events = True

    LosesTheAnswer.faults.append("after")
    faulty.write(change)
    assert faulty.read(settings_store.get, "answer", None) == 42
    assert len(heard) == 1
    assert faulty.error is None


def test_a_commit_that_failed_is_refused_and_the_next_one_holds(faulty: Database) -> None:
    LosesTheAnswer.faults.append("before")
    with pytest.raises(LibraryError, match="could not be written"):
        faulty.write(settings_store.put, "answer", 1)
    assert faulty.read(settings_store.get, "answer", None) is None
    assert "could not be written" in str(faulty.error)
    faulty.write(settings_store.put, "answer", 2)
    assert faulty.read(settings_store.get, "answer", None) == 2
    assert faulty.error is None


def test_a_full_disk_refuses_with_a_sentence_and_work_goes_on_when_there_is_room(database: Database) -> None:
    def limit(tx: WriteTx, pages: int) -> None:
        tx.run(f"PRAGMA max_page_count = {pages}")

    pages = database.read(lambda tx: tx.value("PRAGMA page_count"))
    database.write_bulk(limit, pages + 2)
    with pytest.raises(LibraryError, match="disk is full"):
        database.write(settings_store.put, "large", "x" * 1_000_000)
    assert "disk is full" in str(database.error)
    database.write_bulk(limit, 1_000_000)
    database.write(settings_store.put, "large", "x" * 1_000_000)
    assert database.error is None


def test_a_log_that_grows_beyond_reason_names_the_reader_that_holds_it(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_file, "LARGE_WAL_BYTES", 10_000)
    monkeypatch.setattr(db_writer, "CHECK_FILE_EVERY_S", 0)

    def a_long_read(tx: ReadTx) -> None:
        tx.value("SELECT count(*) FROM settings")
        for number in range(3):
            database.write_bulk(settings_store.put, f"large {number}", "x" * 20_000)

    database.read(a_long_read)
    [said] = [record for record in caplog.records if "log is large" in record.message]
    assert "a_long_read" in said.oldest_reader  # type: ignore[attr-defined]
