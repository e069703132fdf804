"""Planted bugs, each with the place that it takes and a way through the machine that leads to it."""

from collections.abc import Callable
from typing import Any

from mysticanvas.db.database import WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.file import FileStat
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits import changesets as edit_changesets
from mysticanvas.edits import undo as edit_undo
from mysticanvas.features.importing.record import Found
from mysticanvas.features.importing.session import ImportRun
from mysticanvas.jobs.types import Job


def keeps_the_old_path(tx: WriteTx, file_id: int, *, root_id: int, stat: FileStat) -> None:
    """A moved file is found, and its row says where it was."""
    tx.run("UPDATE generation_files SET mtime_ns = :mtime_ns WHERE id = :id", mtime_ns=stat.mtime_ns, id=file_id)


def restores_by_replacing(tx: WriteTx, images: list[GenerationId], *, now_ms: int) -> int:
    """INSERT OR REPLACE takes the row away first, and everything that hangs on it with it."""
    for image in images:
        columns = ", ".join(edit_changesets.list_columns(tx, "generations"))
        shown = columns.replace("deleted_at", "NULL").replace("purge_after", "NULL")
        sql = f"INSERT OR REPLACE INTO generations ({columns}) SELECT {shown} FROM generations WHERE id = :image"  # noqa: S608
        tx.run(sql, image=image)
    return len(images)


def writes_past_the_triggers(tx: WriteTx, images: list[GenerationId], notes: str | None, *, now_ms: int) -> int:
    """The words of a note do not reach the index."""
    triggers = tx.all("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'generations'")
    for trigger in triggers:
        tx.run(f"DROP TRIGGER {trigger['name']}")
    changed = set_notes(tx, images, notes, now_ms=now_ms)
    for trigger in triggers:
        tx.run(trigger["sql"])
    return changed


def forgets_tags(tx: WriteTx, operation: int, *, backwards: bool) -> None:
    """An undo gives back everything but tags."""
    names = ", ".join(edit_changesets.list_columns(tx, "tag_assertions"))
    tx.run(f"CREATE TEMP TABLE kept AS SELECT {names} FROM tag_assertions")  # noqa: S608
    step(tx, operation, backwards=backwards)
    tx.run("DELETE FROM tag_assertions")
    tx.run(f"INSERT INTO tag_assertions ({names}) SELECT {names} FROM kept")  # noqa: S608
    tx.run("DROP TABLE kept")


def believes_anybody(tx: WriteTx, job: Job, *, now_ms: int) -> bool:
    """A result counts whoever brings it."""
    tx.run("UPDATE jobs SET status = 'done', boot_id = NULL, claim_token = NULL WHERE id = :id", id=job.id)
    return True


class _AtOnce(list[Found]):
    def __init__(self, import_run: ImportRun) -> None:
        super().__init__()
        self._run = import_run

    def append(self, found: Found) -> None:
        self._run._resolver.resolve_known(found)


def edits_at_once(import_run: ImportRun) -> None:
    """What is at a known path is an edited file, whatever has become of the one that was there."""
    import_run._resolver.edited = _AtOnce(import_run)
    begin(import_run)


def purges_what_changed(*_: object) -> None:
    """A file goes whatever is in it by now."""


set_notes, step, begin = generations.set_notes, edit_undo.move_one_slice, ImportRun._begin


ALL = {0, 1, 2}
BUGS: list[tuple[str, Callable[..., Any], list[tuple[str, dict[str, Any]]]]] = [
    (
        "mysticanvas.db.images.files.move",
        keeps_the_old_path,
        [("move", {"path": "a.png", "to": "b.png"}), ("scan", {})],
    ),
    (
        "mysticanvas.features.trash.queries.restore",
        restores_by_replacing,
        [("tag", {"some": ALL, "name": "fox"}), ("trash", {"some": ALL}), ("restore", {"some": ALL})],
    ),
    (
        "mysticanvas.db.images.generations.set_notes",
        writes_past_the_triggers,
        [("note", {"some": ALL, "text": "later"})],
    ),
    ("mysticanvas.edits.undo.move_one_slice", forgets_tags, [("tag", {"some": ALL, "name": "fox"}), ("undo", {})]),
    (
        "mysticanvas.jobs.queue.finish",
        believes_anybody,
        [("claim", {"limit": 1}), ("crash", {}), ("finish", {"which": 0})],
    ),
    (
        "mysticanvas.features.importing.session.ImportRun._begin",
        edits_at_once,
        [("move", {"path": "a.png", "to": "sub/a.png"}), ("drop", {"path": "a.png"}), ("scan", {})],
    ),
    (
        "mysticanvas.fs.trash._check_content",
        purges_what_changed,
        [("trash", {"some": ALL}), ("drop", {"path": "a.png"}), ("purge", {})],
    ),
]
