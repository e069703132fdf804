"""Merging duplicates loses nothing: random groups, merged as proposed."""

import json
import random
import zlib
from typing import Any

import pytest
from tests import edits as test_edits
from tests.rows import add_images

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.domain.errors import ConfirmationRequiredError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits import undo as edit_undo
from mysticanvas.features.duplicates import candidate_queries
from mysticanvas.features.duplicates.edits import COPIED_FROM
from mysticanvas.features.duplicates.generation_data import LABELS
from mysticanvas.features.duplicates.proposal import Candidate, propose

TAGS = ("fox", "snow", "night")
COLLECTIONS = ("best", "print")
SETTINGS: dict[str, tuple[Any, ...]] = {
    "prompt": ("a fox in the snow", "a  fox in the snow"),
    "negative_prompt": ("blurry",),
    "seed": ("5",),
    "steps": (20,),
    "cfg_scale": (7.0,),
    "sampler": ("Euler a",),
    "scheduler": ("Karras",),
    "width": (512,),
    "model_name": ("dreamer",),
}


def do(database: Database, kind: str, fields: dict[str, Any], images: list[GenerationId]) -> int:
    return database.write(test_edits.do, kind, fields, images, now_ms=5).operation


def make_group(database: Database, chance: random.Random, *, agreeing: bool) -> list[GenerationId]:
    """Two to five images with some of everything, and an image that was made from some of them."""
    *images, child = add_images(database, chance.randint(3, 6))
    for image in images:
        database.write(_describe, image, chance, agreeing=agreeing)
        _mark(database, image, chance)
    if chance.random() < 0.5:
        do(database, "parent", {"parent": uuid_of(database, chance.choice(images)), "relation": "upscale"}, [child])
    return images


def _describe(tx: WriteTx, image: GenerationId, chance: random.Random, *, agreeing: bool) -> None:
    if chance.random() < 0.3:
        return
    known = {name: chance.choice(values) for name, values in SETTINGS.items() if chance.random() < 0.7}
    if not agreeing and chance.random() < 0.5:
        known["seed"] = chance.choice(["5", "6"])
    params = {name: "1" for name in ("Eta", "ENSD") if chance.random() < 0.5}
    columns = ", ".join(f"{name} = :{name}" for name in known)
    tx.run(
        f"UPDATE generations SET {columns + ',' if known else ''} params_json = :params WHERE id = :id",  # noqa: S608
        id=image,
        params=json.dumps(params),
        **known,
    )
    if chance.random() < 0.4:
        texts = zlib.compress(json.dumps([["tEXt", "workflow", '{"nodes": [], "links": []}']]).encode())
        tx.run("INSERT INTO raw_metadata (generation_id, content) VALUES (:id, :texts)", id=image, texts=texts)
    tx.changes.changed.append(image)


def _mark(database: Database, image: GenerationId, chance: random.Random) -> None:
    do(database, "rating", {"value": chance.choice([0, 0, 3, 5])}, [image])
    do(database, "favorite", {"value": chance.random() < 0.3}, [image])
    if chance.random() < 0.4:
        do(database, "notes", {"value": chance.choice(["mine", "print this"])}, [image])
    for tag in TAGS:
        if chance.random() < 0.3:
            do(database, "tag", {"add": [tag]}, [image])
    for name in COLLECTIONS:
        if chance.random() < 0.3:
            do(database, "collect", {"collection": name}, [image])


def uuid_of(database: Database, image: GenerationId) -> str:
    return str(database.read(lambda tx: tx.value("SELECT uuid FROM generations WHERE id = :id", id=image)))


def everything(tx: ReadTx) -> list[Any]:
    columns = ", ".join((*LABELS, "params_json", "problems_json", "rating", "is_favorite", "notes", "parent_id"))
    return [
        tx.all(f"SELECT id, {columns}, deleted_at IS NULL AS live FROM generations ORDER BY id"),  # noqa: S608
        tx.all("SELECT generation_id, tag_id, source, decision FROM tag_assertions ORDER BY 1, 2, 3"),
        tx.all("SELECT collection_id, generation_id, position FROM collection_items ORDER BY 1, 2"),
        tx.all("SELECT generation_id, content FROM raw_metadata ORDER BY 1"),
        tx.all("SELECT * FROM generation_models ORDER BY 1, 2, 3"),
        tx.all("SELECT rowid, highlight(generations_fts, 0, '', '') FROM generations_fts('fox') ORDER BY 1"),
    ]


def collections_of(database: Database, images: list[GenerationId]) -> set[int]:
    return set(
        database.read(
            lambda tx: tx.column(
                "SELECT collection_id FROM collection_items WHERE generation_id IN (SELECT value FROM json_each(:ids))",
                ids=json.dumps(images),
            )
        )
    )


def check_nothing_is_lost(before: list[Candidate], after: Candidate) -> None:
    for one in before:
        assert set(one.data.list_known()) <= set(after.data.list_known()), (one, after)
        for name, value in one.data.values.items():
            assert str(after.data.values[name]).split() == str(value).split()
        assert after.data.params.items() >= one.data.params.items()
        assert after.tags.items() >= one.tags.items()
        assert (after.notes or "").find(one.notes or "") >= 0
    assert after.rating == max(one.rating for one in before)
    assert after.favorite == any(one.favorite for one in before)
    assert after.children == sum(one.children for one in before)


@pytest.fixture
def library(database: Database) -> Database:
    for name in COLLECTIONS:
        do(database, "collection.create", {"uuid": name, "name": name}, [])
    return database


@pytest.mark.parametrize("seed", range(12))
def test_what_was_known_of_any_image_is_known_of_the_kept_one_and_undo_restores_all(
    library: Database, seed: int
) -> None:
    images = make_group(library, random.Random(seed), agreeing=True)
    before = library.read(candidate_queries.list_candidates, images)
    proposed = propose(before)
    assert proposed.kept is not None
    # The most generation data is kept as it is, never copied where it could be kept.
    richest = max(len(one.data.list_known()) for one in before)
    [kept] = [one for one in before if one.image == proposed.kept]
    assert len(kept.data.list_known()) == richest

    state, collected = library.read(everything), collections_of(library, images)
    others = [image for image in images if image != kept.image]
    operation = do(library, "keep_one", {"kept": kept.uuid}, others)
    [after] = library.read(candidate_queries.list_candidates, images)
    check_nothing_is_lost(before, after)
    assert collections_of(library, [kept.image]) == collected
    assert all(check.ok for check in doctor_checks.run_all(library))

    merged = library.read(everything)
    library.write(edit_undo.undo, operation)
    assert library.read(everything) == state
    library.write(edit_undo.redo, operation)
    assert library.read(everything) == merged


@pytest.mark.parametrize("seed", range(12))
def test_any_image_can_be_kept_where_the_generation_data_agrees(library: Database, seed: int) -> None:
    chance = random.Random(1_000 + seed)
    images = make_group(library, chance, agreeing=True)
    before = library.read(candidate_queries.list_candidates, images)
    kept = chance.choice(before)
    do(library, "keep_one", {"kept": kept.uuid}, [image for image in images if image != kept.image])
    [after] = library.read(candidate_queries.list_candidates, images)
    check_nothing_is_lost(before, after)
    problems = library.read(lambda tx: tx.value("SELECT problems_json FROM generations WHERE id = :i", i=kept.image))
    copied = after.data != kept.data
    assert [problem.startswith(COPIED_FROM) for problem in json.loads(problems)] == [True] * copied


@pytest.mark.parametrize("seed", range(12))
def test_where_generation_data_would_be_lost_nothing_is_proposed_and_merging_is_refused(
    library: Database, seed: int
) -> None:
    images = make_group(library, random.Random(2_000 + seed), agreeing=False)
    before = library.read(candidate_queries.list_candidates, images)
    seeds = {one.data.values["seed"] for one in before if "seed" in one.data.values}
    proposed = propose(before)
    assert (proposed.kept is None) == (len(seeds) > 1)
    state = library.read(everything)
    for one in before:
        if proposed.outcomes[one.image].lost:
            with pytest.raises(ConfirmationRequiredError, match="would be lost") as refused:
                do(library, "keep_one", {"kept": one.uuid}, [image for image in images if image != one.image])
            assert refused.value.confirm == "accept_loss"
            assert library.read(everything) == state


def test_the_order_of_the_images_changes_no_proposal(library: Database) -> None:
    chance = random.Random(7)
    images = make_group(library, chance, agreeing=True)
    found = library.read(candidate_queries.list_candidates, images)
    expected = propose(found)
    for _ in range(20):
        chance.shuffle(found)
        proposed = propose(found)
        assert (proposed.kept, proposed.reasons) == (expected.kept, expected.reasons)
