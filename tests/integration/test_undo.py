"""Every deed can be taken back and done again, also after a restart, or is refused with the reason (G8)."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import edits as test_edits
from tests.rows import add_images

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.domain.errors import ConflictError, NotFoundError
from mysticanvas.edits import apply as edit_apply
from mysticanvas.edits import changesets as edit_changesets
from mysticanvas.edits import log as edit_log
from mysticanvas.edits import undo as edit_undo
from mysticanvas.edits.kinds import decode, list_recorded_tables
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EditState

MANY = 2_500


def undo_last(database: Database) -> int:
    return database.write(edit_undo.undo, database.read(edit_undo.find_last_done)).operation


def redo_last(database: Database) -> int:
    return database.write(edit_undo.redo, database.read(edit_undo.find_last_undone)).operation


@pytest.fixture
def runner(database: Database) -> Iterator[EditRunner]:
    with EditRunner(database, now_ms=lambda: 1_000) as running:
        yield running


def state_of(database: Database) -> list[tuple[Any, ...]]:
    return database.read(
        lambda tx: tx.rows("SELECT uuid, is_favorite, rating, notes FROM generations ORDER BY uuid").fetchall()
    )


def do(database: Database, kind: str, args: dict[str, Any], images: list[Any], now_ms: int = 1_000) -> int:
    return database.write(test_edits.do, kind, args, images, now_ms=now_ms).operation


def test_undo_restores_what_was_and_redo_does_it_again(database: Database) -> None:
    images = add_images(database, 5)
    do(database, "rating", {"value": 2}, images[:2])
    before = state_of(database)
    done = database.write(test_edits.do, "rating", {"value": 5}, images, now_ms=2_000)
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
    with pytest.raises(ConflictError, match="changed again later"):
        database.write(edit_undo.undo, first)
    assert state_of(database) == before
    assert database.read(edit_log.find, first).state is EditState.DONE


def test_undo_is_refused_when_an_image_was_purged_with_the_reason(database: Database) -> None:
    images = add_images(database, 3)
    many = do(database, "favorite", {"value": True}, images)
    one = do(database, "notes", {"value": "look at the hands"}, images[:1])

    def purge(tx: WriteTx) -> None:
        tx.run("DELETE FROM generations WHERE id = :image", image=images[0])

    database.write(purge)
    with pytest.raises(ConflictError, match="1 of 3\\) were deleted permanently"):
        database.write(edit_undo.undo, many)
    with pytest.raises(ConflictError, match="The image was deleted permanently"):
        database.write(edit_undo.undo, one)


def test_undo_survives_a_restart(tmp_path: Path) -> None:
    with Database.open(tmp_path) as database:
        images = add_images(database, 3)
        before = state_of(database)
        do(database, "notes", {"value": "a fox, twice"}, images)
    with Database.open(tmp_path) as database:
        found = database.read(edit_undo.find_last_done)
        database.write(edit_undo.undo, found)
        assert state_of(database) == before
        assert database.read(lambda tx: tx.value("SELECT count(*) FROM generations_fts('fox')")) == 0
    with Database.open(tmp_path) as database:
        database.write(edit_undo.redo, database.read(edit_undo.find_last_undone))
        assert database.read(lambda tx: tx.value("SELECT count(*) FROM generations_fts('fox')")) == 3


def test_undo_and_redo_walk_through_the_history_one_by_one(database: Database) -> None:
    images = add_images(database, 1)
    for value in (1, 2, 3):
        do(database, "rating", {"value": value}, images)
    for expected in (2, 1, 0):
        database.write(edit_undo.undo, database.read(edit_undo.find_last_done))
        assert state_of(database)[0][2] == expected
    with pytest.raises(NotFoundError):
        database.read(edit_undo.find_last_done)
    for expected in (1, 2, 3):
        database.write(edit_undo.redo, database.read(edit_undo.find_last_undone))
        assert state_of(database)[0][2] == expected
    database.write(edit_undo.undo, database.read(edit_undo.find_last_done))
    do(database, "favorite", {"value": True}, images)
    with pytest.raises(NotFoundError):
        database.read(edit_undo.find_last_undone)


def test_a_large_deed_is_done_and_undone_in_slices(database: Database, runner: EditRunner) -> None:
    images = add_images(database, MANY)
    do(database, "rating", {"value": 3}, images[:7])
    before = state_of(database)
    done = runner.do(decode(("rating", {"value": 5})), images, wait_s=300)
    assert (done.state, done.changed, done.total) == (EditState.DONE, MANY, MANY)
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM operation_slices WHERE operation_id = 2")) > 1
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM live_generations WHERE rating = 5")) == MANY
    after = state_of(database)
    assert runner.undo(None, wait_s=300).state is EditState.UNDONE
    assert state_of(database) == before
    assert runner.redo(None, wait_s=300).state is EditState.DONE
    assert state_of(database) == after


def test_a_large_undo_that_is_refused_half_way_leaves_everything_done(database: Database, runner: EditRunner) -> None:
    images = add_images(database, MANY)
    done = runner.do(decode(("rating", {"value": 5})), images, wait_s=300)
    do(database, "rating", {"value": 1}, images[:1])
    before = state_of(database)
    with pytest.raises(ConflictError, match="changed again later"):
        runner.undo(done.operation, wait_s=300)
    assert state_of(database) == before
    assert database.read(edit_log.find, done.operation).state is EditState.DONE


def test_a_large_deed_goes_on_after_a_restart_in_every_state(tmp_path: Path) -> None:
    def slices(database: Database, count: int) -> None:
        for _ in range(count):
            operation = database.read(edit_log.find_unfinished)
            assert operation is not None
            if database.read(edit_log.find, operation).state is EditState.APPLYING:
                database.write(edit_apply.apply_slice, operation, limit=100, now_ms=1)
            else:
                database.write(edit_undo.move_slice, operation)

    with Database.open(tmp_path) as database:
        images = add_images(database, MANY)
        before = state_of(database)
        operation = database.write(
            edit_apply.begin, "favorite", [decode(("favorite", {"value": True}))], images, now_ms=1
        )
        slices(database, 3)
        assert database.read(lambda tx: tx.value("SELECT sum(is_favorite) FROM generations")) == 300
    with Database.open(tmp_path) as database, EditRunner(database, now_ms=lambda: 1) as runner:
        assert runner.wait_for(operation, 300).changed == MANY
        after = state_of(database)
    with Database.open(tmp_path) as database:
        database.write(edit_undo.undo, operation)
        slices(database, 2)
    with Database.open(tmp_path) as database, EditRunner(database, now_ms=lambda: 1) as runner:
        assert runner.wait_for(operation, 300).state is EditState.UNDONE
        assert state_of(database) == before
    with Database.open(tmp_path) as database:
        database.write(edit_undo.redo, operation)
        slices(database, 2)
    with Database.open(tmp_path) as database, EditRunner(database, now_ms=lambda: 1) as runner:
        assert runner.wait_for(operation, 300).state is EditState.DONE
        assert state_of(database) == after


# Thirty days. Written out, so that the test notices when the product's own figure changes.
THIRTY_DAYS_MS = 2_592_000_000


def kept_after(database: Database, deeds_done: int, *, age_ms: int) -> list[int]:
    """The ids of the deeds that are left when all but the last of so many were done `age_ms` before the last."""
    images = add_images(database, 1)
    for number in range(deeds_done - 1):
        do(database, "rating", {"value": number % 2 + 1}, images, now_ms=1_000)
    do(database, "rating", {"value": 5}, images, now_ms=1_000 + age_ms)
    kept = sorted(one.id for one in database.read(edit_log.list_operations, before=None, limit=1_000))
    slices = database.read(lambda tx: tx.column("SELECT DISTINCT operation_id FROM operation_slices ORDER BY 1"))
    assert slices == kept
    return kept


@pytest.mark.parametrize(("deeds_done", "left"), [(29, 29), (30, 30), (31, 30), (32, 30)])
def test_the_newest_thirty_deeds_are_kept_however_old_they_are(database: Database, deeds_done: int, left: int) -> None:
    kept = kept_after(database, deeds_done, age_ms=1_000 * THIRTY_DAYS_MS)
    assert kept == list(range(deeds_done - left + 1, deeds_done + 1))
    # The oldest that is kept can be taken back: its changeset is there, too.
    for operation in reversed(kept):
        database.write(edit_undo.undo, operation)


@pytest.mark.parametrize(("age_ms", "left"), [(THIRTY_DAYS_MS - 1, 40), (THIRTY_DAYS_MS, 40), (THIRTY_DAYS_MS + 1, 30)])
def test_more_than_thirty_deeds_are_kept_for_thirty_days(database: Database, age_ms: int, left: int) -> None:
    assert len(kept_after(database, 40, age_ms=age_ms)) == left


def test_a_deed_that_is_still_on_its_way_is_kept_however_old(database: Database) -> None:
    images = add_images(database, 2)
    begun = database.write(edit_apply.begin, "rating", [decode(("rating", {"value": 3}))], images, now_ms=0)
    for number in range(31):
        do(database, "notes", {"value": str(number)}, images[:1], now_ms=100 * THIRTY_DAYS_MS)
    assert database.read(edit_log.find, begun).state is EditState.APPLYING


# -- what has no way back ---------------------------------------------------------------------------


def test_redo_takes_the_edit_that_was_undone_last(database: Database) -> None:
    images = add_images(database, 3)
    older = do(database, "rating", {"value": 1}, images[:1])
    newer = do(database, "rating", {"value": 2}, images[1:2])
    do(database, "rating", {"value": 3}, images[2:])
    # From the History page, in an order of its own.
    database.write(edit_undo.undo, newer)
    database.write(edit_undo.undo, older)
    assert [redo_last(database), redo_last(database)] == [older, newer]
    with pytest.raises(NotFoundError):
        redo_last(database)


def test_an_edit_after_an_undo_drops_the_redo_of_what_was_undone_before_it(database: Database) -> None:
    images = add_images(database, 1)
    sixth = do(database, "rating", {"value": 3}, images)
    undo_last(database)
    seventh = do(database, "favorite", {"value": True}, images)
    assert undo_last(database) == seventh
    assert redo_last(database) == seventh
    with pytest.raises(NotFoundError):
        redo_last(database)
    # The History page still redoes it, and then it is an edit like any other.
    database.write(edit_undo.redo, sixth)
    assert [undo_last(database), undo_last(database), redo_last(database)] == [seventh, sixth, sixth]


def test_an_edit_that_is_refused_drops_no_redo(database: Database, runner: EditRunner) -> None:
    images = add_images(database, 1)
    rated = do(database, "rating", {"value": 3}, images)
    undo_last(database)
    broken = database.write(
        edit_apply.begin, "collect", [decode(("collect", {"collection": "none"}))], images, now_ms=1
    )
    assert runner.wait_for(broken, 300).state is EditState.UNDONE
    assert redo_last(database) == rated


def test_a_refused_redo_keeps_its_place(database: Database) -> None:
    images = add_images(database, 2)
    first = do(database, "rating", {"value": 3}, images[:1])
    second = do(database, "rating", {"value": 4}, images[1:])
    undo_last(database)
    undo_last(database)
    database.write(lambda tx: tx.run("UPDATE generations SET rating = 1 WHERE id = :id", id=images[1]))
    with pytest.raises(ConflictError):
        database.write(edit_undo.redo, second)
    assert redo_last(database) == first


@pytest.mark.parametrize("seed", range(20))
def test_redo_follows_the_order_of_undoing_whatever_came_before(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    images = add_images(database, 40)
    done: list[int] = []
    undone: list[int] = []
    for image in images:
        match chance.choice(["edit", "undo", "undo one", "redo", "redo one"]):
            case "edit":
                done.append(do(database, "favorite", {"value": True}, [image]))
                undone.clear()
            case "undo" if done:
                done.sort()
                undone.append(done.pop())
                assert undo_last(database) == undone[-1]
            case "undo one" if done:
                undone.append(done.pop(chance.randrange(len(done))))
                database.write(edit_undo.undo, undone[-1])
            case "redo" if undone:
                done.append(undone.pop())
                assert redo_last(database) == done[-1]
            case "redo one" if undone:
                done.append(undone.pop(chance.randrange(len(undone))))
                database.write(edit_undo.redo, done[-1])
    assert sorted(done) == database.read(
        lambda tx: tx.column("SELECT id FROM operations WHERE state = 'done' ORDER BY 1")
    )


@pytest.mark.parametrize("move", [edit_undo.undo, edit_undo.redo])
def test_a_deed_that_expired_is_refused_with_its_reason_and_changes_nothing(
    database: Database, move: Callable[[WriteTx, int], Any]
) -> None:
    """Its changeset is there: only its state says that there is no way back."""
    images = add_images(database, 3)
    expired = do(database, "rating", {"value": 4}, images)
    database.write(edit_log.set_state, expired, EditState.EXPIRED)
    before = state_of(database)
    with pytest.raises(ConflictError, match=r"^This edit can no longer be undone\.$"):
        database.write(move, expired)
    assert state_of(database) == before
    assert database.read(edit_log.find, expired).state is EditState.EXPIRED
    with pytest.raises(NotFoundError, match="nothing to undo"):
        database.read(edit_undo.find_last_done)
    with pytest.raises(NotFoundError, match="nothing to redo"):
        database.read(edit_undo.find_last_undone)


# -- a changeset that meets what others changed ---------------------------------------------------------

KEPT_TABLES = ("collections", "collection_items", "generations", "prompt_templates", "tags", "tag_assertions")


def everything_in(tx: ReadTx) -> dict[str, list[tuple[Any, ...]]]:
    return {table: tx.rows(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in KEPT_TABLES}  # noqa: S608


def refused(tx: WriteTx, change: Callable[[WriteTx], object]) -> str:
    """Why `change` is refused, in a transaction that is committed all the same: nothing but `change` itself can
    have kept the rows. What is wrong is returned, because nothing may escape on the writer's thread."""
    before = everything_in(tx)
    try:
        change(tx)
    except ConflictError as error:
        return str(error) if everything_in(tx) == before else f"It changed something, and said: {error}"
    return "It was not refused."


def add_collections(tx: WriteTx) -> None:
    tx.run_many(
        """
        INSERT INTO collections (id, uuid, name, kind, position, created_at, updated_at)
        VALUES (:id, :uuid, :name, 'manual', 0, 0, 0)
        """,
        [{"id": number, "uuid": f"uuid-{number}", "name": f"of {number}"} for number in (1, 2, 3)],
    )


MOVED_ON, GONE, TAKEN = "changed again later", "removed later", "created in place of"


@pytest.mark.parametrize(
    ("done", "meanwhile", "reason", "inverted"),
    [
        pytest.param(
            "UPDATE collections SET name = 'mine'",
            "UPDATE collections SET name = 'theirs' WHERE id = 3",
            MOVED_ON,
            True,
            id="the same column was changed",
        ),
        pytest.param(
            "UPDATE collections SET name = 'mine', updated_at = 5",
            "UPDATE collections SET name = 'theirs', updated_at = 9 WHERE id = 3",
            MOVED_ON,
            True,
            id="a change of the time stands beside a real one",
        ),
        pytest.param(
            "UPDATE collections SET name = 'mine'",
            "UPDATE collections SET name = 'theirs' WHERE id = 3",
            MOVED_ON,
            False,
            id="done again over a change",
        ),
        pytest.param(
            "UPDATE collections SET name = 'mine'",
            "DELETE FROM collections WHERE id = 3",
            GONE,
            True,
            id="the row was removed",
        ),
        pytest.param(
            "DELETE FROM collections",
            "INSERT INTO collections (id, uuid, name, kind, position, created_at, updated_at) "
            "VALUES (3, 'uuid-9', 'theirs', 'manual', 0, 0, 0)",
            TAKEN,
            True,
            id="another has its id",
        ),
        pytest.param(
            "DELETE FROM collections",
            "INSERT INTO collections (id, uuid, name, kind, position, created_at, updated_at) "
            "VALUES (9, 'uuid-3', 'theirs', 'manual', 0, 0, 0)",
            TAKEN,
            True,
            id="another has its unique name",
        ),
        pytest.param(
            "UPDATE collections SET parent_id = 3 WHERE id < 3",
            "DELETE FROM collections WHERE id = 3",
            "depend on",
            False,
            id="what it depends on is gone",
        ),
    ],
)
def test_a_changeset_that_meets_a_changed_row_is_refused_whole(
    database: Database, done: str, meanwhile: str, reason: str, inverted: bool
) -> None:
    """Rows 1 and 2 are as they were; the third alone is not, and none of the three is touched."""
    database.write(add_collections)

    def record(tx: WriteTx) -> bytes:
        with edit_changesets.record_changes(tx, list_recorded_tables()) as recorded:
            tx.run(done)
        return recorded.changeset

    changeset = database.write(record)
    if not inverted:
        database.write(edit_changesets.apply, changeset, inverted=True)
    database.write(lambda tx: tx.run(meanwhile))
    said = database.write(refused, lambda tx: edit_changesets.apply(tx, changeset, inverted=inverted))
    assert reason in said


def test_a_row_whose_time_alone_changed_is_no_conflict(database: Database) -> None:
    """The one case that is let through; beside the refusals above it shows where the border is."""
    database.write(add_collections)

    def record(tx: WriteTx) -> bytes:
        with edit_changesets.record_changes(tx, list_recorded_tables()) as recorded:
            tx.run("UPDATE collections SET name = 'mine', updated_at = 5")
        return recorded.changeset

    changeset = database.write(record)
    database.write(lambda tx: tx.run("UPDATE collections SET updated_at = 9"))
    database.write(edit_changesets.apply, changeset, inverted=True)
    assert database.read(lambda tx: tx.column("SELECT name FROM collections ORDER BY id")) == ["of 1", "of 2", "of 3"]


@pytest.mark.parametrize("place", [0, 1, -1])
def test_one_changed_image_of_many_refuses_the_undo_and_the_redo_of_all(database: Database, place: int) -> None:
    images = add_images(database, 20)
    rated = do(database, "rating", {"value": 4}, images)
    database.write(lambda tx: tx.run("UPDATE generations SET rating = 1 WHERE id = :image", image=images[place]))
    assert MOVED_ON in database.write(refused, lambda tx: edit_undo.move_one_slice(tx, rated, backwards=True))
    database.write(lambda tx: tx.run("UPDATE generations SET rating = 4 WHERE id = :image", image=images[place]))
    database.write(edit_undo.undo, rated)
    database.write(lambda tx: tx.run("UPDATE generations SET rating = 1 WHERE id = :image", image=images[place]))
    assert MOVED_ON in database.write(refused, lambda tx: edit_undo.move_one_slice(tx, rated, backwards=False))
    assert database.read(edit_log.find, rated).state is EditState.UNDONE


def test_a_deed_names_what_was_done_and_its_images_by_uuid(database: Database) -> None:
    images = add_images(database, 2)
    operation = do(database, "rating", {"value": 4}, images)
    assert database.read(edit_log.find, operation).steps == [("rating", {"value": 4})]
    slice_ = database.read(edit_log.next_slice, operation, applied=True)
    assert slice_ is not None
    assert sorted(slice_.images) == sorted(database.read(lambda tx: tx.column("SELECT uuid FROM generations")))


def test_the_library_is_sound_after_all_that(database: Database, runner: EditRunner) -> None:
    images = add_images(database, 1_500)
    runner.do(decode(("favorite", {"value": True})), images, wait_s=30)
    runner.undo(None, wait_s=30)
    runner.do(decode(("favorite", {"value": True})), images, wait_s=300)
    runner.undo(None, wait_s=300)
    broken = [check.name for check in doctor_checks.run_all(database) if not check.ok]
    # The rows of these tests have no thumbnails on their way.
    assert broken == []
