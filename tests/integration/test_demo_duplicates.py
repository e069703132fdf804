"""The demo library: what Duplicates proposes there."""

from collections.abc import Iterator

import pytest
from tests.integration.test_similarity import take_in, wait_for, working

from mysticanvas.db.database import Database
from mysticanvas.demo.make import make_demo
from mysticanvas.domain.similarity import DuplicateKind
from mysticanvas.features.duplicates import candidate_queries
from mysticanvas.features.duplicates.proposal import Candidate, propose
from mysticanvas.imaging import hash_search
from mysticanvas.search import image_hashes
from mysticanvas.search.duplicates import NEAR_BITS, Duplicates

# Of 240, which take minutes to paint, the first.
IMAGES = 80


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    home = tmp_path_factory.mktemp("demo")
    paths = make_demo(home / "pictures", IMAGES)
    with Database.open(home / "library") as database:
        with working(database, home) as pool:
            take_in(database, pool, home / "pictures")
            wait_for(
                lambda: database.read(lambda tx: tx.value("SELECT count(*) FROM picture_hashes")) >= len(paths) - 5
            )
        yield database


def has_generation_data(image: Candidate) -> bool:
    return bool({"prompt", "seed"} & set(image.data.list_known()))


def test_no_group_of_the_demo_proposes_to_trash_the_only_copy_with_its_generation_data(demo: Database) -> None:
    for kind in (DuplicateKind.PICTURE, DuplicateKind.RECIPE):
        for group in Duplicates(demo).page(kind, start=0, count=1_000).groups:
            images = demo.read(candidate_queries.list_candidates, group.images)
            kept = propose(images).kept
            if kept is not None and any(has_generation_data(one) for one in images):
                assert has_generation_data(next(one for one in images if one.image == kept))


def test_upscales_and_variations_of_the_demo_are_alike_but_no_duplicates(demo: Database) -> None:
    ids, _, content = demo.read(image_hashes.read_hashes)
    pairs = hash_search.find_near_pairs(hash_search.unpack_hashes(content), NEAR_BITS)
    parents = {image: one.parent for image, one in demo.read(image_hashes.read_origins, ids).items()}
    groups = [set(group.images) for group in Duplicates(demo).page(DuplicateKind.PICTURE, start=0, count=1_000).groups]
    related = [{ids[a], ids[b]} for a, b in pairs if parents[ids[a]] == ids[b] or parents[ids[b]] == ids[a]]
    assert len(related) >= 4
    assert not [pair for pair in related if any(pair <= group for group in groups)]
