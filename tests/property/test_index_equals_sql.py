"""S4: the index and SQL give the same set, count, order and facets, after any sequence of edits."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.libraries import RandomLibrary

from mysticanvas.domain.query import Query
from mysticanvas.search import facets, language, paging
from mysticanvas.search.finding import Finder
from mysticanvas.search.index import Index
from mysticanvas.store.database import Database

FACETS_EVERY = 5


class DifferError(AssertionError):
    """The two disagree."""


def compare(library: RandomLibrary, index: Index, query: Query, *, with_facets: bool) -> None:
    text = language.write(query)
    if language.parse(text) != query:
        raise DifferError(f"not its own text: {text}")
    database = library.database
    expected = database.read(paging.ids, query)
    _same(text, "the order", index.ids(query).tolist(), expected.tolist())
    _same(text, "the count", index.count(query), database.read(paging.count, query))
    _compare_pages(library, index, query, expected.tolist())
    if with_facets:
        finder, cold = Finder(database, index), Finder(database)
        by_index = finder.facets(query, facets.FIELDS, limit=1_000)
        _same(text, "the facets", by_index, cold.facets(query, facets.FIELDS, limit=1_000))
        _same(text, "the geometry", finder.geometry(expected), cold.geometry(expected))


def _compare_pages(library: RandomLibrary, index: Index, query: Query, expected: list[int]) -> None:
    """A page from anywhere, of SQL by keyset and of the finder."""
    after = library.chance.choice([None, *expected])
    begin = 0 if after is None else expected.index(after) + 1
    limit = library.chance.randrange(1, 20)
    for finder in (Finder(library.database), Finder(library.database, index)):
        page = [hit.id for hit in finder.page(query, after=after, limit=limit)]
        _same(language.write(query), f"the page after {after}", page, expected[begin : begin + limit])


def _same(text: str, what: str, index: object, sql: object) -> None:
    if index != sql:
        raise DifferError(f"{what} of {text!r}: index {index!r}, SQL {sql!r}")


def run(folder: Path, *, examples: int, seed: int, images: int, spoil: Callable[[Index], None] | None = None) -> None:
    """`examples` times: some edits, then a question to both."""
    with Database.open(folder) as database, Index(database) as index:
        library = RandomLibrary(database, random.Random(seed))
        library.begin(images)
        index.build()
        if spoil:
            spoil(index)
        for number in range(examples):
            for _ in range(library.chance.randrange(3)):
                library.edit()
            compare(library, index, library.query(), with_facets=number % FACETS_EVERY == 0)


@pytest.mark.parametrize(("seed", "images"), [(1, 0), (2, 3), (3, 40), (4, 150), (5, 150)])
def test_index_and_sql_agree_after_any_edits(tmp_path: Path, seed: int, images: int) -> None:
    run(tmp_path, examples=1_000, seed=seed, images=images)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 30))
def test_index_and_sql_agree_after_many_more_edits(tmp_path: Path, seed: int) -> None:
    run(tmp_path, examples=1_000, seed=seed, images=seed * 10)
