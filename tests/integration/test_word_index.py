"""The word index follows its texts, is filled anew by an upgrade, and is looked after by doctor."""

import json
import zlib
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import growth
from tests.libraries import FIRST_S, add_image

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db import migrate as db_migrate
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.file import holds_workflow
from mysticanvas.domain.text import find_phrase, make_searchable, split_words
from mysticanvas.search import language, paging


def packed(*entries: tuple[str, str, str]) -> bytes:
    return zlib.compress(json.dumps(entries).encode())


@pytest.mark.parametrize(
    ("entries", "holds"),
    [
        ([("tEXt", "prompt", "{}"), ("tEXt", "workflow", '{"nodes": []}')], True),
        ([("iTXt", "invokeai_workflow", "{}")], True),
        ([("exif", "ImageDescription", "Workflow: {}")], True),
        ([("tEXt", "parameters", 'a "workflow", in words')], False),
        ([("tEXt", "prompt", '{"workflow": 1}')], False),
        ([], False),
    ],
)
def test_a_workflow_is_known_by_its_entry(entries: list[tuple[str, str, str]], holds: bool) -> None:
    assert holds_workflow(packed(*entries)) is holds
    assert holds_workflow(b"not packed") is False


def test_an_upgrade_fills_the_words_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """D7: from the first released schema, whose words still held the syntax of prompts."""
    scripts = db_migrate.load_migrations()
    with monkeypatch.context() as old:
        old.setattr(db_migrate, "load_migrations", lambda: scripts[:1])
        with Database.open(tmp_path) as database:
            image = database.write(add_image, FIRST_S, prompt="(masterpiece:1.2) café <lora:film:0.8>")
            database.write(
                lambda tx: tx.run(
                    "INSERT INTO raw_metadata (generation_id, content) VALUES (:image, :content)",
                    image=image,
                    content=packed(("tEXt", "workflow", "{}")),
                )
            )
    with Database.open(tmp_path) as database:
        for text in ("masterpiece", "cafe", "has:workflow", '"masterpiece cafe"'):
            assert database.read(paging.find_ids, language.parse(text)).tolist() == [image], text
        assert database.read(paging.count, language.parse("film")) == 0
        assert {check.name: check.ok for check in doctor_checks.run_all(database)}["word index"]


def test_doctor_sees_a_word_index_that_is_silently_empty(database: Database) -> None:
    """S6."""
    database.write(add_image, FIRST_S, prompt="a quixotic armadillo")
    assert all(check.ok for check in doctor_checks.run_all(database) if check.name in ("word index", "search"))
    database.write(lambda tx: tx.run("INSERT INTO generations_fts (generations_fts) VALUES ('delete-all')"))
    assert [check.ok for check in doctor_checks.run_all(database) if check.name == "search"] == [False]


def test_doctor_sees_a_workflow_that_is_not_known(database: Database) -> None:
    def add(tx: WriteTx) -> None:
        image = add_image(tx, FIRST_S)
        content = packed(("tEXt", "workflow", "{}"))
        tx.run("INSERT INTO raw_metadata (generation_id, content) VALUES (:i, :c)", i=image, c=content)

    database.write(add)
    [rule] = [rule for rule in doctor_checks.load_invariants() if "workflow" in rule[0]]
    assert database.read(lambda tx: tx.column(rule[1])) == []
    database.write(lambda tx: tx.run("DELETE FROM generation_workflows"))
    assert len(database.read(lambda tx: tx.column(rule[1]))) == 1


@given(st.text(max_size=200))
def test_the_words_of_a_text_are_in_it_where_they_are_said_to_be(text: str) -> None:
    for word in list(split_words(text))[:5]:
        for begin, end in find_phrase(text, word):
            assert 0 <= begin < end <= len(text)


@given(st.text(max_size=200))
def test_folding_twice_changes_no_word(text: str) -> None:
    once = make_searchable(text) or ""
    assert list(split_words(once)) == list(split_words(make_searchable(once) or ""))


HOSTILE = ("<lora:", ":1", "(", "1", ":   ", "0.1.1.", "::", "1::", "e\u0301", "夜", "<a>:1.2)")


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_work_to_prepare_anything_grows_in_proportion_to_the_text(piece: str) -> None:
    """M5, for the text that an image brings."""
    growth.check_in_proportion(
        lambda size: partial(make_searchable, piece * (size // len(piece))), growth.doublings(256_000, 6)
    )
