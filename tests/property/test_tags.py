"""Random deeds over tags: what is shown is always what follows from what was said (T1, T3, T6)."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests import edits as test_edits
from tests.rows import add_images
from tests.tagging import everything_said, what_is_wrong

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.domain.tag import Assertion, TagSource
from mysticanvas.edits import log as edit_log
from mysticanvas.edits import undo as edit_undo
from mysticanvas.features.tags import assertion_queries, image_tag_queries
from mysticanvas.features.tags import service as tag_service

IMAGES = 6
NAMES = ("fox", "animal", "red fox", "pet", "dog", "being")

names = st.sampled_from(NAMES)
some_images = st.sets(st.integers(0, IMAGES - 1), min_size=1, max_size=IMAGES)
sources = st.sampled_from(["llm", "vision", "prompt", "import"])
shares = st.sampled_from([0.2, 0.5, 0.8])


class Tags(RuleBasedStateMachine):
    """`at_once` is patched so that changes of relations are carried through at once, or in slices of one."""

    folder: Path
    opened = 0
    always_in_slices = False

    @initialize(in_slices=st.booleans())
    def open(self, in_slices: bool) -> None:
        type(self).opened += 1
        self.path = self.folder / str(self.opened)
        self.database = Database.open(self.path)
        self.images = add_images(self.database, IMAGES)
        image_tag_queries.AT_ONCE = 0 if in_slices or self.always_in_slices else 1_000
        self.states: dict[int, tuple[list[object], list[object]]] = {}
        self.now = 1_000

    def do(self, kind: str, args: dict[str, Any], chosen: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        before = everything_said(self.database)
        self.now += 1
        images = [self.images[i] for i in sorted(chosen)]
        steps = [(kind, args)]
        named = images if chosen else None
        try:
            done = self.database.write_bulk(test_edits.do_all, kind, steps, named, now_ms=self.now)
        except MystiCanvasError:
            assert everything_said(self.database) == before
            return
        self.states[done.operation] = before, everything_said(self.database)

    def speak(self, how: str, name: str, chosen: set[int]) -> None:
        others = [row for row in self.said() if row[2] != "user"]
        self.do("tag", {how: [name]}, chosen)
        assert [row for row in self.said() if row[2] != "user"] == others

    # -- what a person does -------------------------------------------------------------------

    @rule(name=names, chosen=some_images)
    def tag(self, name: str, chosen: set[int]) -> None:
        self.speak("add", name, chosen)

    @rule(name=names, chosen=some_images)
    def untag(self, name: str, chosen: set[int]) -> None:
        self.speak("remove", name, chosen)

    @rule(name=names, chosen=some_images)
    def reject(self, name: str, chosen: set[int]) -> None:
        self.speak("reject", name, chosen)

    @rule(one=names, other=names)
    def alias(self, one: str, other: str) -> None:
        self.do("tag.alias", {"tag": one, "of": other})

    @rule(one=names)
    def unalias(self, one: str) -> None:
        self.do("tag.unalias", {"tag": one})

    @rule(one=names, other=names)
    def imply(self, one: str, other: str) -> None:
        self.do("tag.imply", {"tag": one, "implies": other})

    @rule(one=names, other=names)
    def unimply(self, one: str, other: str) -> None:
        self.do("tag.unimply", {"tag": one, "implies": other})

    @rule(one=names, other=names)
    def merge(self, one: str, other: str) -> None:
        self.do("tag.merge", {"tag": one, "to": other})

    @rule(one=names)
    def delete(self, one: str) -> None:
        self.do("tag.delete", {"tag": one})

    @rule(one=st.none() | names, source=sources, value=st.none() | shares)
    def threshold(self, one: str | None, source: str, value: float | None) -> None:
        self.do("tag.threshold", {"tag": one, "source": source, "value": value})

    @rule(one=names, kind=st.sampled_from(["tag.accept", "tag.propose"]))
    def accept_or_propose(self, one: str, kind: str) -> None:
        self.do(kind, {"tags": [one]})

    @rule(data=st.data(), back=st.booleans())
    def undo_or_redo(self, data: st.DataObject, back: bool) -> None:
        if not self.states:
            return
        operation = data.draw(st.sampled_from(sorted(self.states)[-4:]))
        before = everything_said(self.database)
        last = self.database.read(edit_log.find_last_done)
        try:
            self.database.write_bulk(edit_undo.undo if back else edit_undo.redo, operation)
        except MystiCanvasError:
            assert everything_said(self.database) == before
            return
        was, became = self.states[operation]
        if back and operation == last and before == became:
            assert everything_said(self.database) == was

    # -- what machines do ---------------------------------------------------------------------

    @rule(name=names, chosen=some_images, source=sources, confidence=st.none() | shares, yes=st.booleans())
    def machine(self, name: str, chosen: set[int], source: str, confidence: float | None, yes: bool) -> None:
        before = [row for row in self.said() if row[2] != source]

        def say(tx: WriteTx) -> None:
            tag = tag_service.find_or_suggest(tx, name, TagSource(source), now_ms=self.now)
            assert tag is not None
            said = Assertion(TagSource(source), yes, confidence, "run 1")
            pairs = [(self.images[i], tag) for i in chosen]
            assertion_queries.record(tx, [(*pair, said) for pair in pairs], now_ms=self.now)
            image_tag_queries.derive_pairs(tx, pairs)

        self.database.write_bulk(say)
        assert [row for row in self.said() if row[2] != source] == before
        self.states.clear()

    def said(self) -> list[tuple[Any, ...]]:
        return self.database.read(lambda tx: tx.rows("SELECT * FROM tag_assertions ORDER BY 1, 2, 3, 4").fetchall())

    # -- what the world does ------------------------------------------------------------------

    @rule()
    def reopen(self) -> None:
        self.database.close()
        self.database = Database.open(self.path)

    @rule()
    def one_slice(self) -> None:
        self.database.write_bulk(image_tag_queries.run_slice, limit=1)

    @rule(which=st.integers(0, IMAGES - 1))
    def redate(self, which: int) -> None:
        image = self.images[which]

        def move(tx: WriteTx) -> None:
            tx.run("UPDATE generations SET id = :new WHERE id = :old", new=image + 1, old=image)

        if not self.database.read(image_tag_queries.list_work):
            self.database.write_bulk(move)
            self.images[which] = image + 1  # type: ignore[call-overload]
            self.states.clear()

    @invariant()
    def derived_is_what_follows(self) -> None:
        """In a copy of the state in which all work is carried through."""
        if not hasattr(self, "database"):
            return
        self.database.write_bulk(carried_through_in_vain)

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            shutil.rmtree(self.path)


def carried_through_in_vain(tx: WriteTx) -> None:
    """Carries all work through, looks, and takes it back, so that the next deed meets the work half done."""
    tx.run("SAVEPOINT looking")
    while image_tag_queries.run_slice(tx, limit=2):
        pass
    wrong = what_is_wrong(tx)
    tx.run("ROLLBACK TO looking")
    tx.run("RELEASE looking")
    assert wrong == []


def run(
    folder: Path, *, runs: int, steps: int, seed: int | None = None, shrink: bool = True, always_in_slices: bool = False
) -> None:
    machine = type("Here", (Tags,), {"folder": folder, "opened": 0, "always_in_slices": always_in_slices})
    profile = settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=seed is None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
    )
    at_once = image_tag_queries.AT_ONCE
    try:
        run_state_machine_as_test(machine, settings=profile)
    finally:
        image_tag_queries.AT_ONCE = at_once


def test_what_is_shown_follows_from_what_was_said(tmp_path: Path) -> None:
    run(tmp_path, runs=int(os.environ.get("MYSTICANVAS_TAG_RUNS", "200")), steps=50)


@pytest.mark.long
def test_what_is_shown_follows_from_what_was_said_in_two_thousand_runs(tmp_path: Path) -> None:
    run(tmp_path, runs=2_000, steps=50, seed=random.randrange(1 << 30))


# -- the machine sees ---------------------------------------------------------------------------------


def forgets_implied(original: Callable[..., Any]) -> Callable[..., Any]:
    """An untagged image keeps what the tag implied."""

    def touch(tx: WriteTx, pairs: Any) -> None:
        original(tx, pairs)
        tx.run("DELETE FROM temp.touched WHERE tag_id NOT IN (SELECT value FROM json_each(:tags))",
               tags=str(sorted({tag for _, tag in pairs})))  # fmt: skip

    return touch


def adds_to_the_refused(_: Callable[..., Any]) -> Callable[..., Any]:
    """An implication is carried through to images of which the person said no."""

    def add(tx: WriteTx, effective: int, images: list[int]) -> None:
        for image in images:
            tx.run(
                "INSERT INTO image_tags (tag_id, generation_id) VALUES (:tag, :image) ON CONFLICT DO NOTHING",
                tag=effective,
                image=image,
            )

    return add


def loses_the_place(_: Callable[..., Any]) -> Callable[..., Any]:
    """Work is over after its first slice."""

    def next_images(tx: WriteTx, tag: int, how: str, first: int, limit: int) -> list[int]:
        return (
            []
            if first
            else tx.column(
                "SELECT DISTINCT generation_id FROM tag_assertions WHERE tag_id = :tag LIMIT :limit",
                tag=tag,
                limit=limit,
            )
        )

    return next_images


def takes_others_away(_: Callable[..., Any]) -> Callable[..., Any]:
    """Removing the person's tag removes what the machines said too."""

    def take_back(tx: WriteTx, tag: int, images: list[int], *, decision: bool) -> set[int]:
        found = set()
        for image in images:
            sql = "DELETE FROM tag_assertions WHERE generation_id = :image AND tag_id = :tag RETURNING generation_id"
            found |= set(tx.column(sql, image=image, tag=tag))
        return found

    return take_back


@pytest.mark.parametrize(
    ("place", "bug"),
    [
        ("mysticanvas.features.tags.image_tag_queries._touch_pairs", forgets_implied),
        ("mysticanvas.features.tags.image_tag_queries._add_implied", adds_to_the_refused),
        ("mysticanvas.features.tags.image_tag_queries._next_images", loses_the_place),
        ("mysticanvas.features.tags.assertion_queries._delete_own", takes_others_away),
    ],
)
def test_the_machine_catches_a_planted_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, bug: Callable[[Any], Any]
) -> None:
    module, _, name = place.rpartition(".")
    original = getattr(__import__(module, fromlist=[name]), name)
    monkeypatch.setattr(place, bug(original))
    with pytest.raises(BaseException):  # noqa: B017 - an assertion, or an error of the database
        run(tmp_path, runs=400, steps=50, shrink=False, always_in_slices=True)
