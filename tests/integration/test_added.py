"""The time of import: `added:` and `sort:added`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.libraries import FIRST_S, add_image, fill

from mysticanvas.db.database import Database
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import QueryError
from mysticanvas.search import autocomplete, language, paging
from mysticanvas.search.engine import Finder
from mysticanvas.search.index import Index

HOUR_MS = 3_600_000
# Hours since the import, by the second since 2010 at which the image was made.
AGES_H = {FIRST_S: 0.5, FIRST_S + 1: 2000, FIRST_S + 2: 30}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "library") as opened:
        opened.write(fill)
        for second, hours in AGES_H.items():
            image = opened.write(add_image, second)
            opened.write(
                lambda tx, image=image, hours=hours: tx.run(
                    "UPDATE generations SET imported_at = :ms WHERE id = :image",
                    ms=now_ms() - int(hours * HOUR_MS),
                    image=image,
                )
            )
        yield opened


@pytest.mark.parametrize(
    ("text", "ages_h"),
    [
        ("added:1h", [0.5]),
        ("added:>=1h", [0.5]),
        ("added:48h", [30, 0.5]),
        ("added:7d sort:added", [0.5, 30]),
        ("-added:48h", [2000]),
        ("imported:48h..1h sort:added", [0.5, 30]),
        ("sort:added", [0.5, 30, 2000]),
        ("added:1999", []),
    ],
)
def test_images_are_found_by_their_time_of_import(database: Database, text: str, ages_h: list[float]) -> None:
    query = language.parse(text)
    with Index(database) as index:
        index.build()
        found = [index.ids(query).tolist(), database.read(paging.find_ids, query).tolist()]
    pages = [hit.id for hit in database.read(paging.read_page, query, after=None, limit=9)]
    for ids in (*found, pages):
        assert [AGES_H[image >> 8] for image in ids] == ages_h


def test_pages_in_order_of_import_continue_after_an_image(database: Database) -> None:
    query = language.parse("sort:added")
    first = database.read(paging.read_page, query, after=None, limit=1)
    rest = database.read(paging.read_page, query, after=first[0].id, limit=9)
    assert [AGES_H[hit.id >> 8] for hit in (*first, *rest)] == [0.5, 30, 2000]


@pytest.mark.parametrize("text", ["added:soon", "added:>6h", "added:", "date:6h", "added:1h2"])
def test_a_time_of_import_that_makes_no_sense_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(QueryError) as refused:
        language.parse(text)
    assert refused.value.suggestion is not None


def test_autocomplete_offers_times_of_import(database: Database) -> None:
    finder = Finder(database)
    assert "added:" in [offer.text for offer in autocomplete.complete(finder, "add", 3).offers]
    assert "added:1h" in [offer.text for offer in autocomplete.complete(finder, "added:", 6).offers]
    assert "sort:added" in [offer.text for offer in autocomplete.complete(finder, "sort:", 5).offers]
