"""A damaged database: its journal is kept, nothing is rebuilt at a loss, and each message says what helps."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.integration.test_rebuilding import opened, take_in, uuids
from tests.pictures import write_pictures
from typer.testing import CliRunner, Result

from mysticanvas.app import orchestrator
from mysticanvas.app.cli import app
from mysticanvas.db import event_log, page_sums, settings_store
from mysticanvas.db.database import Database
from mysticanvas.domain.errors import LibraryError, MystiCanvasError
from mysticanvas.features.journal import files as journal_files
from mysticanvas.features.journal import service as journal_service

IMAGES = 6
NOTE, ROTTEN = b"a good note", b"rotten note"


def run(library: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--library", str(library)])


def say(done: Result) -> str:
    """What a person reads: `main` prints the error."""
    return " ".join(f"{done.output} {done.exception or ''}".split())


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library with notes and ratings, which is not open."""
    folder = tmp_path / "outputs"
    write_pictures(folder, IMAGES)
    with opened(tmp_path / "library") as client:
        take_in(client, folder)
        images = uuids(client)
        client.post("/api/v1/edits", {"uuids": images, "set": {"rating": 4}})
        client.post("/api/v1/edits", {"uuids": images[:1], "set": {"notes": NOTE.decode()}})
    return tmp_path / "library"


def database_of(library: Path) -> Path:
    return library / "mysticanvas.db"


def journal_of(library: Path) -> Path:
    [path] = (library / "journal").glob("*.jsonl")
    return path


def damage_note(library: Path) -> None:
    """Changes the note of a row, as a disk does: without a word."""
    path = database_of(library)
    with closing(sqlite3.connect(path)) as connection:
        pages = {row[0] for row in connection.execute("SELECT pageno FROM dbstat WHERE name = 'generations'")}
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(path.read_bytes())
    places = [n for n in range(len(content)) if content.startswith(NOTE, n) and n // size + 1 in pages]
    assert places
    for place in places:
        content[place : place + len(NOTE)] = ROTTEN
    path.write_bytes(content)


def notes(library: Path) -> list[str]:
    with opened(library) as client:
        return [note for one in uuids(client) if (note := client.get(f"/api/v1/images/{one}")["notes"])]


# -- the journal is the good copy -----------------------------------------------------------------


def test_the_repair_leaves_the_journal_of_a_damaged_database_alone(library: Path) -> None:
    damage_note(library)
    before = journal_of(library).read_bytes()
    for options in ((), ("--fix",), ("--fix",)):
        done = run(library, "doctor", *options)
        assert done.exit_code == 1, done.output
        assert "rewrite the journal" not in say(done)
        assert "backup restore FILE" in say(done)
        assert "rebuild --set-aside" in say(done)
    assert journal_of(library).read_bytes() == before
    assert not list((library / "journal" / "set-aside").glob("replaced-*"))
    assert run(library, "library", "rebuild", "--set-aside").exit_code == 0
    assert notes(library) == [NOTE.decode()]


def test_damage_is_remembered_after_its_page_was_written_again(library: Path) -> None:
    damage_note(library)
    with opened(library) as client:
        client.post("/api/v1/edits", {"query": "", "set": {"rating": 2}})
    with opened(library) as client:
        trouble = client.get("/api/v1/status")["error"]
        assert "generations" in trouble
        assert "rebuild --set-aside" in trouble
    done = run(library, "doctor", "--fix")
    assert done.exit_code == 1
    assert "checksums" in say(done)
    assert NOTE in journal_of(library).read_bytes()


def test_a_row_that_is_written_to_the_journal_after_its_damage_can_be_had_as_it_was(library: Path) -> None:
    damage_note(library)
    with opened(library) as client:
        client.post("/api/v1/edits", {"query": "", "set": {"rating": 2}})
        sentence = client.get("/api/v1/status")["notice"]["message"]
    with opened(library) as client:
        client.post("/api/v1/edits", {"query": "", "set": {"rating": 3}})
    [copy] = (library / "journal" / "set-aside").glob("before-damage-*")
    assert f'mysticanvas library rebuild --set-aside --journal "{copy}"' in sentence
    assert run(library, "library", "rebuild", "--set-aside", "--journal", str(copy)).exit_code == 0
    assert notes(library) == [NOTE.decode()]


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_a_cut_off_journal_is_not_rewritten_from_a_damaged_database(
    library: Path, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large database is not compared at its opening."""
    if large:
        monkeypatch.setattr("mysticanvas.db.checkpoints.SMALL_BYTES", 0)
    damage_note(library)
    path = journal_of(library)
    os.truncate(path, path.stat().st_size - 20)
    before = path.read_bytes()
    with opened(library) as client:
        assert client.get("/api/v1/doctor")["ok"] is False
        assert "only good copy" in client.get("/api/v1/status")["error"]
    assert journal_of(library).read_bytes() == before


def test_a_journal_is_not_rewritten_through_a_damaged_index(library: Path) -> None:
    with closing(sqlite3.connect(database_of(library))) as connection:
        [page] = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_generations_1'"
        ).fetchone()
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(database_of(library).read_bytes())
    content[page * size - 3] ^= 0xFF
    database_of(library).write_bytes(content)
    path = journal_of(library)
    path.write_bytes(path.read_bytes()[:-20])
    before = path.read_bytes()
    with Database.open(library) as database, journal_service.JournalWriter(database):
        assert not journal_service.wait_until_written(database, wait_s=0.1) or path.read_bytes() == before
    assert path.read_bytes() == before
    # With the index rebuilt, the rows are good.
    run(library, "doctor", "--fix")
    done = run(library, "doctor")
    assert done.exit_code == 0, done.output
    assert path not in (library / "journal").glob("*.jsonl")


def test_a_damaged_database_is_not_the_source_of_a_compacted_journal(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage_note(library)
    monkeypatch.setattr(journal_files.JournalFile, "needs_compaction", True)
    before = journal_of(library)
    with opened(library) as client:
        client.post("/api/v1/edits", {"query": "", "set": {"rating": 1}})
    assert journal_of(library) == before
    assert NOTE in before.read_bytes()


def test_a_removed_journal_is_not_said_to_be_kept(library: Path) -> None:
    shutil.rmtree(library / "journal")
    with opened(library) as client:
        journal = client.get("/api/v1/doctor")
        assert journal["ok"] is not None
        sentence = client.get("/api/v1/status")["notice"]["message"]
    assert "set-aside" not in sentence
    assert "Nothing was left" in sentence
    assert journal_of(library).exists()


# -- it is said -----------------------------------------------------------------------------------


def test_damage_is_said_at_the_start_with_what_to_do(library: Path, caplog: pytest.LogCaptureFixture) -> None:
    damage_note(library)
    with opened(library) as client:
        trouble = client.get("/api/v1/status")["error"]
    for said in (trouble, caplog.text):
        assert "The database is damaged (pages that do not match their checksums: generations" in said
        assert "mysticanvas backup restore FILE" in said


def test_damage_of_a_large_database_is_said_by_the_check_that_finds_it(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mysticanvas.db.checkpoints.SMALL_BYTES", 0)
    damage_note(library)
    with opened(library) as client:
        assert client.get("/api/v1/status")["error"] is None
        client.get("/api/v1/doctor")
        assert "generations" in client.get("/api/v1/status")["error"]
    with opened(library) as client:
        assert "generations" in client.get("/api/v1/status")["error"]


def test_a_backup_of_a_damaged_database_says_so_and_keeps_the_mark(library: Path) -> None:
    """Its own checks pass: SQLite cannot see the damage."""
    with Database.open(library) as database:
        database.write(settings_store.put, "answer", "mellow")
    path = database_of(library)
    path.write_bytes(path.read_bytes().replace(b"mellow", b"yellow"))
    done = run(library, "backup", "create")
    assert "Warning: The database is damaged" in say(done)
    [made] = (library / "backups").glob("*.db")
    run(library, "backup", "restore", str(made))
    with opened(library) as client:
        assert "The database is damaged" in client.get("/api/v1/status")["error"]


def test_a_backup_that_fails_its_checks_blames_the_database(library: Path) -> None:
    with Database.open(library) as database:
        database.write_bulk(lambda tx: tx.run("INSERT INTO generations_fts (rowid, prompt) VALUES (777, 'a ghost')"))
    said = say(run(library, "backup", "create"))
    assert "The database is damaged, so no backup was made" in said
    assert "mysticanvas doctor" in said
    assert ".part" not in said


# -- the first bytes ------------------------------------------------------------------------------


def overwrite(library: Path, start: int, content: bytes) -> None:
    with database_of(library).open("r+b") as file:
        file.seek(start)
        file.write(content)


def test_backups_are_listed_when_the_first_bytes_of_the_database_are_damaged(library: Path) -> None:
    with opened(library) as client:
        made = client.post("/api/v1/backups")["path"]
    (library / "backups" / "mine.db").write_bytes(b"not a backup")
    overwrite(library, 0, b"garbage!" * 8)
    done = run(library, "backup", "list")
    assert (done.exit_code, made in done.output.replace("\n", "")) == (0, True), done.output
    assert run(library, "backup", "list", "--json").exit_code == 0
    assert "backup list" in say(run(library, "doctor"))
    assert run(library, "backup", "restore", made).exit_code == 0
    assert run(library, "doctor").exit_code == 0


@pytest.mark.parametrize("place", range(100))
def test_a_flip_in_the_header_of_the_database_is_a_sentence(library_copy: Path, place: int) -> None:
    content = bytearray(database_of(library_copy).read_bytes())
    content[place] ^= 0x01
    database_of(library_copy).write_bytes(content)
    try:
        with Database.open(library_copy) as database:
            database.write(lambda tx: tx.run("UPDATE generations SET rating = 1"))
    except MystiCanvasError as error:
        assert "backup restore FILE" in str(error), (place, str(error))
        assert "cannot write" not in str(error)


@pytest.fixture(scope="module")
def small_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "library"
    Database.open(folder).close()
    return folder


@pytest.fixture
def library_copy(small_library: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_library, tmp_path / "copy"))


def test_a_flip_of_the_file_format_is_no_traceback(library: Path) -> None:
    overwrite(library, 18, b"\3")
    done = subprocess.run(
        [sys.executable, "-m", "mysticanvas.app.cli", "doctor", "--library", str(library)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (4, False), done.stderr
    assert "first bytes" in done.stderr
    assert "backup restore FILE" in " ".join(done.stderr.split())


# -- a rebuild that would lose data ---------------------------------------------------------------


def removed(library: Path) -> None:
    shutil.rmtree(library / "journal")


def emptied(library: Path) -> None:
    journal_of(library).write_bytes(b"")


def cut_at_a_line(library: Path) -> None:
    path = journal_of(library)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))


def replaced_by_a_file(library: Path) -> None:
    shutil.rmtree(library / "journal")
    (library / "journal").write_bytes(b"")


Harm = Callable[[Path], None]
HARMS = (removed, emptied, cut_at_a_line, replaced_by_a_file)


@pytest.mark.parametrize("harm", HARMS)
def test_a_rebuild_that_would_lose_data_changes_nothing_and_says_what_is_missing(library: Path, harm: Harm) -> None:
    harm(library)
    done = run(library, "library", "rebuild", "--set-aside")
    assert done.exit_code != 0
    said = say(done)
    assert "nothing was changed" in said
    assert "no rebuild is needed" in said
    assert "--accept-loss" in said
    assert not list((library / "backups").glob("*.db"))
    if harm is replaced_by_a_file:
        (library / "journal").unlink()
    assert notes(library) == [NOTE.decode()]


@pytest.mark.parametrize("harm", HARMS)
def test_with_a_damaged_database_too_a_rebuild_names_what_is_left_to_do(library: Path, harm: Harm) -> None:
    damage_note(library)
    harm(library)
    said = say(run(library, "library", "rebuild", "--set-aside"))
    assert "nothing was changed" in said
    assert "backup restore FILE" in said
    assert "no rebuild is needed" not in said
    assert database_of(library).exists()


def test_with_an_unreadable_database_and_no_journal_a_rebuild_is_refused(library: Path) -> None:
    removed(library)
    database_of(library).write_bytes(b"torn" * 5_000)
    said = say(run(library, "library", "rebuild", "--set-aside"))
    assert "There is no journal" in said
    assert database_of(library).read_bytes() == b"torn" * 5_000


def test_who_accepts_the_loss_gets_what_is_left_and_the_way_back(library: Path) -> None:
    cut_at_a_line(library)
    done = run(library, "library", "rebuild", "--set-aside", "--accept-loss")
    assert "Restored" in done.output, say(done)
    [backup] = (library / "backups").glob("*.db")
    assert f'mysticanvas backup restore "{backup}"' in done.output
    assert run(library, "backup", "restore", str(backup)).exit_code == 0
    assert notes(library) == [NOTE.decode()]


def test_changes_that_only_the_database_has_are_not_left_behind(library: Path) -> None:
    with Database.open(library) as database:
        database.write(lambda tx: tx.run("UPDATE generations SET rating = 1"))
    said = say(run(library, "library", "rebuild", "--set-aside"))
    assert f"last changes of {IMAGES} items" in said
    run(library, "doctor")
    assert run(library, "library", "rebuild", "--set-aside").exit_code == 0


def test_a_rebuild_says_how_many_missing_images_the_journal_does_not_have(tmp_path: Path) -> None:
    library, folder = tmp_path / "library", tmp_path / "outputs"
    paths = write_pictures(folder, IMAGES)
    with opened(library) as client:
        take_in(client, folder)
        images = uuids(client)
        client.post("/api/v1/edits", {"uuids": images[:1], "set": {"rating": 4}})
        for path in paths:
            path.unlink()
        write_pictures(folder, 1, first_seed=50)
        take_in(client, folder)
        assert client.post("/api/v1/snapshots", {"q": "is:missing"})["total"] == IMAGES
    done = run(library, "library", "rebuild", "--set-aside")
    assert f"{IMAGES - 1} missing images without ratings" in say(done)


# -- an older backup ------------------------------------------------------------------------------


def test_restoring_an_older_backup_says_where_later_edits_are_and_they_can_be_added(library: Path) -> None:
    with opened(library) as client:
        made = client.post("/api/v1/backups")["path"]
        client.post("/api/v1/edits", {"query": "", "set": {"tags": {"add": ["keepme"]}}})
        client.post("/api/v1/edits", {"query": "", "set": {"favorite": True}})
    done = run(library, "backup", "restore", made)
    [journal] = (library / "journal" / "set-aside").glob("*.jsonl")
    assert f'mysticanvas library rebuild --journal "{journal}"' in done.output
    with opened(library) as client:
        assert client.post("/api/v1/snapshots", {"q": "tag:keepme"})["total"] == 0
    assert run(library, "library", "rebuild", "--journal", str(journal)).exit_code == 0
    with opened(library) as client:
        for query in ("tag:keepme", "is:favorite", "rating:4"):
            assert client.post("/api/v1/snapshots", {"q": query})["total"] == IMAGES, query


def test_the_gallery_says_it_too_when_it_restores_a_backup(library: Path) -> None:
    with opened(library) as client:
        made = client.post("/api/v1/backups")["path"]
        client.post("/api/v1/edits", {"query": "", "set": {"favorite": True}})
    events = orchestrator._restore(library, Path(made))
    assert [event["kind"] for event in events] == ["restore", "journal.kept"]
    with Database.open(library) as database:
        for event in events:
            database.write(event_log.append, subject=None, now_ms=1, **event)
        notice = database.read(event_log.find_notice, since_ms=0)
    assert notice is not None
    assert "mysticanvas library rebuild --journal" in notice.data["why"]


def test_a_library_is_rebuilt_from_another_journal_than_its_own(library: Path, tmp_path: Path) -> None:
    older = tmp_path / "older-000001.jsonl"
    shutil.copyfile(journal_of(library), older)
    with opened(library) as client:
        client.post("/api/v1/edits", {"query": "", "set": {"notes": "later"}})
    assert run(library, "library", "rebuild", "--set-aside", "--journal", str(older)).exit_code == 0
    assert notes(library) == [NOTE.decode()]
    said = say(run(library, "library", "rebuild", "--journal", str(database_of(library))))
    assert "no readable lines" in said


# -- files in place of folders --------------------------------------------------------------------


def test_a_file_in_place_of_the_backups_is_a_sentence(library: Path) -> None:
    (library / "backups").write_bytes(b"")
    said = say(run(library, "backup", "create"))
    assert "is a file, but MystiCanvas stores backups in a folder of this name" in said
    assert run(library, "backup", "list").exit_code == 0
    with pytest.raises(LibraryError, match="is a file"), Database.open(library) as database:
        database.back_up()


def test_the_log_of_a_damaged_database_is_kept_with_it(library: Path) -> None:
    """It may have the last changes."""
    shutil.copyfile(database_of(library), library / "mysticanvas.db-wal")
    database_of(library).write_bytes(b"torn" * 5_000)
    assert run(library, "library", "rebuild", "--set-aside").exit_code == 0
    [kept] = (library / "backups").glob("*-damaged.db")
    assert kept.with_name(f"{kept.name}-wal").stat().st_size > page_sums.CHUNK_BYTES
