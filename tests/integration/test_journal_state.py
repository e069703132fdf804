"""The journal on the disk is the one that was written: a removed, damaged or replaced one is written again."""

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests import edits as test_edits
from tests.integration.test_rebuilding import lose_database, opened, rebuilt, settled_export, take_in, uuids
from tests.pictures import write_pictures
from tests.rows import add_images, name_of

from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.features.journal import checking
from mysticanvas.features.journal import files as journal_files
from mysticanvas.features.journal import queries as journal_queries
from mysticanvas.features.journal import service as journal_service
from mysticanvas.features.journal.files import JournalDamageError, JournalFile, JournalState
from mysticanvas.features.journal.service import JournalWriter

IMAGES = 12
WAIT_S = 30.0


def current(folder: Path) -> Path:
    return max((folder / "journal").glob("*.jsonl"))


# -- what happens to a journal --------------------------------------------------------------------


def nothing(folder: Path, older: Path) -> None:
    """The journal is as it was left."""


def removed(folder: Path, older: Path) -> None:
    current(folder).unlink()


def folder_removed(folder: Path, older: Path) -> None:
    shutil.rmtree(folder / "journal")


def emptied(folder: Path, older: Path) -> None:
    current(folder).write_bytes(b"")


def truncated(folder: Path, older: Path) -> None:
    path = current(folder)
    os.truncate(path, path.stat().st_size - 40)


def line_damaged(folder: Path, older: Path) -> None:
    path = current(folder)
    content = bytearray(path.read_bytes())
    content[content.index(b'"rating":') + 9] ^= 1
    path.write_bytes(content)


def line_left_out(folder: Path, older: Path) -> None:
    """Every line left is intact."""
    path = current(folder)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2] + lines[-1:]))


def replaced_by_an_older_one(folder: Path, older: Path) -> None:
    shutil.copy2(older, current(folder))


def replaced_by_a_newer_one(folder: Path, older: Path) -> None:
    """As seen by an older database that was put back."""
    line = b'{"kind":"image","key":99,"uuid":"u","rating":1}'
    with current(folder).open("ab") as file:
        file.write(b"%08x %s\n" % (journal_files.zlib.crc32(line), line))


def joined_by_another(folder: Path, older: Path) -> None:
    path = current(folder)
    shutil.copy2(older, path.with_name(path.name.replace("-000001", "-000007")))


DAMAGE = [
    removed, folder_removed, emptied, truncated, line_damaged, line_left_out, replaced_by_an_older_one,
    replaced_by_a_newer_one, joined_by_another,
]  # fmt: skip
Harm = Callable[[Path, Path], None]


def rate(database: Database, rating: int, numbers: list[int]) -> None:
    images = database.read(lambda tx: tx.column("SELECT id FROM generations ORDER BY id"))
    database.write(test_edits.do, "rating", {"value": rating}, [images[number] for number in numbers], now_ms=1)


def ratings(folder: Path) -> dict[str, int]:
    """Nothing while there is no journal, or while its damaged file is still beside the new one."""
    journals = list(journal_files.find_journals(folder / "journal").values())
    if not journals:
        return {}
    [paths] = journals
    journal = journal_files.read_journal(paths)
    if journal.damaged:
        return {}
    return {one["uuid"]: one.get("rating", 0) for one in journal.entries("image")}


def notices(database: Database) -> list[str]:
    wanted = event_log.EntryFilter(kinds=[journal_service.REPLACED])
    return [one.data["why"] for one in database.read(event_log.list_newest, before=None, wanted=wanted, limit=9)]


def wait_for(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.02)


@contextmanager
def writing(database: Database) -> Iterator[JournalWriter]:
    with JournalWriter(database) as writer:
        assert journal_service.wait_until_written(database, wait_s=WAIT_S)
        yield writer


@contextmanager
def lived_in(folder: Path) -> Iterator[tuple[Database, Path]]:
    """A library with ratings, and its journal as it was before the last of them."""
    with Database.open(folder) as database:
        add_images(database, IMAGES)
        with writing(database):
            rate(database, 2, list(range(IMAGES)))
            assert journal_service.wait_until_written(database, wait_s=WAIT_S)
        older = folder / "older.jsonl"
        shutil.copy2(current(folder), older)
        with writing(database):
            rate(database, 5, [1, 3])
        yield database, older


RATED = {name_of(number): 5 if number in (1, 3) else 2 for number in range(IMAGES)}


@pytest.mark.parametrize("harm", DAMAGE)
def test_a_journal_that_was_harmed_while_nothing_ran_is_written_again_and_this_is_said(
    tmp_path: Path, harm: Harm, caplog: pytest.LogCaptureFixture
) -> None:
    with lived_in(tmp_path) as (database, older):
        harm(tmp_path, older)
        left = [path.read_bytes() for path in (tmp_path / "journal").glob("*.jsonl")]
        assert not checking.check_journal(database).ok
        with caplog.at_level(logging.WARNING), writing(database):
            pass
        [notice] = notices(database)
        assert notice in caplog.messages
        assert ratings(tmp_path) == RATED
        kept = [path.read_bytes() for path in (tmp_path / "journal" / "set-aside").glob("replaced-*.jsonl")]
        assert sorted(kept) == sorted(left)
        assert checking.check_journal(database).ok
        with writing(database):
            pass
        assert len(notices(database)) == 1


@pytest.mark.parametrize("harm", DAMAGE)
def test_a_journal_that_was_harmed_while_the_program_ran_is_written_again_without_an_edit(
    tmp_path: Path, harm: Harm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_service, "LOOK_EVERY_S", 0.05)
    with lived_in(tmp_path) as (database, older), writing(database):
        harm(tmp_path, older)
        if harm is joined_by_another:
            # The files beside the current one are looked at by the whole check.
            assert not checking.check_journal(database).ok
        wait_for(lambda: notices(database))
        wait_for(lambda: checking.check_journal(database).ok)
        # The damaged file is moved last.
        wait_for(lambda: ratings(tmp_path) == RATED)
        rate(database, 4, [0])
        assert journal_service.wait_until_written(database, wait_s=WAIT_S)
        assert ratings(tmp_path) == RATED | {name_of(0): 4}
        assert len(notices(database)) == 1


def test_a_journal_harmed_just_before_the_end_is_written_again_at_the_end(tmp_path: Path) -> None:
    with lived_in(tmp_path) as (database, older):
        with writing(database):
            removed(tmp_path, older)
        assert ratings(tmp_path) == RATED
        assert len(notices(database)) == 1


def test_damage_that_keeps_size_and_date_is_found_by_doctor_which_has_it_written_again(tmp_path: Path) -> None:
    with lived_in(tmp_path) as (database, older), writing(database):
        path = current(tmp_path)
        stat = path.stat()
        line_damaged(tmp_path, older)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        check = checking.check_journal(database)
        assert not check.ok
        assert "damaged" in check.detail
        wait_for(lambda: notices(database))
        wait_for(lambda: checking.check_journal(database).ok)
        assert ratings(tmp_path) == RATED


def test_a_journal_that_is_as_it_was_left_is_not_said_to_be_harmed(tmp_path: Path) -> None:
    with lived_in(tmp_path) as (database, _):
        before = current(tmp_path).read_bytes()
        # A program that makes a copy of the folder changes dates at most.
        os.utime(current(tmp_path), (1, 1))
        with writing(database):
            assert checking.check_journal(database).ok
        assert current(tmp_path).read_bytes() == before
        assert notices(database) == []


def test_doctor_finds_an_item_that_the_journal_lacks_and_its_repair_adds_it(tmp_path: Path) -> None:
    with lived_in(tmp_path) as (database, _), writing(database):
        # As if a trigger were missing.
        database.write(lambda tx: [rate_in(tx), tx.run("DELETE FROM journal_due")])
        check = checking.check_journal(database)
        assert not check.ok
        assert "differs from the library in 1 item, " in check.detail
        database.write(checking.REPAIR.repair, 1)
        assert journal_service.wait_until_written(database, wait_s=WAIT_S)
        assert checking.check_journal(database).ok
        assert ratings(tmp_path) == RATED | {name_of(0): 1}


def rate_in(tx: journal_queries.WriteTx) -> None:
    tx.run("UPDATE generations SET rating = 1 WHERE uuid = :uuid", uuid=name_of(0))


def test_a_library_of_an_older_version_gets_a_complete_journal(tmp_path: Path) -> None:
    with lived_in(tmp_path) as (database, _):
        database.write(journal_queries.forget_state)
        truncated(tmp_path, tmp_path)
        with writing(database):
            assert checking.check_journal(database).ok
        assert ratings(tmp_path) == RATED


def test_what_a_rebuild_needs_to_know_of_an_image_follows_its_file(tmp_path: Path) -> None:
    """Edited in place, moved, and in a folder that moved; a parent and a cover that got another uuid."""
    changes = (
        "UPDATE generation_files SET fingerprint = randomblob(32), blake3 = NULL WHERE generation_id = :image",
        "UPDATE generation_files SET path_bytes = x'61', path = 'a' WHERE generation_id = :image",
        "UPDATE roots SET path = '/elsewhere'",
        "UPDATE generations SET uuid = '00000000-0000-4000-8000-0000000000ff' WHERE id = :image",
    )
    with lived_in(tmp_path) as (database, _), writing(database):
        [image] = database.read(lambda tx: tx.column("SELECT min(id) FROM generations"))
        database.write(lambda tx: tx.run("UPDATE generations SET parent_id = :image, parent_by = 'user' "
                                         "WHERE id = (SELECT max(id) FROM generations)", image=image))  # fmt: skip
        for sql in changes:
            given = {"image": image} if ":image" in sql else {}
            database.write(lambda tx, sql=sql, given=given: tx.run(sql, **given))
            assert journal_service.wait_until_written(database, wait_s=WAIT_S)
            assert checking.check_journal(database).ok, sql


# -- the file -------------------------------------------------------------------------------------


def test_a_line_that_was_cut_off_is_removed_and_the_lines_before_it_are_kept(tmp_path: Path) -> None:
    state = journal_files.write_replacement(tmp_path, "a", [], after=None)
    file = JournalFile.open(tmp_path, state, lambda kind, key: False)
    state = file.append([{"kind": "tag", "key": 1, "name": "one"}])
    # The database does not know these two.
    file.append([{"kind": "tag", "key": 2, "name": "two"}])
    with current_of(tmp_path).open("ab") as opened_file:
        opened_file.write(b'0badcafe {"kind":"tag","ke')
    again = JournalFile.open(tmp_path, state, lambda kind, key: key == 2)
    again.append([{"kind": "tag", "key": 3, "name": "three"}])
    journal = journal_files.read_journal([current_of(tmp_path)])
    assert [one["name"] for one in journal.entries()] == ["one", "two", "three"]
    assert journal.damaged == []
    JournalFile.open(tmp_path, again.state, lambda kind, key: False)


def test_lines_of_items_that_are_not_due_are_not_believed(tmp_path: Path) -> None:
    state = journal_files.write_replacement(tmp_path, "a", [], after=None)
    file = JournalFile.open(tmp_path, state, lambda kind, key: False)
    file.append([{"kind": "tag", "key": 2, "name": "two"}])
    with pytest.raises(JournalDamageError, match="not in the library"):
        JournalFile.open(tmp_path, state, lambda kind, key: False)


def test_a_replacement_that_the_database_does_not_know_changes_nothing(tmp_path: Path) -> None:
    one = {"kind": "tag", "key": 1, "name": "one"}
    state = journal_files.write_replacement(tmp_path, "a", [one], after=None)
    JournalFile.open(tmp_path, state, lambda kind, key: False)
    later = journal_files.write_replacement(tmp_path, "a", [], after=state.file)
    assert isinstance(later, JournalState)
    JournalFile.open(tmp_path, state, lambda kind, key: False)
    assert [path.name for path in tmp_path.iterdir()] == [state.file]
    assert list(journal_files.read_journal([current_of(tmp_path)]).entries()) == [one]


def current_of(folder: Path) -> Path:
    [path] = folder.glob("*.jsonl")
    return path


# -- with pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize("running", [True, False], ids=["while running", "while stopped"])
@pytest.mark.parametrize("harm", [removed, truncated, line_damaged, replaced_by_an_older_one])
def test_after_the_next_start_a_rebuild_from_a_harmed_journal_gives_the_library_that_was(
    tmp_path: Path, harm: Harm, running: bool
) -> None:
    library, folder, older = tmp_path / "library", tmp_path / "outputs", tmp_path / "older.jsonl"
    write_pictures(folder, 8)
    with opened(library) as client:
        take_in(client, folder)
        names = uuids(client)
        client.post("/api/v1/edits", {"uuids": names, "set": {"rating": 4}})
        client.post("/api/v1/edits", {"uuids": names, "set": {"tags": {"add": ["fox"]}}})
    shutil.copy2(current(library), older)
    with opened(library) as client:
        client.post("/api/v1/edits", {"uuids": names[:3], "set": {"notes": "for the wall"}})
        before = settled_export(client, library)
        wait_for(lambda: client.get("/api/v1/doctor")["ok"])
        if running:
            harm(library, older)
    if not running:
        harm(library, older)
    with opened(library) as client:
        wait_for(lambda: client.get("/api/v1/doctor")["ok"])
        assert "journal" in client.get("/api/v1/status")["notice"]["message"]
        assert settled_export(client, library) == before
    lose_database(library)
    with opened(library) as client:
        report = rebuilt(client)
        assert (report["unread"], report["unsound"]) == (0, [])
        assert settled_export(client, library) == before


def test_an_older_database_that_was_put_back_is_kept_and_the_newer_journal_can_be_used_instead(tmp_path: Path) -> None:
    library, folder = tmp_path / "library", tmp_path / "outputs"
    write_pictures(folder, 4)
    with opened(library) as client:
        take_in(client, folder)
        client.post("/api/v1/edits", {"query": "", "set": {"rating": 2}})
        older = settled_export(client, library)
    shutil.copy2(library / "mysticanvas.db", tmp_path / "older.db")
    with opened(library) as client:
        client.post("/api/v1/edits", {"query": "", "set": {"rating": 5}})
        newer = settled_export(client, library)
    assert not (library / "mysticanvas.db-wal").exists()
    shutil.copy2(tmp_path / "older.db", library / "mysticanvas.db")
    with opened(library) as client:
        wait_for(lambda: client.get("/api/v1/doctor")["ok"])
        assert "replaced by an older one" in client.get("/api/v1/status")["notice"]["message"]
        assert settled_export(client, library) == older
    lose_database(library)
    current(library).unlink()
    [kept] = (library / "journal" / "set-aside").iterdir()
    kept.rename(library / "journal" / kept.name)
    with opened(library) as client:
        assert rebuilt(client)["unsound"] == []
        assert settled_export(client, library) == newer
