"""Tags from prompts: known tags and what recurs, and away again without a trace (A2)."""

from collections.abc import Callable, Sequence

import pytest
from tests import edits as test_edits
from tests.rows import add_images
from tests.tagging import everything_said, what_is_wrong

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import TagSource
from mysticanvas.edits import undo as edit_undo
from mysticanvas.features.tags import assertion_queries, image_tag_queries, prompt_tags, suggestions
from mysticanvas.features.tags import queries as tag_queries
from mysticanvas.features.tags import service as tag_service


def lay(database: Database, count: int, prompt: Callable[[int], str]) -> None:
    images = add_images(database, count, prompt=prompt)
    database.write_bulk(prompt_tags.queue_images, images)


def carry_on(database: Database) -> None:
    while database.write_bulk(prompt_tags.run_slice, limit=7, now_ms=1):
        pass
    assert database.read(what_is_wrong) == []


def counts(database: Database) -> dict[str, int]:
    return {tag.name: tag.images for tag in database.read(tag_queries.autocomplete, containing="", limit=500)}


def test_phrases_that_recur_are_tags_of_all_their_images_and_the_rest_is_not(database: Database) -> None:
    lay(database, 20, lambda n: f"red fox, (snow:1.2), only once {n}, " + ("night" if n < 4 else "day"))
    carry_on(database)
    assert counts(database) == {"red fox": 20, "snow": 20, "day": 16}


def test_a_phrase_that_is_a_known_tag_or_another_name_of_one_counts_at_once(database: Database) -> None:
    database.write(test_edits.do, "tag.alias", {"tag": "vixen", "of": "fox"}, now_ms=1)
    lay(database, 2, lambda n: ["Vixen, ice", "FOX"][n])
    carry_on(database)
    assert counts(database) == {"fox": 2, "vixen": 0}


def test_the_vocabulary_is_not_flooded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt_tags, "MAX_TAGS", 3)
    monkeypatch.setattr(prompt_tags, "MAX_PHRASES", 40)
    lay(database, 30, lambda n: ", ".join(f"word {k}" for k in range(10)) + f", once {n} a, once {n} b")
    carry_on(database)
    assert len(counts(database)) == 3
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM prompt_phrases")) <= 40


def test_switched_off_they_leave_no_trace_and_on_again_they_come_back(database: Database) -> None:
    lay(database, 10, lambda n: "red fox, snow")
    database.write(test_edits.do, "tag.create", {"name": "snow"}, now_ms=1)
    database.write(test_edits.do, "tag", {"add": ["dog"]}, [], now_ms=1)
    before = everything_said(database)
    carry_on(database)
    there = counts(database)
    assert there["red fox"] == there["snow"] == 10
    database.write(prompt_tags.stop)
    carry_on(database)
    assert everything_said(database) == before
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM prompt_phrases")) == 0
    assert prompt_tags.start(database) == 10
    carry_on(database)
    assert counts(database) == there


def test_a_tag_from_prompts_that_the_person_uses_stays(database: Database) -> None:
    images = add_images(database, 10, prompt=lambda _: "red fox, snow")
    database.write_bulk(prompt_tags.queue_images, images)
    carry_on(database)
    database.write(test_edits.do, "tag", {"add": ["red fox"]}, images[:1], now_ms=1)
    database.write(prompt_tags.stop)
    carry_on(database)
    assert counts(database) == {"red fox": 1}


# -- proposals ----------------------------------------------------------------------------------------


def say(database: Database, name: str, images: Sequence[GenerationId]) -> None:
    def change(tx: WriteTx) -> None:
        tag = tag_service.find_or_suggest(tx, name, TagSource.LLM, now_ms=1)
        if tag is None:
            return
        said = assertion_queries.Assertion(TagSource.LLM, True, 0.9, "model 1")
        assertion_queries.record(tx, [(image, tag, said) for image in images], now_ms=1)
        image_tag_queries.derive_pairs(tx, [(image, tag) for image in images])

    database.write_bulk(change)


def test_a_machines_new_word_shows_nowhere_until_it_is_accepted(database: Database) -> None:
    images = add_images(database, 3)
    database.write(test_edits.do, "tag", {"add": ["arctic fox", "wolf"]}, images[:1], now_ms=1)
    say(database, "Arctic Foxes", images)
    say(database, "wolfe", images[:2])
    found = {p.name: (p.images, p.similar) for p in database.read(suggestions.list_suggestions)}
    assert found == {"Arctic Foxes": (3, ["arctic fox"]), "wolfe": (2, ["wolf"])}
    assert counts(database) == {"arctic fox": 1, "wolf": 1}
    before = everything_said(database)
    done = database.write(test_edits.do, "tag.alias", {"tag": "Arctic Foxes", "of": "arctic fox"}, now_ms=2)
    database.write(test_edits.do, "tag.accept", {"tags": ["wolfe"]}, now_ms=2)
    assert counts(database)["arctic fox"] == 3
    assert counts(database)["wolfe"] == 2
    for operation in (done.operation + 1, done.operation):
        database.write(edit_undo.undo, operation)
    assert everything_said(database) == before
    assert database.read(what_is_wrong) == []


def test_a_refused_word_does_not_come_again(database: Database) -> None:
    images = add_images(database, 2)
    say(database, "blurry", images)
    database.write(test_edits.do, "tag.refuse", {"tags": ["blurry"]}, now_ms=1)
    say(database, "Blurry", images)
    assert database.read(suggestions.list_suggestions) == []
    assert database.read(what_is_wrong) == []
