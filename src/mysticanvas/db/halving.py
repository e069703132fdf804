"""Stores a batch so that one bad item does not stop the others: a batch that is refused is tried again by halves."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from mysticanvas.domain.errors import LibraryError

log = logging.getLogger(__name__)

T = TypeVar("T")


def store_by_halves(store: Callable[[Sequence[T]], object], items: Sequence[T]) -> list[tuple[T, Exception]]:
    """The items that are refused even alone, each with the error. All others are stored.

    `store` stores all of its items or none. Raises `LibraryError`, which no item causes: the database cannot be
    written.
    """
    if not items:
        return []
    try:
        store(items)
    except LibraryError:
        raise
    except Exception as error:
        if len(items) == 1:
            log.exception("the database rejected an item")
            return [(items[0], error)]
        middle = len(items) // 2
        return [*store_by_halves(store, items[:middle]), *store_by_halves(store, items[middle:])]
    return []
