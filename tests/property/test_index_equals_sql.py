"""S4: the index and SQL give the same set, count, order and facets, after any sequence of edits."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.libraries import RandomLibrary

from mysticanvas.db.database import Database
from mysticanvas.domain.query import Query
from mysticanvas.search import evaluate as search_evaluate
from mysticanvas.search import facets, keyset_plan, language, ordering, paging
from mysticanvas.search.columns import Lists
from mysticanvas.search.engine import Finder
from mysticanvas.search.index import Index
from mysticanvas.search.index_caches import Caches
from mysticanvas.search.index_state import IndexState

FACETS_EVERY = 5


class DifferError(AssertionError):
    """The two disagree."""


def compare(library: RandomLibrary, index: Index, query: Query, *, with_facets: bool) -> None:
    text = language.write(query)
    if language.parse(text) != query:
        raise DifferError(f"not its own text: {text}")
    database = library.database
    expected = database.read(paging.find_ids, query)
    _same(text, "the order", index.ids(query).tolist(), expected.tolist())
    _same(text, "the count", index.count(query), database.read(paging.count, query))
    _compare_pages(library, index, query, expected.tolist())
    if with_facets:
        finder, cold = Finder(database, index), Finder(database)
        limit = library.chance.choice((1, 2, 4, 1_000))
        by_index = finder.facets(query, facets.FIELDS, limit=limit)
        _same(text, "the facets", by_index, cold.facets(query, facets.FIELDS, limit=limit))
        _same(text, "the tags", finder.tags_of(expected), cold.tags_of(expected))
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


def run(folder: Path, *, examples: int, seed: int, images: int) -> None:
    """`examples` times: some edits, then a question to both."""
    with Database.open(folder) as database, Index(database) as index:
        library = RandomLibrary(database, random.Random(seed))
        library.begin(images)
        index.build()
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


# -- that it would see ------------------------------------------------------------------------


def _forgets_the_changed(patch: pytest.MonkeyPatch) -> None:
    told = Index._on_commit

    def deaf(self: Index, changes: Any) -> None:
        changes.changed.clear()
        told(self, changes)

    patch.setattr(Index, "_on_commit", deaf)


def _keeps_the_trashed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(IndexState, "_forget", lambda self, positions: None)


def _keeps_old_words(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Caches, "_update_words", lambda *_: None)


def _keeps_old_bitmaps_of_tags(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Caches, "_update_postings", lambda *_: None)


def _keeps_old_collections(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(IndexState, "forget_collections", lambda self, collections: None)


def _forgets_what_those_who_come_back_were_in(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Caches, "_update_collections", lambda self, tx, positions, ids: None)


def _counts_lists_that_were_given_up(patch: pytest.MonkeyPatch) -> None:
    given_up = Lists.give_up

    def forgetful(self: Lists, positions: Any) -> list[int]:
        totals = self._totals.copy()
        had = given_up(self, positions)
        self._totals = totals
        return had

    patch.setattr(Lists, "give_up", forgetful)


def _takes_arrival_for_age(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(IndexState, "ids_ascending", lambda self, mask, positions: (self.columns["id"][positions], positions))


def _compares_without_the_end(patch: pytest.MonkeyPatch) -> None:
    within = search_evaluate._is_within
    patch.setattr(
        search_evaluate, "_is_within", lambda values, interval: within(values, interval) & (values != interval.low)
    )


def _breaks_ties_oldest_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ordering, "_argsort", lambda keys: np.lexsort((-np.arange(len(keys)), keys)) if len(keys) else keys)


def _keeps_old_places_among_names(patch: pytest.MonkeyPatch) -> None:
    ranks = IndexState.name_ranks

    def once(self: IndexState, tx: Any) -> Any:
        kept = getattr(_keeps_old_places_among_names, "ranks", None)
        if kept is None or len(kept) < self.columns.count:
            kept = ranks(self, tx)
            _keeps_old_places_among_names.ranks = kept  # type: ignore[attr-defined]
        return kept

    patch.setattr(IndexState, "name_ranks", once)


def _asks_only_one_arm_of_a_union(patch: pytest.MonkeyPatch) -> None:
    union = keyset_plan._combine_sources

    def first(parts: Any) -> Any:
        found = union(parts)
        return found and keyset_plan.Source(found.arms[:1], found.whole)

    patch.setattr(keyset_plan, "_combine_sources", first)


def _stops_counting_tags_too_soon(patch: pytest.MonkeyPatch) -> None:
    most_used = IndexState.most_used_tags

    def fewer(self: IndexState, mask: Any, positions: Any, most: int) -> Any:
        found = most_used(self, mask, positions, most)
        return found and dict(list(found.items())[:most])

    patch.setattr(IndexState, "most_used_tags", fewer)


def _takes_the_driver_for_all(patch: pytest.MonkeyPatch) -> None:
    driven = keyset_plan._choose_driver
    patch.setattr(keyset_plan, "_choose_driver", lambda tx, parts: (driven(tx, parts)[0], []))


def run_twice(folder: Path) -> None:
    for seed in (6, 7):
        run(folder / str(seed), examples=1_000, seed=seed, images=60)


@pytest.mark.parametrize(
    "plant",
    [
        _forgets_the_changed,
        _keeps_the_trashed,
        _keeps_old_words,
        _keeps_old_bitmaps_of_tags,
        _keeps_old_collections,
        _forgets_what_those_who_come_back_were_in,
        _counts_lists_that_were_given_up,
        _takes_arrival_for_age,
        _compares_without_the_end,
        _breaks_ties_oldest_first,
        _keeps_old_places_among_names,
        _asks_only_one_arm_of_a_union,
        _takes_the_driver_for_all,
        _stops_counting_tags_too_soon,
    ],
)
def test_a_planted_difference_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    plant(monkeypatch)
    with pytest.raises(DifferError):
        run_twice(tmp_path)
