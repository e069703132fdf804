"""Every edit in a library of schema 10 can still be read, finished, undone and redone.

`libraries/edits-schema-10.db.gz` was made once, by the code of commit d7fe548 through its HTTP API: a library of
schema 1 (whose two edits are expired since) with 1,125 images, upgraded, and edited until every kind of edit was in
it. It ends like one that was killed: a bulk edit of tags is half done, another edit waits behind it, and one waits
that cannot be carried out. `edits-schema-10.json` says what that code made of it, undoing and redoing all of it. The
script is in the history of this repository, as `libraries/make_edits_fixture.py` in the commit that added the library.
A stored library does not change, so neither file is ever made again.

The expectations are raw rows, so that they depend on the database alone. `undo` and `redo` list the tables that
each one changes: how many rows there are then, and a digest of them.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import pytest

from mysticanvas.cli.client import connect
from mysticanvas.db import checks
from mysticanvas.db.database import Database
from mysticanvas.domain.errors import ConflictError, NotFoundError
from mysticanvas.edits import log
from mysticanvas.edits.kinds import EDITS, decode, encode
from mysticanvas.edits.runner import EditRunner
from mysticanvas.features.tags import image_tag_queries
from mysticanvas.settings import Settings

FIXTURE = Path(__file__).parent / "libraries" / "edits-schema-10.db.gz"
EXPECTED: dict[str, Any] = json.loads(FIXTURE.with_name("edits-schema-10.json").read_text("utf-8"))

Steps = list[list[Any]]
Tables = dict[str, list[list[Any]]]
Summary = dict[str, str]

WAIT_S = 60

# All that a person can change, with names in place of ids where ids are not the person's.
DUMPED = {
    "images": """
        SELECT g.uuid, g.is_favorite, g.rating, g.notes, g.deleted_at, g.purge_after, p.uuid, g.parent_relation,
               g.parent_by
          FROM generations AS g LEFT JOIN generations AS p ON p.id = g.parent_id
         WHERE g.is_favorite = 1 OR g.rating > 0 OR g.notes IS NOT NULL OR g.deleted_at IS NOT NULL
            OR g.parent_by IS NOT NULL
         ORDER BY g.uuid
        """,
    "models": "SELECT id, kind, name, merged_into, merged_by FROM models ORDER BY id",
    "tags": "SELECT id, name, normalized_name, category, state, origin, created_at FROM tags ORDER BY id",
    "aliases": "SELECT tag_id, target_id FROM tag_alias_edges ORDER BY tag_id",
    "implications": "SELECT tag_id, implied_id FROM tag_implications ORDER BY tag_id, implied_id",
    "tag_thresholds": "SELECT tag_id, source, value FROM tag_thresholds ORDER BY tag_id, source",
    "source_thresholds": "SELECT source, value FROM source_thresholds ORDER BY source",
    "assertions": """
        SELECT t.name, g.uuid, a.source, a.run, a.decision, a.confidence, a.created_at
          FROM tag_assertions AS a JOIN tags AS t ON t.id = a.tag_id JOIN generations AS g ON g.id = a.generation_id
         ORDER BY t.normalized_name, g.uuid, a.source, a.run
        """,
    "collections": """
        SELECT c.uuid, c.name, c.kind, c.query_json, p.uuid, g.uuid, c.notes, c.position, c.created_at
          FROM collections AS c LEFT JOIN collections AS p ON p.id = c.parent_id
               LEFT JOIN generations AS g ON g.id = c.cover_generation_id
         ORDER BY c.id
        """,
    "items": """
        SELECT c.name, i.position, g.uuid, i.added_at
          FROM collection_items AS i JOIN collections AS c ON c.id = i.collection_id
               JOIN generations AS g ON g.id = i.generation_id
         ORDER BY c.id, i.position, g.uuid
        """,
    "templates": """
        SELECT t.uuid, t.name, t.content, t.negative, t.params_json, t.category, g.uuid, t.created_at
          FROM prompt_templates AS t LEFT JOIN generations AS g ON g.id = t.preview_generation_id
         ORDER BY t.id
        """,
    "wildcards": "SELECT name, content FROM wildcards ORDER BY name",
    "settings": "SELECT name, value_json FROM settings WHERE name GLOB 'tags.*' OR name GLOB 'trash.*' ORDER BY name",
    # Derived of the rest: what images show.
    "shown_tags": """
        SELECT t.name, g.uuid
          FROM image_tags AS s JOIN tags AS t ON t.id = s.tag_id JOIN generations AS g ON g.id = s.generation_id
         ORDER BY t.normalized_name, g.uuid
        """,
    "tag_counts": """
        SELECT t.name, c.images FROM tag_counts AS c JOIN tags AS t ON t.id = c.tag_id ORDER BY t.normalized_name
        """,
    "shown_images": "SELECT uuid, is_favorite, rating FROM live_generations ORDER BY uuid",
}


# -- the only parts that call the code under test ---------------------------------------------------------------------


@dataclass(frozen=True)
class StoredEdit:
    id: int
    kind: str
    state: str
    trouble: str | None
    steps: Steps


class OpenLibrary:
    """A library with its edit runner."""

    def __init__(self, database: Database, runner: EditRunner) -> None:
        self._database, self._runner = database, runner

    def history(self) -> list[StoredEdit]:
        """All edits, newest first."""
        found = self._database.read(log.list_operations, before=None, limit=1_000)
        return [StoredEdit(e.id, e.kind, e.state.value, e.error, [[k, args] for k, args in e.steps]) for e in found]

    def finish(self, edit: int) -> str:
        """The state that an unfinished edit comes to."""
        return self._runner.wait_for(edit, WAIT_S).state.value

    def undo(self, edit: int | None = None) -> tuple[int, str]:
        """Of an edit, else of the next: its id and its state."""
        done = self._runner.undo(edit, wait_s=WAIT_S)
        return done.operation, done.state.value

    def redo(self, edit: int | None = None) -> tuple[int, str]:
        done = self._runner.redo(edit, wait_s=WAIT_S)
        return done.operation, done.state.value

    def dump(self) -> Tables:
        """With everything derived: tags of many images follow in the background."""
        while self._database.read(image_tag_queries.get_next_work_kind) is not None:
            self._database.write_bulk(image_tag_queries.run_slice, limit=5_000)
        return self._database.read(
            lambda tx: {name: [list(row) for row in tx.rows(sql)] for name, sql in DUMPED.items()}
        )

    def broken_checks(self) -> list[str]:
        return [check.name for check in checks.run_all(self._database) if not check.ok]


@contextmanager
def open_library(folder: Path) -> Iterator[OpenLibrary]:
    with Database.open(folder) as database, EditRunner(database, now_ms=lambda: EXPECTED["now_ms"]) as runner:
        yield OpenLibrary(database, runner)


def known_kinds() -> set[str]:
    return set(EDITS)


def history_over_http(folder: Path) -> list[dict[str, Any]]:
    with connect(Settings(library=folder, workers=1)) as client:
        found: list[dict[str, Any]] = client.get("/api/v1/edits", limit=500)["operations"]
        return found


# ---------------------------------------------------------------------------------------------------------------------


def summary(tables: Tables) -> Summary:
    return {name: _summary(rows) for name, rows in tables.items()}


def _summary(rows: list[list[Any]]) -> str:
    text = json.dumps(rows, ensure_ascii=False)
    return f"{len(rows)} rows, {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def stored_edits(folder: Path) -> list[StoredEdit]:
    """As they stand in the file, newest first."""
    connection = apsw.Connection(str(folder / "mysticanvas.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows = connection.execute("SELECT id, kind, state, trouble, steps_json FROM operations ORDER BY id DESC")
        return [StoredEdit(*row[:4], json.loads(row[4])) for row in rows]
    finally:
        connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A library that holds the stored database."""
    (tmp_path / "mysticanvas.db").write_bytes(gzip.decompress(FIXTURE.read_bytes()))
    return tmp_path


def test_the_library_has_every_kind_of_edit_and_some_undone_expired_and_half_done(folder: Path) -> None:
    stored = stored_edits(folder)
    assert len(stored) >= 45
    kinds = {kind for edit in stored for kind, _ in edit.steps}
    undoable = {kind for edit in stored if edit.state == "done" for kind, _ in edit.steps}
    assert len(kinds) == 36
    assert kinds == undoable
    assert kinds <= known_kinds()
    assert {len(edit.steps) for edit in stored} >= {1, 2, 4, 14}
    assert {edit.state for edit in stored} == {"done", "undone", "expired", "applying"}


def test_every_stored_step_is_read_as_it_was_written(folder: Path) -> None:
    stored = {edit.id: edit for edit in stored_edits(folder)}
    with open_library(folder) as library:
        read = library.history()
    assert [edit.id for edit in read] == list(stored)
    for edit in read:
        assert (edit.kind, edit.steps) == (stored[edit.id].kind, stored[edit.id].steps)
        for kind, fields in edit.steps:
            # Fields that were stored with the value they have by default are left out today.
            written = encode(decode((kind, fields)))[1]
            assert {name: value for name, value in fields.items() if name in written} == written


def test_the_history_over_http_shows_every_edit_with_its_steps(folder: Path) -> None:
    stored = stored_edits(folder)
    shown = history_over_http(folder)
    assert [one["operation"] for one in shown] == [edit.id for edit in stored]
    for one, edit in zip(shown, stored, strict=True):
        assert (one["kind"], one["steps"], one["steps_total"]) == (edit.kind, edit.steps[:20], len(edit.steps))


def test_what_was_unfinished_is_finished_at_the_next_start_or_refused_with_the_reason(folder: Path) -> None:
    with open_library(folder) as library:
        assert finished(library) == {int(edit): state for edit, state in EXPECTED["finished"].items()}
        [refused] = [edit for edit in library.history() if edit.trouble is not None]
        assert (refused.id, refused.state) == (EXPECTED["refused"], "undone")
        assert "nothing at all" in (refused.trouble or "")
        assert library.dump() | EXPECTED["readable"]["opened"] == library.dump()
        assert summary(library.dump()) == EXPECTED["opened"]
        assert library.broken_checks() == []


def finished(library: OpenLibrary) -> dict[int, str]:
    """Edits that were on their way, with the state that each has come to."""
    return {int(edit): library.finish(int(edit)) for edit in EXPECTED["finished"]}


def test_the_whole_history_is_undone_one_by_one_and_redone(folder: Path) -> None:
    left = [edit.id for edit in stored_edits(folder) if edit.state == "undone"]
    with open_library(folder) as library:
        finished(library)
        state: Summary = dict(EXPECTED["opened"])
        for expected in EXPECTED["undo"]:
            assert library.undo() == (expected["edit"], "undone")
            state |= expected["changes"]
            assert (expected["edit"], summary(library.dump())) == (expected["edit"], state)
        with pytest.raises(NotFoundError):
            library.undo()
        assert library.dump() | EXPECTED["readable"]["all undone"] == library.dump()
        assert library.broken_checks() == []
        for expected in EXPECTED["redo"]:
            # Others were made after these were undone, so only their number redoes them.
            number = expected["edit"] if expected["edit"] in left else None
            assert library.redo(number) == (expected["edit"], "done")
            state |= expected["changes"]
            assert (expected["edit"], summary(library.dump())) == (expected["edit"], state)
        assert library.dump() | EXPECTED["readable"]["all redone"] == library.dump()
        assert library.broken_checks() == []


def test_an_edit_that_was_left_undone_is_redone_and_undone_again(folder: Path) -> None:
    left = [edit.id for edit in stored_edits(folder) if edit.state == "undone"]
    assert len(left) == 2
    with open_library(folder) as library:
        finished(library)
        for edit in left:
            assert library.redo(edit) == (edit, "done")
            assert summary(library.dump()) != EXPECTED["opened"]
            assert library.undo(edit) == (edit, "undone")
            assert summary(library.dump()) == EXPECTED["opened"]


def test_an_edit_whose_rows_were_changed_since_is_refused_and_nothing_changes(folder: Path) -> None:
    conflicting = {"rating": 5, "tag": 16, "wildcard": 67, "collect": 50, "merge_models": 71}
    with open_library(folder) as library:
        finished(library)
        kinds = {edit.id: edit.kind for edit in library.history()}
        assert {kinds[edit]: edit for edit in conflicting.values()} == conflicting
        for edit in conflicting.values():
            with pytest.raises(ConflictError):
                library.undo(edit)
            assert (edit, summary(library.dump())) == (edit, EXPECTED["opened"])


def test_an_edit_of_the_first_version_is_shown_and_cannot_be_undone(folder: Path) -> None:
    expired = [edit.id for edit in stored_edits(folder) if edit.state == "expired"]
    assert len(expired) == 2
    with open_library(folder) as library:
        finished(library)
        for edit in expired:
            with pytest.raises(ConflictError):
                library.undo(edit)
            with pytest.raises(ConflictError):
                library.redo(edit)
        assert summary(library.dump()) == EXPECTED["opened"]
        assert {edit.id for edit in library.history() if edit.state == "expired"} == set(expired)
