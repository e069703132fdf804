"""Every deed can be taken back and done again, also after a restart, or is refused with the reason (G8)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.rows import add_images

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.errors import ConflictError, NotFoundError
from mysticanvas.edits import apply as edit_apply
from mysticanvas.edits import log as edit_log
from mysticanvas.edits import undo as edit_undo
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import DeedState

MANY = 2_500


@pytest.fixture
def carrying_on(database: Database) -> Iterator[EditRunner]:
    with EditRunner(database, now_ms=lambda: 1_000) as running:
        yield running


def state_of(database: Database) -> list[tuple[Any, ...]]:
    return database.read(
        lambda tx: tx.rows("SELECT uuid, is_favorite, rating, notes FROM generations ORDER BY uuid").fetchall()
    )


def do(database: Database, kind: str, args: dict[str, Any], images: list[Any], now_ms: int = 1_000) -> int:
    return database.write(edit_apply.do, kind, args, images, now_ms=now_ms).operation


def test_undo_restores_what_was_and_redo_does_it_again(database: Database) -> None:
    images = add_images(database, 5)
    do(database, "rating", {"value": 2}, images[:2])
    before = state_of(database)
    done = database.write(edit_apply.do, "rating", {"value": 5}, images, now_ms=2_000)
    after = state_of(database)
    assert done.changed == 5
    database.write(edit_undo.undo, done.operation)
    assert state_of(database) == before
    assert database.read(lambda tx: tx.column("SELECT rating FROM live_generations ORDER BY id")) == [2, 2, 0, 0, 0]
    database.write(edit_undo.redo, done.operation)
    assert state_of(database) == after


def test_deeds_can_be_undone_out_of_order_where_they_touch_other_things(database: Database) -> None:
    images = add_images(database, 3)
    rated = do(database, "rating", {"value": 4}, images)
    do(database, "favorite", {"value": True}, images, now_ms=9_000)
    database.write(edit_undo.undo, rated)
    assert database.read(lambda tx: tx.column("SELECT DISTINCT rating || ',' || is_favorite FROM generations")) == [
        "0,1"
    ]


def test_an_undo_that_would_undo_something_later_is_refused_and_changes_nothing(database: Database) -> None:
    images = add_images(database, 3)
    first = do(database, "rating", {"value": 4}, images)
    do(database, "rating", {"value": 1}, images[2:])
    before = state_of(database)
    with pytest.raises(ConflictError, match="changed again since"):
        database.write(edit_undo.undo, first)
    assert state_of(database) == before
    assert database.read(edit_log.find, first).state is DeedState.DONE


def test_undo_is_refused_when_an_image_was_purged_with_the_reason(database: Database) -> None:
    images = add_images(database, 3)
    many = do(database, "favorite", {"value": True}, images)
    one = do(database, "notes", {"value": "look at the hands"}, images[:1])

    def purge(tx: WriteTx) -> None:
        tx.run("DELETE FROM generations WHERE id = :image", image=images[0])

    database.write(purge)
    with pytest.raises(ConflictError, match="1 of its 3 images were deleted for good"):
        database.write(edit_undo.undo, many)
    with pytest.raises(ConflictError, match="The image was deleted for good"):
        database.write(edit_undo.undo, one)


def test_undo_survives_a_restart(tmp_path: Path) -> None:
    with Database.open(tmp_path) as database:
        images = add_images(database, 3)
        before = state_of(database)
        do(database, "notes", {"value": "a fox, twice"}, images)
    with Database.open(tmp_path) as database:
        found = database.read(edit_undo.last_done)
        database.write(edit_undo.undo, found)
        assert state_of(database) == before
        assert database.read(lambda tx: tx.value("SELECT count(*) FROM generations_fts('fox')")) == 0
    with Database.open(tmp_path) as database:
        database.write(edit_undo.redo, database.read(edit_undo.last_undone))
        assert database.read(lambda tx: tx.value("SELECT count(*) FROM generations_fts('fox')")) == 3


def test_undo_and_redo_walk_through_the_history_one_by_one(database: Database) -> None:
    images = add_images(database, 1)
    for value in (1, 2, 3):
        do(database, "rating", {"value": value}, images)
    for expected in (2, 1, 0):
        database.write(edit_undo.undo, database.read(edit_undo.last_done))
        assert state_of(database)[0][2] == expected
    with pytest.raises(NotFoundError):
        database.read(edit_undo.last_done)
    for expected in (1, 2, 3):
        database.write(edit_undo.redo, database.read(edit_undo.last_undone))
        assert state_of(database)[0][2] == expected
    database.write(edit_undo.undo, database.read(edit_undo.last_done))
    do(database, "favorite", {"value": True}, images)
    with pytest.raises(NotFoundError):
        database.read(edit_undo.last_undone)


def test_a_large_deed_is_done_and_undone_in_slices(database: Database, carrying_on: EditRunner) -> None:
    images = add_images(database, MANY)
    do(database, "rating", {"value": 3}, images[:7])
    before = state_of(database)
    done = carrying_on.do("rating", [("rating", {"value": 5})], images, wait_s=30)
    assert (done.state, done.changed, done.total) == (DeedState.DONE, MANY, MANY)
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM operation_slices WHERE operation_id = 2")) > 1
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM live_generations WHERE rating = 5")) == MANY
    after = state_of(database)
    assert carrying_on.undo(None, wait_s=30).state is DeedState.UNDONE
    assert state_of(database) == before
    assert carrying_on.redo(None, wait_s=30).state is DeedState.DONE
    assert state_of(database) == after


def test_a_large_undo_that_is_refused_half_way_leaves_everything_done(
    database: Database, carrying_on: EditRunner
) -> None:
    images = add_images(database, MANY)
    done = carrying_on.do("rating", [("rating", {"value": 5})], images, wait_s=30)
    do(database, "rating", {"value": 1}, images[:1])
    before = state_of(database)
    with pytest.raises(ConflictError, match="changed again since"):
        carrying_on.undo(done.operation, wait_s=30)
    assert state_of(database) == before
    assert database.read(edit_log.find, done.operation).state is DeedState.DONE


def test_a_large_deed_goes_on_after_a_restart_in_every_state(tmp_path: Path) -> None:
    def slices(database: Database, count: int) -> None:
        for _ in range(count):
            operation = database.read(edit_log.unfinished)
            assert operation is not None
            if database.read(edit_log.find, operation).state is DeedState.APPLYING:
                database.write(edit_apply.carry_on, operation, limit=100, now_ms=1)
            else:
                database.write(edit_undo.carry_on, operation)

    with Database.open(tmp_path) as database:
        images = add_images(database, MANY)
        before = state_of(database)
        operation = database.write(edit_apply.begin, "favorite", [("favorite", {"value": True})], images, now_ms=1)
        slices(database, 3)
        assert database.read(lambda tx: tx.value("SELECT sum(is_favorite) FROM generations")) == 300
    with Database.open(tmp_path) as database, EditRunner(database, now_ms=lambda: 1) as carrying_on:
        assert carrying_on.settled(operation, 30).changed == MANY
        after = state_of(database)
    with Database.open(tmp_path) as database:
        database.write(edit_undo.undo, operation)
        slices(database, 2)
    with Database.open(tmp_path) as database, EditRunner(database, now_ms=lambda: 1) as carrying_on:
        assert carrying_on.settled(operation, 30).state is DeedState.UNDONE
        assert state_of(database) == before
    with Database.open(tmp_path) as database:
        database.write(edit_undo.redo, operation)
        slices(database, 2)
    with Database.open(tmp_path) as database, EditRunner(database, now_ms=lambda: 1) as carrying_on:
        assert carrying_on.settled(operation, 30).state is DeedState.DONE
        assert state_of(database) == after


def test_thirty_deeds_are_kept_however_old_and_older_ones_for_thirty_days(database: Database) -> None:
    images = add_images(database, 1)
    for number in range(40):
        do(database, "rating", {"value": number % 2 + 1}, images, now_ms=number)
    assert len(database.read(edit_log.listed, before=None, limit=100)) == 40
    do(database, "rating", {"value": 5}, images, now_ms=edit_apply.KEPT_MS + 100)
    kept = database.read(edit_log.listed, before=None, limit=100)
    assert len(kept) == edit_apply.KEPT_DEEDS
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM operation_slices")) == len(kept)


def test_a_deed_names_what_was_done_and_its_images_by_uuid(database: Database) -> None:
    images = add_images(database, 2)
    operation = do(database, "rating", {"value": 4}, images)
    assert database.read(edit_log.find, operation).steps == [("rating", {"value": 4})]
    slice_ = database.read(edit_log.next_slice, operation, applied=True)
    assert slice_ is not None
    assert sorted(slice_.images) == sorted(database.read(lambda tx: tx.column("SELECT uuid FROM generations")))


def test_the_library_is_sound_after_all_that(database: Database, carrying_on: EditRunner) -> None:
    images = add_images(database, 1_500)
    carrying_on.do("favorite", [("favorite", {"value": True})], images, wait_s=30)
    carrying_on.undo(None, wait_s=30)
    broken = [check.name for check in doctor_checks.run_all(database) if not check.ok]
    # The rows of these tests have no thumbnails on their way.
    assert broken == []
