"""Evaluates a resolved tree over the index. Must agree with `sql.build_condition`; a property test compares them."""

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.query import Interval, State, Thing
from mysticanvas.search import index_loader
from mysticanvas.search.columns import NONE, Mask
from mysticanvas.search.index_state import IndexState as Index
from mysticanvas.search.resolve import (
    Amount,
    Both,
    Collected,
    Either,
    Everything,
    Flag,
    Folders,
    Ids,
    Leaf,
    Models,
    Ratios,
    Seed,
    Sides,
    Span,
    Spelled,
    Tags,
    Tree,
    Uses,
    Without,
    Words,
    ascii_lower,
    like,
)

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FLAG_BITS = {State.MISSING: 1, State.DAMAGED: 2, State.ANIMATED: 4}
_HAS_BITS = {name: bit for bit, name in enumerate(index_loader.HAS)}


def live(index: Index, tx: ReadTx, tree: Tree) -> Mask:
    """The live images that match the tree."""
    return _mask(index, tx, tree) & index.alive[: index.columns.count]


def _mask(index: Index, tx: ReadTx, tree: Tree) -> Mask:
    match tree:
        case Both(parts):
            return functools.reduce(operator.and_, (_mask(index, tx, part) for part in parts))
        case Either(parts):
            return functools.reduce(operator.or_, (_mask(index, tx, part) for part in parts))
        case Without(part):
            return ~_mask(index, tx, part)
        case _:
            return _leaf(index, tx, tree)


def _leaf(index: Index, tx: ReadTx, leaf: Leaf) -> Mask:
    columns = index.columns
    match leaf:
        case Everything():
            return np.ones(columns.count, np.bool_)
        case Words(phrase):
            return _spread(index, index.with_words(tx, phrase))
        case Tags(ids):
            return _spread(index, *(index.with_tag(tag) for tag in ids))
        case Collected(ids):
            return _spread(index, *(index.in_collection(tx, collection) for collection in ids))
        case Uses(role, ids, None):
            return _spread(index, *(index.with_model(role, model) for model in ids))
        case Uses(role, ids, weight) if weight is not None:
            return _weighed(index, role, ids, weight)
        case Models(ids):
            return np.isin(columns["model"], np.array(ids, np.int32))
        case Seed(value):
            return index.columns.with_seed(value)
        case Ids(ids):
            mask = np.zeros(columns.count, np.bool_)
            positions = index.positions_of(np.array(ids, np.int64))
            mask[positions[positions >= 0]] = True
            return mask
        case Span(first, until):
            return index.between(first, until)
        case Ratios(low, high):
            return (columns["ratio_milli"] >= low) & (columns["ratio_milli"] <= high)
        case Amount("pixels", interval):
            pixels = np.array([width * height for width, height in index.columns.sizes.values], np.float64)
            return _coded(index, "size", _within(pixels, interval) & _known_sizes(index))
        case Amount("steps", interval):
            return np.asarray(columns["steps"] != NONE) & _within(columns["steps"], interval)
        case Amount(column, interval):
            # An unknown CFG scale or score is NaN, which is within no interval.
            return _within(columns[column], interval)
        case Sides(compared, width, height):
            compare = _COMPARE[compared]
            fits = [compare(one[0], width) and compare(one[1], height) for one in index.columns.sizes.values]
            return _coded(index, "size", np.array(fits, np.bool_) & _known_sizes(index))
        case _:
            return _named(index, leaf)


def _named(index: Index, leaf: Leaf) -> Mask:
    match leaf:
        case Flag(what):
            return _flag(index, what)
        case Spelled("sampler", pattern):
            return _coded(index, "sampler", [_spelled(value, pattern) for value in index.columns.samplers.values])
        case Spelled(_, pattern):
            return _coded(index, "engine", [_spelled(value, pattern) for value in index.columns.engines.values])
        case Folders(places):
            fits = [any(_is_at(place, *folder) for place in places) for folder in index.columns.folders.values]
            return _coded(index, "folder", fits)
        case _:
            raise TypeError(leaf)


def _spread(index: Index, *bitmaps: BitMap) -> Mask:
    mask = np.zeros(index.columns.count, np.bool_)
    for bitmap in bitmaps:
        if bitmap:
            mask[np.frombuffer(bitmap.to_array(), np.uint32)] = True
    return mask


def _weighed(index: Index, role: str, ids: tuple[int, ...], weight: Interval) -> Mask:
    mask = np.zeros(index.columns.count, np.bool_)
    for model in ids:
        positions, weights = index.model_lists.having(index_loader.model_code(role, model))
        assert weights is not None
        mask[positions[_within(weights, weight)]] = True
    return mask


def _known_sizes(index: Index) -> Mask:
    return np.array([width >= 0 <= height for width, height in index.columns.sizes.values], np.bool_)


def _within(values: NDArray[Any], interval: Interval) -> Mask:
    mask = np.ones(len(values), np.bool_)
    if interval.low is not None:
        mask &= values > interval.low if interval.without_low else values >= interval.low
    if interval.high is not None:
        mask &= values < interval.high if interval.without_high else values <= interval.high
    return mask


def _flag(index: Index, what: State | Thing) -> Mask:
    columns = index.columns
    match what:
        case State.FAVORITE:
            favorite: Mask = columns["favorite"].copy()
            return favorite
        case State.GRID:
            return _has(index, "grid")
        case State():
            flagged: Mask = (columns["flags"] & _FLAG_BITS[what]) != 0
            return flagged
        case Thing.RATING:
            return np.asarray(columns["rating"] > 0)
        case Thing.MODEL:
            return np.asarray(columns["model"] != 0)
        case Thing.TAG:
            return index.tag_lists.has_any(columns.count)
        case Thing.LORA | Thing.VAE:
            return index.model_lists.has_one_like(
                index_loader.ROLES.index(what.value), len(index_loader.ROLES), columns.count
            )
        case _:
            return _has(index, what.value)


def _has(index: Index, what: str) -> Mask:
    mask: Mask = (index.columns["has"] >> _HAS_BITS[what]) & 1 == 1
    return mask


def _coded(index: Index, column: str, fits: Sequence[bool] | Mask) -> Mask:
    """The images whose code in the column fits."""
    if not len(fits):
        return np.zeros(index.columns.count, np.bool_)
    mask: Mask = np.array(fits, np.bool_)[index.columns[column]]
    return mask


def _spelled(value: str | None, pattern: str) -> bool:
    return value is not None and like(pattern, ascii_lower(value))


def _is_at(place: tuple[int | None, str], root: int, folder: str) -> bool:
    only_root, pattern = place
    if only_root is not None and only_root != root:
        return False
    return not pattern or (bool(folder) and like(pattern + "/*", ascii_lower(folder) + "/"))
