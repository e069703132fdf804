"""Sorts matches of the index. Every order is total and identical to the order in SQL."""

import numpy as np
from numpy.typing import NDArray

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.query import Order, Query
from mysticanvas.search import index_loader, paging, sql
from mysticanvas.search.columns import Positions
from mysticanvas.search.matches import Found

Ids = NDArray[np.int64]
_PRIME = 2_147_483_647


def sort_ids(tx: ReadTx, found: Found, query: Query) -> Ids:
    """The IDs of all matches, in the order of the query."""
    sort = query.order
    ascending, positions = found.ascending
    if sort.by is Order.OLDEST:
        return ascending
    newest, positions = ascending[::-1], positions[::-1]
    match sort.by:
        case Order.NEWEST:
            return newest.copy()
        case Order.RELEVANCE:
            return paging.sort_by_relevance(tx, found.tree, newest)
        case Order.NAME:
            return newest[_argsort(found.state.name_ranks(tx)[positions])]
        case Order.SIMILARITY:
            return paging.sort_by_similarity(query, newest)
        case Order.RATING:
            return newest[_argsort(-found.state.columns["rating"][positions].astype(np.int64))]
        case Order.ADDED:
            return newest[_argsort(-found.state.columns["added"][positions])]
        case Order.SIZE:
            return newest[_argsort(-_count_pixels(found, positions))]
        case Order.MANUAL:
            return newest[
                _argsort(
                    _find_places(index_loader.read_manual_order(tx, sql.find_ordering_collections(found.tree)), newest)
                )
            ]
        case _:
            return newest[_argsort(_build_shuffle_keys(newest, sort.seed or 0))]


def _argsort(keys: NDArray[np.int64]) -> Positions:
    """A stable argsort. Sorting integers that pack key and index (32 bits each) is several times faster than NumPy's
    stable argsort."""
    low = int(keys.min()) if len(keys) else 0
    if len(keys) and int(keys.max()) - low >= 1 << 31:
        return np.argsort(keys, kind="stable")
    packed = ((keys - low) << 32) | np.arange(len(keys), dtype=np.int64)
    packed.sort()
    return packed & 0xFFFFFFFF


def _find_places(arranged: Ids, ids_: Ids) -> NDArray[np.int64]:
    """The index of each ID in `arranged`; `len(arranged)` if it is not in there."""
    by_id = np.argsort(arranged)
    if not len(by_id):
        return np.zeros(len(ids_), np.int64)
    at = by_id[np.minimum(np.searchsorted(arranged[by_id], ids_), len(by_id) - 1)]
    return np.where(arranged[at] == ids_, at, len(arranged))


def _count_pixels(found: Found, positions: Positions) -> NDArray[np.int64]:
    sizes = found.state.columns.sizes.values
    pixels = np.array([width * height if width >= 0 <= height else 0 for width, height in sizes], np.int64)
    return np.asarray(pixels[found.state.columns["size"][positions]])


def _build_shuffle_keys(ids_: Ids, seed: int) -> NDArray[np.int64]:
    """The same sort keys as in `sql.build_order_key`."""
    first, second = sql.compute_shuffle_factors(seed)
    once = (ids_ % _PRIME) * first % _PRIME
    return (once ^ (once >> 15)) * second % _PRIME
