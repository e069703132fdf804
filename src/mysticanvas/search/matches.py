"""Finds the images in the index that match a query."""

import functools

import numpy as np
from numpy.typing import NDArray

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.query import Query
from mysticanvas.search import evaluate
from mysticanvas.search.columns import Mask, Positions
from mysticanvas.search.index_state import IndexState
from mysticanvas.search.resolve import Both, Either, Tree, Without, Words, resolve


class Found:
    """The matches of a query in the index. Valid only within `Index.ask`."""

    def __init__(self, state: IndexState, tree: Tree, mask: Mask) -> None:
        self.state = state
        self.tree = tree
        self.mask = mask
        self.positions: Positions = np.flatnonzero(mask)

    @property
    def total(self) -> int:
        return len(self.positions)

    @functools.cached_property
    def ascending(self) -> tuple[NDArray[np.int64], Positions]:
        """The IDs, oldest first, and their positions."""
        return self.state.ids_ascending(self.mask, self.positions)


def find(tx: ReadTx, state: IndexState, query: Query) -> Found:
    return find_tree(tx, state, resolve(tx, query))


def find_tree(tx: ReadTx, state: IndexState, tree: Tree) -> Found:
    return Found(state, tree, evaluate.find_live(state, tx, tree))


def can_evaluate(state: IndexState, tree: Tree) -> bool:
    """Whether the index can evaluate the tree without looking up words in the database."""
    match tree:
        case Words(phrase):
            return state.knows_words(phrase)
        case Both(parts) | Either(parts):
            return all(can_evaluate(state, part) for part in parts)
        case Without(part):
            return can_evaluate(state, part)
        case _:
            return True
