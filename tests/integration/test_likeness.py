"""Near-duplicates and equal recipes: groups, and keeping one (A5, G11)."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageEnhance
from tests import edits as test_edits
from tests.integration.test_similarity import take_in, wait_for, working

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db import settings_store
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import ConflictError, InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.similarity import DuplicateKind
from mysticanvas.edits import undo as edit_undo
from mysticanvas.features.collections import queries as collection_queries
from mysticanvas.features.duplicates import service as duplicate_service
from mysticanvas.features.tags import assertion_queries
from mysticanvas.imaging import hash_search
from mysticanvas.imaging.perceptual_hash import HASH_BYTES, compute_phash
from mysticanvas.search import language
from mysticanvas.search.duplicates import NEAR_BITS, Duplicates
from mysticanvas.search.engine import Finder
from mysticanvas.search.index import Index


def scene(seed: int, edge_px: int = 256) -> Image.Image:
    """Blobs of every size, the larger the stronger, as in photographs; each seed another."""
    chance = np.random.default_rng(seed)
    total = np.zeros((edge_px, edge_px, 3))
    for size in (3, 6, 12, 24, 48, 96):
        small = Image.fromarray(chance.integers(0, 255, (size, size, 3), np.uint8))
        total += np.asarray(small.resize((edge_px, edge_px), Image.Resampling.BICUBIC), float) / size
    total = (total - total.min()) / (total.max() - total.min()) * 255
    return Image.fromarray(total.astype(np.uint8))


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def hash_of(content: bytes) -> bytes | None:
    found = compute_phash(pyvips.Image.new_from_buffer(content, ""))
    return None if found is None else found[:HASH_BYTES]


def bits_between(one: bytes, other: bytes) -> int:
    first, second = hash_of(one), hash_of(other)
    assert first is not None
    assert second is not None
    return int(hash_search.count_differences(hash_search.unpack_hashes(first), hash_search.unpack_hashes(second))[0])


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_that_was_shrunk_recoded_or_made_grey_stays_near(seed: int) -> None:
    original = encoded(scene(seed))
    edits = [
        encoded(scene(seed).resize((120, 120))),
        encoded(scene(seed), "JPEG", quality=30),
        encoded(scene(seed), "WEBP", quality=40),
        encoded(scene(seed).convert("L")),
    ]
    assert max(bits_between(original, edit) for edit in edits) <= NEAR_BITS


def test_different_pictures_are_far_from_each_other() -> None:
    pictures = [encoded(scene(seed)) for seed in range(20)]
    far = [bits_between(one, other) for i, one in enumerate(pictures) for other in pictures[:i]]
    assert min(far) > 1.5 * NEAR_BITS


def look_of(image: Image.Image) -> hash_search.Miniatures:
    found = compute_phash(pyvips.Image.new_from_buffer(encoded(image), ""))
    assert found is not None
    return hash_search.unpack_miniatures(found[HASH_BYTES:])


def stripes(*colors: str) -> Image.Image:
    flag = Image.new("RGB", (96, 64))
    for place, color in enumerate(colors):
        flag.paste(Image.new("RGB", (32, 64), color), (32 * place, 0))
    return flag


def test_pictures_that_differ_in_colour_alone_are_strangers_and_a_grey_or_paler_copy_is_none() -> None:
    ireland, ivory_coast = stripes("#169b62", "white", "#ff883e"), stripes("#ff883e", "white", "#169b62")
    look = look_of(ireland)
    assert not hash_search.have_same_content(look, look_of(ivory_coast))[0]
    assert not hash_search.have_same_content(look, look_of(stripes("#6a4bd8", "white", "#30b7c9")))[0]
    assert hash_search.have_same_content(look, look_of(ireland.convert("L")))[0]
    assert hash_search.have_same_content(look, look_of(ImageEnhance.Color(ireland).enhance(0.5)))[0]
    assert hash_search.have_same_content(look, look_of(ImageEnhance.Brightness(ireland).enhance(1.15)))[0]


def test_a_look_that_is_not_known_yet_leaves_the_nearer_hashes_to_decide(library: Database) -> None:
    alike = Duplicates(library).page(DuplicateKind.PICTURE, start=0, count=9).groups
    library.write(lambda tx: tx.run("DELETE FROM picture_looks"))
    assert Duplicates(library).page(DuplicateKind.PICTURE, start=0, count=9).groups == alike
    library.write(
        lambda tx: tx.run("INSERT INTO picture_looks SELECT generation_id, randomblob(288) FROM picture_hashes")
    )
    assert Duplicates(library).page(DuplicateKind.PICTURE, start=0, count=9).groups == []


def test_a_picture_of_one_colour_is_like_no_other() -> None:
    assert hash_of(encoded(Image.new("RGB", (64, 64), "navy"))) is None


def test_pairs_among_many_hashes_are_those_that_comparing_each_with_each_finds() -> None:
    chance = np.random.default_rng(3)
    hashes = chance.integers(0, 2**63, (6_000, hash_search.WORDS)).astype(np.uint64)
    true = set()
    for number in range(300):
        copy = np.unpackbits(hashes[number].view(np.uint8))
        copy[chance.choice(256, number % 24, replace=False)] ^= 1
        hashes[3_000 + number] = np.packbits(copy).view(np.uint64)
        true.add((number, 3_000 + number))
    found = {(int(a), int(b)) for a, b in hash_search.find_near_pairs(hashes, 24)}
    assert found <= true
    assert len(found) >= 0.99 * len(true)


def test_few_hashes_are_compared_each_with_each() -> None:
    hashes = np.zeros((4, hash_search.WORDS), np.uint64)
    hashes[1, 0], hashes[2] = 7, np.uint64(2**64 - 1)
    pairs = hash_search.find_near_pairs(hashes, 3)
    assert pairs.tolist() == [[0, 1], [0, 3], [1, 3]]


@pytest.fixture
def library(database: Database, tmp_path: Path) -> Database:
    """Three scenes; of the first a JPEG too, of the second a smaller one; all with their hashes."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(3):
        (folder / f"{seed}.png").write_bytes(encoded(scene(seed)))
    (folder / "0.jpg").write_bytes(encoded(scene(0), "JPEG", quality=60))
    (folder / "1-small.png").write_bytes(encoded(scene(1).resize((100, 100))))
    with working(database, tmp_path) as pool:
        take_in(database, pool, folder)
        wait_for(lambda: hashed(database) == 5)
    return database


def hashed(database: Database) -> int:
    return int(database.read(lambda tx: tx.value("SELECT count(*) FROM picture_hashes")))


def image_named(database: Database, path: str) -> GenerationId:
    query = "SELECT generation_id FROM generation_files WHERE kind = 'final' AND path = :path"
    return GenerationId(database.read(lambda tx: tx.value(query, path=path)))


def test_copies_are_grouped_and_found_as_duplicates(library: Database) -> None:
    page = Duplicates(library).page(DuplicateKind.PICTURE, start=0, count=10)
    assert (page.total, page.images) == (2, 4)
    names = [{"0.png", "0.jpg"}, {"1.png", "1-small.png"}]
    wanted = [{image_named(library, name) for name in group} for group in names]
    assert sorted(map(sorted, wanted)) == sorted(sorted(group.images) for group in page.groups)
    assert all(group.images == sorted(group.images, reverse=True) for group in page.groups)
    assert Duplicates(library).all() == {image for group in wanted for image in group}
    assert len(Duplicates(library).page(DuplicateKind.PICTURE, start=1, count=1).groups) == 1


def test_groups_follow_what_goes(library: Database) -> None:
    duplicates = Duplicates(library)
    assert len(duplicates.all()) == 4
    gone = image_named(library, "0.jpg")

    def delete(tx: WriteTx) -> None:
        tx.run("DELETE FROM generations WHERE id = :id", id=gone)
        tx.changes.removed.append(gone)

    library.write(delete)
    assert duplicates.all() == {image_named(library, "1.png"), image_named(library, "1-small.png")}


def test_images_of_a_library_without_hashes_get_theirs(library: Database, tmp_path: Path) -> None:
    before = library.read(lambda tx: tx.all("SELECT * FROM picture_hashes ORDER BY generation_id"))
    library.write(lambda tx: tx.run("DELETE FROM picture_hashes") + tx.run("DELETE FROM picture_looks"))
    library.write(settings_store.put, duplicate_service.CAUGHT_UP, False)
    assert duplicate_service.hash_missing(library, now_ms=lambda: 0) == 5
    with working(library, tmp_path):
        wait_for(lambda: hashed(library) == 5)
    assert library.read(lambda tx: tx.all("SELECT * FROM picture_hashes ORDER BY generation_id")) == before
    assert duplicate_service.hash_missing(library, now_ms=lambda: 0) == 0


def test_the_same_recipe_makes_a_group(library: Database) -> None:
    def give(tx: WriteTx) -> None:
        same = [image_named(library, "0.png"), image_named(library, "2.png")]
        for image in same:
            tx.run("UPDATE generations SET prompt = 'a fox', seed = '5', steps = 20 WHERE id = :id", id=image)
        tx.run(
            "UPDATE generations SET prompt = 'a fox', seed = '6', steps = 20 WHERE id = :id",
            id=image_named(library, "1.png"),
        )
        tx.changes.changed.extend(same)

    library.write(give)
    page = Duplicates(library).page(DuplicateKind.RECIPE, start=0, count=10)
    assert [set(group.images) for group in page.groups] == [
        {image_named(library, "0.png"), image_named(library, "2.png")}
    ]


def describe(database: Database, name: str, **settings: Any) -> GenerationId:
    """Gives an image generation data."""
    image = image_named(database, name)

    def give(tx: WriteTx) -> None:
        tx.run_many(
            "UPDATE generations SET prompt = :prompt, seed = :seed, steps = :steps WHERE id = :id",
            [{"prompt": None, "seed": None, "steps": None} | settings | {"id": image}],
        )
        tx.changes.changed.append(image)

    database.write(give)
    return image


def groups_of(duplicates: Duplicates, by: DuplicateKind = DuplicateKind.PICTURE) -> list[set[GenerationId]]:
    return [set(group.images) for group in duplicates.page(by, start=0, count=100).groups]


def test_an_image_and_its_source_are_no_duplicates_and_another_copy_stays_with_one_of_them(library: Database) -> None:
    duplicates = Duplicates(library)
    source, upscale = image_named(library, "1-small.png"), image_named(library, "1.png")
    assert {source, upscale} in groups_of(duplicates)
    do(library, "parent", {"parent": library.read(generations.get_uuid, source), "relation": "upscale"}, [upscale])
    assert {source, upscale} not in groups_of(duplicates)
    assert duplicates.all() == {image_named(library, "0.png"), image_named(library, "0.jpg")}
    # The third is as near to both: it joins one of them and never brings them together.
    copy = image_named(library, "0.jpg")
    library.write(
        lambda tx: (
            tx.run(
                "UPDATE picture_hashes SET phash = (SELECT phash FROM picture_hashes WHERE generation_id = :one) "
                "WHERE generation_id = :other",
                one=source,
                other=copy,
            )
            + tx.run(
                "UPDATE picture_looks SET look = (SELECT look FROM picture_looks WHERE generation_id = :one) "
                "WHERE generation_id = :other",
                one=source,
                other=copy,
            )
        )
    )
    assert groups_of(Duplicates(library)) == [{source, copy}]


@pytest.mark.parametrize("other", [{"seed": "6"}, {"prompt": "a fox at night"}, {"steps": 30}])
def test_variations_of_one_prompt_are_no_duplicates_however_alike(library: Database, other: dict[str, Any]) -> None:
    duplicates = Duplicates(library)
    known: dict[str, Any] = {"prompt": "a fox", "seed": "5", "steps": 20}
    pair = {describe(library, "0.png", **known), describe(library, "0.jpg", **known)}
    assert pair in groups_of(duplicates)
    describe(library, "0.jpg", **known | other)
    assert pair not in groups_of(duplicates)
    # A copy that lost its generation data is a duplicate.
    describe(library, "0.jpg")
    assert pair in groups_of(duplicates)


def test_the_same_settings_with_another_lora_are_a_variation(library: Database) -> None:
    duplicates = Duplicates(library)
    known: dict[str, Any] = {"prompt": "a fox", "seed": "5", "steps": 20}
    pair = [describe(library, name, **known) for name in ("0.png", "2.png")]
    assert groups_of(duplicates, DuplicateKind.RECIPE) == [set(pair)]

    def use_lora(tx: WriteTx) -> None:
        tx.run("INSERT INTO models (id, kind, name, created_at) VALUES (9, 'lora', 'film', 0)")
        tx.run(
            "INSERT INTO generation_models (generation_id, model_id, role, weight) VALUES (:image, 9, 'lora', 0.8)",
            image=pair[0],
        )
        tx.changes.changed.append(pair[0])

    library.write(use_lora)
    assert groups_of(duplicates, DuplicateKind.RECIPE) == []


def test_what_was_made_from_the_others_is_linked_to_the_kept_one_with_their_covers(library: Database) -> None:
    kept, other, child = (image_named(library, name) for name in ("0.png", "0.jpg", "2.png"))
    uuid = library.read(generations.get_uuid, other)
    do(library, "parent", {"parent": uuid, "relation": "img2img"}, [child])
    do(library, "collection.create", {"uuid": "best", "name": "best"}, [])
    library.write(lambda tx: tx.run("UPDATE collections SET cover_generation_id = :image", image=other))
    operation = keep(library, kept, [other])

    def linked(tx: ReadTx) -> list[Any]:
        return [
            tx.value("SELECT parent_id FROM generations WHERE id = :id", id=child),
            tx.value("SELECT cover_generation_id FROM collections"),
        ]

    assert library.read(linked) == [kept, kept]
    library.write(edit_undo.undo, operation)
    assert library.read(linked) == [other, other]


def do(database: Database, kind: str, args: dict[str, Any], images: list[GenerationId]) -> int:
    return database.write(test_edits.do, kind, args, images, now_ms=5).operation


def keep(database: Database, kept: GenerationId, others: list[GenerationId]) -> int:
    uuid = database.read(generations.get_uuid, kept)
    return do(database, "keep_one", {"kept": uuid}, others)


def state_of(tx: ReadTx) -> list[Any]:
    """All that a person can see of the library."""
    return [
        tx.all("SELECT id, rating, is_favorite, notes, deleted_at IS NULL AS live FROM generations ORDER BY id"),
        tx.all("SELECT generation_id, tag_id, source, decision FROM tag_assertions ORDER BY 1, 2, 3"),
        tx.all("SELECT collection_id, generation_id, position FROM collection_items ORDER BY 1, 2"),
        tx.all("SELECT tag_id, generation_id FROM image_tags ORDER BY 1, 2"),
    ]


def written_on(database: Database, kept: GenerationId, other: GenerationId) -> None:
    do(database, "rating", {"value": 2}, [kept])
    do(database, "notes", {"value": "mine"}, [kept])
    do(database, "rating", {"value": 4}, [other])
    do(database, "favorite", {"value": True}, [other])
    do(database, "notes", {"value": "theirs"}, [other])
    do(database, "tag", {"reject": ["storm"]}, [kept])
    do(database, "tag", {"add": ["storm", "sea"], "reject": ["boat"]}, [other])
    for name in ("first", "second"):
        do(database, "collection.create", {"uuid": name, "name": name}, [])
        do(database, "collect", {"collection": name}, [other])
    do(database, "collect", {"collection": "first"}, [kept])


def test_the_one_that_is_kept_gets_what_was_written_on_the_others_and_one_undo_takes_it_back(
    library: Database,
) -> None:
    kept, other = image_named(library, "0.png"), image_named(library, "0.jpg")
    written_on(library, kept, other)
    before = library.read(state_of)
    duplicates = Duplicates(library)
    assert {kept, other} <= duplicates.all()

    # One image says "storm", the other "not storm": the user has to know that only one of these stays.
    with pytest.raises(ConflictError, match="Tags that you rejected for the image you keep: storm"):
        keep(library, kept, [other])
    assert library.read(state_of) == before
    uuid = library.read(generations.get_uuid, kept)
    operation = do(library, "keep_one", {"kept": uuid, "accept_loss": True}, [other])
    marks = library.read(lambda tx: tx.one("SELECT rating, is_favorite, notes FROM generations WHERE id = :i", i=kept))
    assert marks == {"rating": 4, "is_favorite": 1, "notes": "mine\n\ntheirs"}
    # What the person said of the kept image itself stands: "not storm".
    assert shown_tags(library, kept) == ["sea"]
    said = library.read(assertion_queries.list_for_image, kept)
    assert [(one.tag, one.decision) for one in said] == [("boat", False), ("sea", True), ("storm", False)]
    assert [one["name"] for one in library.read(collection_queries.list_for_image, kept)] == ["first", "second"]
    assert library.read(lambda tx: tx.value("SELECT deleted_at FROM generations WHERE id = :i", i=other)) is not None
    assert not {kept, other} & duplicates.all()
    assert all(check.ok for check in doctor_checks.run_all(library))

    library.write(edit_undo.undo, operation)
    assert library.read(state_of) == before
    assert {kept, other} <= duplicates.all()
    library.write(edit_undo.redo, operation)
    assert shown_tags(library, kept) == ["sea"]


def shown_tags(database: Database, image: GenerationId) -> list[str]:
    query = "SELECT t.name FROM image_tags AS i JOIN tags AS t ON t.id = i.tag_id WHERE i.generation_id = :i ORDER BY 1"
    return database.read(lambda tx: tx.column(query, i=image))


def test_keeping_one_wants_others_that_are_there(library: Database) -> None:
    kept, other = image_named(library, "0.png"), image_named(library, "0.jpg")
    with pytest.raises(InvalidInputError):
        keep(library, kept, [kept])
    with pytest.raises(ConflictError):
        keep(library, kept, [GenerationId(7)])
    do(library, "trash", {}, [other])
    with pytest.raises(ConflictError):
        keep(library, kept, [other])


def test_duplicates_are_a_filter_like_any_other(library: Database) -> None:
    index = Index(library)
    index.build()
    duplicates = Duplicates(library)
    wanted = {image_named(library, name) for name in ("0.png", "0.jpg", "1.png", "1-small.png")}
    for finder in (Finder(library, duplicates=duplicates), Finder(library, index, duplicates=duplicates)):
        assert finder.all(language.parse("is:duplicate")).ids.tolist() == sorted(wanted, reverse=True)
        assert finder.count(language.parse("-is:duplicate")) == 1
        assert finder.count(language.parse("is:duplicate size:256x256")) == 3
        page = finder.page(language.parse("is:duplicate"), after=None, limit=10)
        assert {hit.id for hit in page} == wanted


def test_a_file_in_several_places_is_told_as_one_image(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(encoded(scene(0)))
    (folder / "c.png").write_bytes(encoded(scene(1)))
    with working(database, tmp_path) as pool:
        take_in(database, pool, folder)
        wait_for(lambda: hashed(database) == 2)
    page = Duplicates(database).page(DuplicateKind.BYTES, start=0, count=10)
    assert [group.images for group in page.groups] == [[image_named(database, "a.png")]]
