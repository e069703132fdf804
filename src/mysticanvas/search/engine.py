"""Answers queries from the index when it is warm, and from SQL until then. Pages come from SQL.

The index selects the IDs of a page only if SQL would have to scan: no table stores the order or the conditions in
order. Rows always come from SQL.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.errors import ModelUnusableError, NotFoundError, QueryError
from mysticanvas.domain.generation import BEFORE_ALL_IDS, GenerationId
from mysticanvas.domain.query import (
    ComputedImages,
    Field,
    Is,
    LooksLikeText,
    NamedValue,
    Order,
    Query,
    Similar,
    SimilarMeaning,
    SimilarPrompt,
    State,
)
from mysticanvas.search import facets, keyset_plan, ordering, paging
from mysticanvas.search.collection_names import read_collection_names
from mysticanvas.search.duplicates import Duplicates
from mysticanvas.search.facets import FacetValue
from mysticanvas.search.index import Index, NotWarmError
from mysticanvas.search.index_state import IndexState
from mysticanvas.search.matches import can_evaluate, find, find_tree
from mysticanvas.search.paging import Ids, ImageSummary
from mysticanvas.search.resolve import find_by_uuid, resolve
from mysticanvas.search.similarity import Similarity

P = ParamSpec("P")
T = TypeVar("T")

# The time limit for an exact answer from SQL about all images, before the index is warm.
SQL_LIMIT_MS = 20_000


@dataclass(frozen=True, slots=True)
class Answer:
    """All matches of a query, in its order. `arrived` is the number of positions that had been assigned in the index
    with this `epoch`; `epoch` is None if SQL answered."""

    ids: Ids
    epoch: int | None = None
    arrived: int = 0


class Finder:
    """Thread-safe. Read-only."""

    def __init__(
        self,
        database: Database,
        index: Index | None = None,
        *,
        similarity: Similarity | None = None,
        looks: Similarity | None = None,
        duplicates: Duplicates | None = None,
    ) -> None:
        self._database = database
        self._index = index
        self._similarity = similarity
        self._looks = looks
        self._duplicates = duplicates

    @property
    def warm(self) -> bool:
        return self._index is not None and self._index.warm

    def _ask_index(
        self, work: Callable[Concatenate[ReadTx, IndexState, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """The answer of the index; None if SQL must answer."""
        if self._index is None:
            return None
        try:
            return self._index.ask(work, *args, **kwargs)
        except NotWarmError:
            return None

    def prepare(self, query: Query) -> Query:
        """Add the IDs of similar images and duplicates to the query, so that all answers to it agree. Returns a query
        that is already prepared unchanged. Raises `QueryError` if similarity refers to an unknown image."""
        if query.known is not None:
            return query
        duplicates: tuple[int, ...] = ()
        if self._duplicates is not None and self._asks_for_duplicates(query):
            duplicates = tuple(self._duplicates.all())
        if query.similar is None or (similarity := self._get_similarity(query.similar)) is None:
            return replace(query, known=ComputedImages(duplicates=duplicates))
        within = None
        if query.where is not None:
            within = self.all(Query(query.where, known=ComputedImages(duplicates=duplicates))).ids
        similar = self._find_most_similar(similarity, query.similar, within)
        return replace(query, known=ComputedImages(tuple(similar.tolist()), duplicates))

    def _asks_for_duplicates(self, query: Query) -> bool:
        """Whether the query, or a smart collection that it may refer to, contains `is:duplicate`."""
        if Is(State.DUPLICATE) in query.terms:
            return True
        if not any(isinstance(term, NamedValue) and term.field is Field.COLLECTION for term in query.terms):
            return False
        return any(State.DUPLICATE.value in (one.query or "") for one in self._database.read(read_collection_names))

    def _get_similarity(self, similar: Similar) -> Similarity | None:
        return self._similarity if isinstance(similar, SimilarMeaning | SimilarPrompt) else self._looks

    def _find_most_similar(self, similarity: Similarity, similar: Similar, within: Ids | None) -> Ids:
        try:
            if isinstance(similar, SimilarMeaning | LooksLikeText):
                return similarity.to_text(similar.text, within=within).near
            images = self._database.read(find_by_uuid, similar.uuid)
            if not images:
                raise QueryError(f"No image has an ID that begins with {similar.uuid}. Check the ID.", 0)
            return similarity.to_image(GenerationId(images[0]), within=within).near
        except (NotFoundError, ModelUnusableError) as error:
            raise QueryError(str(error), 0) from error

    def all(self, asked: Query) -> Answer:
        query = self.prepare(asked)
        answer = self._ask_index(_find_in_index, query)
        return answer or Answer(self._database.read_within(SQL_LIMIT_MS, paging.find_ids, query))

    def count(self, asked: Query) -> int:
        query = self.prepare(asked)
        total = self._ask_index(_count_in_index, query)
        return self._database.read_within(SQL_LIMIT_MS, paging.count, query) if total is None else total

    def page(self, asked: Query, *, after: int | None, limit: int) -> list[ImageSummary]:
        """The next `limit` images after the image with the ID `after`; from the first if None."""
        query = self.prepare(asked)
        images = self._ask_index(_find_page_in_index, query, after, limit)
        if images is not None:
            return self._database.read(paging.read_rows, images)
        return self._database.read_within(SQL_LIMIT_MS, paging.read_page, query, after=after, limit=limit)

    def facets(
        self, asked: Query, fields: Sequence[Field], *, containing: str = "", limit: int
    ) -> dict[Field, list[FacetValue]]:
        query = self.prepare(asked)
        values = self._ask_index(_count_facets_in_index, query, fields, containing, limit)
        if values is not None:
            return values
        return self._database.read_within(SQL_LIMIT_MS, _count_facets_in_sql, query, fields, containing, limit)

    def tags_of(self, images: Ids) -> dict[int, int]:
        """The number of these images with each tag, by tag ID."""
        counts = self._ask_index(_count_tags_in_index, images)
        return self._database.read_within(SQL_LIMIT_MS, _count_tags_in_sql, images) if counts is None else counts

    def collection_names(self) -> list[str]:
        return [one.name for one in self._database.read(read_collection_names)]

    def count_arrivals(self, asked: Query, before: Answer) -> int:
        """The number of current matches that arrived after the answer `before`. If the order of arrival is not known,
        it counts the matches that are newer than all images of that answer."""
        query = self.prepare(asked)
        arrived = None if before.epoch is None else self._ask_index(_count_arrivals, query, before)
        if arrived is not None:
            return arrived
        newest = int(before.ids.max()) if len(before.ids) else BEFORE_ALL_IDS
        return self._database.read_within(SQL_LIMIT_MS, paging.count_after, query, newest)

    def geometry(self, ids: Ids) -> bytes:
        """Width / height × 1000 of each image, as little-endian 16-bit integers."""
        ratios = self._ask_index(_read_ratios_from_index, ids)
        if ratios is not None:
            return ratios
        return self._database.read_within(SQL_LIMIT_MS, paging.read_ratios, ids).astype("<u2").tobytes()


def _count_in_index(tx: ReadTx, state: IndexState, query: Query) -> int:
    return find(tx, state, query).total


def _find_in_index(tx: ReadTx, state: IndexState, query: Query) -> Answer:
    found = find(tx, state, query)
    return Answer(ordering.sort_ids(tx, found, query), state.epoch, state.columns.count)


def _find_page_in_index(tx: ReadTx, state: IndexState, query: Query, after: int | None, limit: int) -> list[int] | None:
    """None if SQL can read the page directly, or if the index would have to look up words first."""
    tree = resolve(tx, query)
    in_time = query.order.by in (Order.NEWEST, Order.OLDEST)
    if (in_time and keyset_plan.is_direct(tree)) or not can_evaluate(state, tree):
        return None
    ids = ordering.sort_ids(tx, find_tree(tx, state, tree), query)
    images: list[int] = paging.skip_through(ids, after)[:limit].tolist()
    return images


def _count_facets_in_index(
    tx: ReadTx, state: IndexState, query: Query, fields: Sequence[Field], containing: str, limit: int
) -> dict[Field, list[FacetValue]]:
    found = find(tx, state, query)
    return {field: facets.count_in_index(tx, found, field, containing=containing, limit=limit) for field in fields}


def _count_facets_in_sql(
    tx: ReadTx, query: Query, fields: Sequence[Field], containing: str, limit: int
) -> dict[Field, list[FacetValue]]:
    return {field: facets.count_in_sql(tx, query, field, containing=containing, limit=limit) for field in fields}


def _count_arrivals(tx: ReadTx, state: IndexState, query: Query, before: Answer) -> int | None:
    """None if positions were reassigned since."""
    if state.epoch != before.epoch:
        return None
    return int(np.count_nonzero(find(tx, state, query).positions >= before.arrived))


def _count_tags_in_index(_: ReadTx, state: IndexState, images: Ids) -> dict[int, int]:
    positions = state.positions_of(images)
    positions = np.unique(positions[positions >= 0])
    mask = np.zeros(state.columns.count, np.bool_)
    mask[positions] = True
    mask &= state.alive[: state.columns.count]
    counts = state.tag_lists.counts(mask, np.flatnonzero(mask), state.alive_count)
    return {tag: int(counts[tag]) for tag in np.flatnonzero(counts).tolist()}


def _count_tags_in_sql(tx: ReadTx, images: Ids) -> dict[int, int]:
    rows = tx.rows(
        """
        SELECT t.tag_id, count(*)
          FROM json_each(:images) AS i CROSS JOIN image_tags AS t ON t.generation_id = i.value
         GROUP BY t.tag_id
        """,
        images=json.dumps(images.tolist()),
    )
    return dict(rows)


def _read_ratios_from_index(_: ReadTx, state: IndexState, ids: Ids) -> bytes:
    positions = state.positions_of(ids)
    ratios = np.where(positions >= 0, state.columns["ratio_milli"][positions], 1000)
    return ratios.astype("<u2").tobytes()
