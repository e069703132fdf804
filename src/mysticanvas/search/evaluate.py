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
    Either,
    Everything,
    Flag,
    Folders,
    Ids,
    InCollections,
    Leaf,
    Models,
    Ratios,
    Seed,
    Sides,
    Span,
    Spelling,
    Tags,
    Tree,
    Uses,
    Without,
    Words,
    lower_ascii,
    matches_pattern,
)

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FLAG_BITS = {State.MISSING: 1, State.DAMAGED: 2, State.ANIMATED: 4, State.TOO_LARGE: 8}
_HAS_BITS = {name: bit for bit, name in enumerate(index_loader.HAS)}


def find_live(index: Index, tx: ReadTx, tree: Tree) -> Mask:
    """The live images that match the tree."""
    return _evaluate(index, tx, tree) & index.alive[: index.columns.count]


def _evaluate(index: Index, tx: ReadTx, tree: Tree) -> Mask:
    match tree:
        case Both(parts):
            return functools.reduce(operator.and_, (_evaluate(index, tx, part) for part in parts))
        case Either(parts):
            return functools.reduce(operator.or_, (_evaluate(index, tx, part) for part in parts))
        case Without(part):
            return ~_evaluate(index, tx, part)
        case _:
            return _evaluate_leaf(index, tx, tree)


def _evaluate_leaf(index: Index, tx: ReadTx, leaf: Leaf) -> Mask:
    columns = index.columns
    match leaf:
        case Everything():
            return np.ones(columns.count, np.bool_)
        case Words(phrase):
            return _merge_bitmaps(index, index.with_words(tx, phrase))
        case Tags(ids):
            return _merge_bitmaps(index, *(index.with_tag(tag) for tag in ids))
        case InCollections(ids):
            return _merge_bitmaps(index, *(index.in_collection(tx, collection) for collection in ids))
        case Uses(role, ids, None):
            return _merge_bitmaps(index, *(index.with_model(role, model) for model in ids))
        case Uses(role, ids, weight) if weight is not None:
            return _evaluate_weights(index, role, ids, weight)
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
            return _evaluate_codes(index, "size", _is_within(pixels, interval) & _has_size(index))
        case Amount("steps", interval):
            return np.asarray(columns["steps"] != NONE) & _is_within(columns["steps"], interval)
        case Amount(column, interval):
            # An unknown CFG scale or score is NaN, which is within no interval.
            return _is_within(columns[column], interval)
        case Sides(compared, width, height):
            compare = _COMPARE[compared]
            fits = [compare(one[0], width) and compare(one[1], height) for one in index.columns.sizes.values]
            return _evaluate_codes(index, "size", np.array(fits, np.bool_) & _has_size(index))
        case _:
            return _evaluate_name(index, leaf)


def _evaluate_name(index: Index, leaf: Leaf) -> Mask:
    match leaf:
        case Flag(what):
            return _evaluate_flag(index, what)
        case Spelling("sampler", pattern):
            return _evaluate_codes(index, "sampler", _match_values(index.columns.samplers.values, pattern))
        case Spelling(_, pattern):
            return _evaluate_codes(index, "engine", _match_values(index.columns.engines.values, pattern))
        case Folders(places):
            sets = index.columns.folders.values
            fits = [any(_is_at(place, *folder) for folder in one for place in places) for one in sets]
            return _evaluate_codes(index, "folder", fits)
        case _:
            raise TypeError(leaf)


def _merge_bitmaps(index: Index, *bitmaps: BitMap) -> Mask:
    mask = np.zeros(index.columns.count, np.bool_)
    for bitmap in bitmaps:
        if bitmap:
            mask[np.frombuffer(bitmap.to_array(), np.uint32)] = True
    return mask


def _evaluate_weights(index: Index, role: str, ids: tuple[int, ...], weight: Interval) -> Mask:
    mask = np.zeros(index.columns.count, np.bool_)
    for model in ids:
        positions, weights = index.model_lists.find_with(index_loader.encode_model(role, model))
        assert weights is not None
        mask[positions[_is_within(weights, weight)]] = True
    return mask


def _has_size(index: Index) -> Mask:
    return np.array([width >= 0 <= height for width, height in index.columns.sizes.values], np.bool_)


def _is_within(values: NDArray[Any], interval: Interval) -> Mask:
    mask = np.ones(len(values), np.bool_)
    if interval.low is not None:
        mask &= values > interval.low if interval.without_low else values >= interval.low
    if interval.high is not None:
        mask &= values < interval.high if interval.without_high else values <= interval.high
    return mask


def _evaluate_flag(index: Index, what: State | Thing) -> Mask:
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
            return index.model_lists.has_remainder(
                index_loader.ROLES.index(what.value), len(index_loader.ROLES), columns.count
            )
        case _:
            return _has(index, what.value)


def _has(index: Index, what: str) -> Mask:
    mask: Mask = (index.columns["has"] >> _HAS_BITS[what]) & 1 == 1
    return mask


def _evaluate_codes(index: Index, column: str, fits: Sequence[bool] | Mask) -> Mask:
    """The images whose code in the column fits."""
    if not len(fits):
        return np.zeros(index.columns.count, np.bool_)
    mask: Mask = np.array(fits, np.bool_)[index.columns[column]]
    return mask


def _match_values(values: Sequence[str | None], pattern: str) -> list[bool]:
    return [value is not None and matches_pattern(pattern, lower_ascii(value)) for value in values]


def _is_at(place: tuple[int | None, str], root: int, folder: str) -> bool:
    only_root, pattern = place
    if only_root is not None and only_root != root:
        return False
    return not pattern or (bool(folder) and matches_pattern(pattern + "/*", lower_ascii(folder) + "/"))
