"""Near-duplicates and equal recipes: groups, and keeping one (A5, G11)."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image
from tests.integration.test_similarity import take_in, wait_for, working

from mysticanvas.domain.errors import ConflictError, InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.library import likeness
from mysticanvas.library.likeness import Likeness, Likenesses
from mysticanvas.pixels import likeness as near
from mysticanvas.pixels.phash import phash
from mysticanvas.store.database import Database, ReadTx, WriteTx


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
    return phash(pyvips.Image.new_from_buffer(content, ""))


def bits_between(one: bytes, other: bytes) -> int:
    first, second = hash_of(one), hash_of(other)
    assert first is not None
    assert second is not None
    return int(near.differences(near.hashes_of(first), near.hashes_of(second))[0])


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_that_was_shrunk_recoded_or_made_grey_stays_near(seed: int) -> None:
    original = encoded(scene(seed))
    edits = [
        encoded(scene(seed).resize((120, 120))),
        encoded(scene(seed), "JPEG", quality=30),
        encoded(scene(seed), "WEBP", quality=40),
        encoded(scene(seed).convert("L")),
    ]
    assert max(bits_between(original, edit) for edit in edits) <= likeness.NEAR_BITS


def test_different_pictures_are_far_from_each_other() -> None:
    pictures = [encoded(scene(seed)) for seed in range(20)]
    far = [bits_between(one, other) for i, one in enumerate(pictures) for other in pictures[:i]]
    assert min(far) > 2 * likeness.NEAR_BITS


def test_a_picture_of_one_colour_is_like_no_other() -> None:
    assert hash_of(encoded(Image.new("RGB", (64, 64), "navy"))) is None


def test_pairs_among_many_hashes_are_those_that_comparing_each_with_each_finds() -> None:
    chance = np.random.default_rng(3)
    hashes = chance.integers(0, 2**63, (6_000, near.WORDS)).astype(np.uint64)
    true = set()
    for number in range(300):
        copy = np.unpackbits(hashes[number].view(np.uint8))
        copy[chance.choice(256, number % 24, replace=False)] ^= 1
        hashes[3_000 + number] = np.packbits(copy).view(np.uint64)
        true.add((number, 3_000 + number))
    found = {(int(a), int(b)) for a, b in near.near(hashes, 24)}
    assert found <= true
    assert len(found) >= 0.99 * len(true)


def test_few_hashes_are_compared_each_with_each() -> None:
    hashes = np.zeros((4, near.WORDS), np.uint64)
    hashes[1, 0], hashes[2] = 7, np.uint64(2**64 - 1)
    pairs = near.near(hashes, 3)
    assert pairs.tolist() == [[0, 1], [0, 3], [1, 3]]
    assert near.groups(pairs, 4).tolist() == [0, 0, 2, 0]


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
    page = Likenesses(library).page(Likeness.PICTURE, start=0, count=10)
    assert (page.total, page.images) == (2, 4)
    names = [{"0.png", "0.jpg"}, {"1.png", "1-small.png"}]
    wanted = [{image_named(library, name) for name in group} for group in names]
    assert sorted(map(sorted, wanted)) == sorted(sorted(group.images) for group in page.groups)
    assert all(group.images == sorted(group.images, reverse=True) for group in page.groups)
    assert Likenesses(library).duplicates() == {image for group in wanted for image in group}
    assert len(Likenesses(library).page(Likeness.PICTURE, start=1, count=1).groups) == 1


def test_groups_follow_what_goes(library: Database) -> None:
    likenesses = Likenesses(library)
    assert len(likenesses.duplicates()) == 4
    gone = image_named(library, "0.jpg")

    def delete(tx: WriteTx) -> None:
        tx.run("DELETE FROM generations WHERE id = :id", id=gone)
        tx.changes.removed.append(gone)

    library.write(delete)
    assert likenesses.duplicates() == {image_named(library, "1.png"), image_named(library, "1-small.png")}


def test_images_of_a_library_without_hashes_get_theirs(library: Database, tmp_path: Path) -> None:
    before = library.read(lambda tx: tx.all("SELECT * FROM picture_hashes ORDER BY generation_id"))
    library.write(lambda tx: tx.run("DELETE FROM picture_hashes"))
    assert likeness.hash_missing(library, now_ms=lambda: 0) == 5
    with working(library, tmp_path):
        wait_for(lambda: hashed(library) == 5)
    assert library.read(lambda tx: tx.all("SELECT * FROM picture_hashes ORDER BY generation_id")) == before
    assert likeness.hash_missing(library, now_ms=lambda: 0) == 0


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
    page = Likenesses(library).page(Likeness.RECIPE, start=0, count=10)
    assert [set(group.images) for group in page.groups] == [
        {image_named(library, "0.png"), image_named(library, "2.png")}
    ]


def say(tx: WriteTx, image: GenerationId, tag: int, decision: int | None) -> None:
    if decision is None:
        tx.run(
            "DELETE FROM tag_assertions WHERE generation_id = :i AND tag_id = :t AND source = 'user'", i=image, t=tag
        )
        return
    tx.run(
        """
        INSERT INTO tag_assertions (generation_id, tag_id, source, decision, created_at)
        VALUES (:image, :tag, 'user', :decision, 0)
        """,
        image=image,
        tag=tag,
        decision=decision,
    )


def written(tx: ReadTx, image: GenerationId) -> tuple[Any, ...]:
    marks = tx.one("SELECT rating, is_favorite, notes FROM generations WHERE id = :i", i=image)
    tags = tx.all("SELECT tag_id, decision FROM tag_assertions WHERE generation_id = :i ORDER BY 1", i=image)
    places = tx.column("SELECT collection_id FROM collection_items WHERE generation_id = :i ORDER BY 1", i=image)
    return marks, tags, places


def test_the_one_that_is_kept_gets_what_was_written_on_the_others_and_undo_takes_it_back(library: Database) -> None:
    kept, other = image_named(library, "0.png"), image_named(library, "0.jpg")

    def write(tx: WriteTx) -> None:
        tx.run("UPDATE generations SET rating = 2, notes = 'mine' WHERE id = :i", i=kept)
        tx.run("UPDATE generations SET rating = 4, is_favorite = 1, notes = 'theirs' WHERE id = :i", i=other)
        for tag in (1, 2, 3):
            tx.run(
                "INSERT INTO tags (id, name, normalized_name, created_at) VALUES (:t, :n, :n, 0)", t=tag, n=f"t{tag}"
            )
        say(tx, kept, 1, 0)
        for tag, decision in ((1, 1), (2, 1), (3, 0)):
            say(tx, other, tag, decision)
        for number in (1, 2):
            tx.run(
                """
                INSERT INTO collections (id, uuid, name, kind, created_at, updated_at)
                VALUES (:n, :uuid, 'c', 'manual', 0, 0)
                """,
                n=number,
                uuid=f"{number}",
            )
            tx.run("INSERT INTO collection_items VALUES (:n, :i, 1.5, 0)", n=number, i=other)
        tx.run("INSERT INTO collection_items VALUES (1, :i, 0.5, 0)", i=kept)

    library.write(write)
    before = library.read(written, kept)
    inverse = library.write(likeness.keep_one, kept, [other], set_tag=say, now_ms=5)
    marks, tags, places = library.read(written, kept)
    assert marks == {"rating": 4, "is_favorite": 1, "notes": "mine\n\ntheirs"}
    # What the person said of the kept image itself stands: "not t1".
    assert [(row["tag_id"], row["decision"]) for row in tags] == [(1, 0), (2, 1), (3, 0)]
    assert places == [1, 2]
    library.write(likeness.undo_keep_one, inverse, set_tag=say, now_ms=6)
    assert library.read(written, kept) == before


def test_keeping_one_wants_others_that_are_there(library: Database) -> None:
    kept = image_named(library, "0.png")
    with pytest.raises(InvalidInputError):
        library.write(likeness.keep_one, kept, [kept], set_tag=say, now_ms=0)
    with pytest.raises(ConflictError):
        library.write(likeness.keep_one, kept, [GenerationId(7)], set_tag=say, now_ms=0)
