"""Keyset pages: equally fast at any depth, without skipped or repeated images.

Newest and oldest first use a database index (`keyset_plan.py`). The other orders sort all matches, so they are only
used for small libraries and until the in-memory index is warm.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.file import MAX_STORED
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.query import Order, Query, Sort
from mysticanvas.search import keyset_plan
from mysticanvas.search.resolve import Both, Tree, Without, Words, resolve
from mysticanvas.search.sql import Values, build_condition, build_order_key

Ids = NDArray[np.int64]
# Only this number of the newest matches is ranked by relevance. Older ones follow, newest first.
MAX_RANKED = 5_000
# Prompt, negative prompt, notes.
_WEIGHTS = "10.0, 1.0, 4.0"


@dataclass(frozen=True, slots=True)
class ImageSummary:
    id: GenerationId
    uuid: str
    path: str | None
    timestamp: int
    prompt: str | None
    thumb: str | None
    favorite: bool
    rating: int


def read_page(tx: ReadTx, query: Query, *, after: int | None, limit: int) -> list[ImageSummary]:
    """The next `limit` images after the image with the ID `after`; from the first if None.

    If that image was removed, only newest and oldest first can continue; other orders raise `InvalidInputError`.
    """
    if query.order.by is Order.SIMILARITY:
        return read_rows(tx, skip_through(find_ids(tx, query), after)[:limit].tolist())
    return read_rows(tx, read_page_ids(tx, resolve(tx, query), query.order, after=after, limit=limit))


def read_page_ids(tx: ReadTx, tree: Tree, sort: Sort, *, after: int | None, limit: int) -> list[int]:
    if sort.by in (Order.NEWEST, Order.OLDEST):
        return keyset_plan.read_page_ids(tx, tree, after=after, limit=limit, oldest_first=sort.by is Order.OLDEST)
    if sort.by is Order.RATING:
        return _read_page_by_rating(tx, tree, after, limit)
    if sort.by is Order.ADDED:
        return _read_page_by_added(tx, tree, after, limit)
    if sort.by is Order.RELEVANCE:
        ranked: list[int] = skip_through(_find_ids_by_relevance(tx, tree), after)[:limit].tolist()
        return ranked
    return _read_page_by_key(tx, tree, sort, after, limit)


def _read_page_by_rating(tx: ReadTx, tree: Tree, after: int | None, limit: int) -> list[int]:
    """Rated images by the index of ratings, then unrated images by ID."""
    rating = 1 << 31 if after is None else _read_sort_key(tx, "l.rating", after)
    found: list[int] = []
    if rating > 0:
        values = Values({"rating": rating, "after": after or 0, "limit": limit})
        found = tx.column(
            f"""
            SELECT l.id
              FROM live_generations AS l INDEXED BY live_rated
             WHERE l.rating > 0 AND (l.rating, l.id) < (:rating, :after)
               AND {build_condition(Both((tree,)), values, probe=True)}
             ORDER BY l.rating DESC, l.id DESC
             LIMIT :limit
            """,  # noqa: S608 - a condition of search/sql.py
            **values.by_name,
        )
        after = None
    if len(found) < limit:
        values = Values({"after": 1 << 62 if after is None else after, "limit": limit - len(found)})
        found += tx.column(
            f"""
            SELECT l.id
              FROM live_generations AS l
             WHERE l.rating = 0 AND l.id < :after AND {build_condition(Both((tree,)), values, probe=True)}
             ORDER BY l.id DESC
             LIMIT :limit
            """,  # noqa: S608
            **values.by_name,
        )
    return found


def _read_page_by_added(tx: ReadTx, tree: Tree, after: int | None, limit: int) -> list[int]:
    """The image that was imported last first, by the index of imports."""
    added = "(SELECT g.imported_at FROM generations AS g WHERE g.id = l.id)"
    added_ms = MAX_STORED if after is None else _read_sort_key(tx, added, after)
    values = Values({"added_ms": added_ms, "after": after or 0, "limit": limit})
    return tx.column(
        f"""
        SELECT g.id
          FROM generations AS g INDEXED BY generations_by_import
               CROSS JOIN live_generations AS l ON l.id = g.id
         WHERE (g.imported_at, g.id) < (:added_ms, :after)
           AND {build_condition(Both((tree,)), values, probe=True)}
         ORDER BY g.imported_at DESC, g.id DESC
         LIMIT :limit
        """,  # noqa: S608 - a condition of search/sql.py
        **values.by_name,
    )


def _read_sort_key(tx: ReadTx, expression: str, image: int, values: Values | None = None) -> Any:
    """The sort key of an image. Raises `InvalidInputError` if the image was removed."""
    found = tx.value(
        f"SELECT {expression} FROM {_LIVE_WITH_FILE} WHERE l.id = :image",  # noqa: S608 - a key of search/sql.py
        **(values.by_name if values else {}),
        image=image,
    )
    if found is None:
        raise InvalidInputError("The last image of the previous page was removed. Load the first page again.")
    return found


_LIVE_WITH_FILE = "live_generations AS l LEFT JOIN generation_files AS f ON f.generation_id = l.id AND f.kind = 'final'"


def _read_page_by_key(tx: ReadTx, tree: Tree, sort: Sort, after: int | None, limit: int) -> list[int]:
    values = Values()
    key = build_order_key(sort, tree, values)
    where = build_condition(Both((tree,)), values, probe=False)
    if after is not None:
        at_key, at = values.bind(_read_sort_key(tx, key, after, values)), values.bind(after)
        where += f" AND ({key} > {at_key} OR ({key} = {at_key} AND l.id < {at}))"
    return tx.column(
        f"SELECT l.id FROM {_LIVE_WITH_FILE} WHERE {where} ORDER BY {key}, l.id DESC LIMIT {values.bind(limit)}",  # noqa: S608
        **values.by_name,
    )


def find_ids(tx: ReadTx, query: Query) -> Ids:
    """The IDs of all matches, in the order of the query."""
    tree, sort = resolve(tx, query), query.order
    if sort.by is Order.RELEVANCE:
        return _find_ids_by_relevance(tx, tree)
    values = Values()
    table = _LIVE_WITH_FILE if sort.by is Order.NAME else "live_generations AS l"
    match sort.by:
        case Order.NEWEST | Order.SIMILARITY:
            order = "l.id DESC"
        case Order.OLDEST:
            order = "l.id"
        case Order.RATING:
            order = "l.rating DESC, l.id DESC"
        case Order.ADDED:
            table += " JOIN generations AS g ON g.id = l.id"
            order = "g.imported_at DESC, l.id DESC"
        case _:
            order = f"{build_order_key(sort, tree, values)}, l.id DESC"
    found = parse_ids(
        tx.value(
            f"""
            SELECT group_concat(id)
              FROM (SELECT l.id
                      FROM {table}
                     WHERE {build_condition(Both((tree,)), values, probe=False)}
                     ORDER BY {order})
            """,  # noqa: S608 - a condition of search/sql.py
            **values.by_name,
        )
    )
    return sort_by_similarity(query, found) if sort.by is Order.SIMILARITY else found


def sort_by_similarity(query: Query, found: Ids) -> Ids:
    """The matches, the most similar first."""
    known = query.known
    if known is None or known.similar is None:
        return found
    similar = np.array(known.similar, np.int64)
    return similar[np.isin(similar, found)]


def parse_ids(ids_text: str | None) -> Ids:
    """Parse the IDs of a `group_concat`."""
    return np.empty(0, np.int64) if not ids_text else np.fromstring(ids_text, np.int64, sep=",")


def count(tx: ReadTx, query: Query) -> int:
    """The exact number of matches."""
    values = Values()
    where = build_condition(Both((resolve(tx, query),)), values, probe=False)
    return int(tx.value(f"SELECT count(*) FROM live_generations AS l WHERE {where}", **values.by_name))  # noqa: S608


def count_after(tx: ReadTx, query: Query, newest: int) -> int:
    """The number of matches that are newer than the ID."""
    values = Values({"newest": newest})
    where = build_condition(Both((resolve(tx, query),)), values, probe=False)
    return int(
        tx.value(f"SELECT count(*) FROM live_generations AS l WHERE l.id > :newest AND {where}", **values.by_name)  # noqa: S608
    )


def read_ratios(tx: ReadTx, images: Ids) -> NDArray[np.uint16]:
    """Width / height × 1000 of each image; 1000 for a removed image."""
    row = tx.all(
        """
        SELECT group_concat(id) AS ids, group_concat(ratio_milli) AS ratios
          FROM (SELECT id, ratio_milli
                  FROM live_generations
                 WHERE id BETWEEN :first AND :last
                 ORDER BY id)
        """,
        first=int(images.min()) if len(images) else 0,
        last=int(images.max()) if len(images) else 0,
    )[0]
    known, ratios_ = parse_ids(row["ids"]), parse_ids(row["ratios"])
    if not len(known):
        return np.full(len(images), 1000, np.uint16)
    at = np.minimum(np.searchsorted(known, images), len(known) - 1)
    return np.where(known[at] == images, ratios_[at], 1000).astype(np.uint16)


# -- relevance --------------------------------------------------------------------------------


def _find_ids_by_relevance(tx: ReadTx, tree: Tree) -> Ids:
    values = Values()
    where = build_condition(Both((tree,)), values, probe=False)
    found = parse_ids(
        tx.value(
            f"SELECT group_concat(id) FROM (SELECT l.id FROM live_generations AS l WHERE {where} ORDER BY l.id DESC)",  # noqa: S608
            **values.by_name,
        )
    )
    return sort_by_relevance(tx, tree, found)


def sort_by_relevance(tx: ReadTx, tree: Tree, found: Ids) -> Ids:
    """Sort the newest of the descending IDs by how well they match the words. Without words, the order is unchanged."""
    match = " OR ".join(f"({words.phrase.match})" for words in _list_words(tree))
    if not match:
        return found
    ranks = tx.all(
        f"""
        SELECT wanted.value AS id, bm25(generations_fts, {_WEIGHTS}) AS rank
          FROM json_each(:ids) AS wanted
               CROSS JOIN generations_fts ON generations_fts.rowid = wanted.value
         WHERE generations_fts MATCH :match
        """,  # noqa: S608 - weights of our own
        ids=json.dumps(found[:MAX_RANKED].tolist()),
        match=match,
    )
    rank = {row["id"]: row["rank"] for row in ranks}
    best = sorted(found[:MAX_RANKED].tolist(), key=lambda image: (rank.get(image, 0.0), -image))
    return np.concatenate([np.array(best, np.int64), found[MAX_RANKED:]])


def _list_words(tree: Tree) -> list[Words]:
    match tree:
        case Words():
            return [tree]
        case Without():
            return []
        case _:
            return [words for part in getattr(tree, "parts", ()) for words in _list_words(part)]


def skip_through(found: Ids, after: int | None) -> Ids:
    """The IDs after the image `after`. Raises `InvalidInputError` if it is not among them."""
    if after is None:
        return found
    place = np.flatnonzero(found == after)
    if not len(place):
        raise InvalidInputError("The last image of the previous page was removed. Load the first page again.")
    return found[int(place[0]) + 1 :]


# -- rows -------------------------------------------------------------------------------------


def read_rows(tx: ReadTx, images: Sequence[int]) -> list[ImageSummary]:
    """The images with these IDs, in this order. Removed images are omitted."""
    found = tx.all(
        """
        SELECT l.id, l.uuid, g.timestamp, g.prompt, lower(hex(l.content_hash)) AS thumb, l.is_favorite AS favorite,
               l.rating, r.path || '/' || f.path AS path
          FROM json_each(:ids) AS wanted
               JOIN live_generations AS l ON l.id = wanted.value
               JOIN generations AS g ON g.id = l.id
               LEFT JOIN generation_files AS f ON f.generation_id = l.id AND f.kind = 'final'
               LEFT JOIN roots AS r ON r.id = f.root_id
        """,
        ids=json.dumps(list(images)),
    )
    by_id = {row["id"]: row for row in found}
    return [
        ImageSummary(**(by_id[i] | {"favorite": bool(by_id[i]["favorite"]), "thumb": by_id[i]["thumb"] or None}))
        for i in images
        if i in by_id
    ]
