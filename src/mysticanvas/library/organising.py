"""Favourites and ratings, over one image or many, each deed with its inverse."""

from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.store import generations, operations
from mysticanvas.store.database import WriteTx


@dataclass(frozen=True, slots=True)
class Done:
    """`operation` is what `undoing.undo` takes; `changed` counts images that were different before."""

    operation: int
    changed: int


def set_favorite(tx: WriteTx, images: Sequence[GenerationId], favorite: bool, *, now_ms: int) -> Done:
    before = generations.favorites_unlike(tx, images, favorite)
    changed = generations.set_favorite(tx, before, favorite, now_ms=now_ms)
    inverse = {"value": not favorite, "images": before}
    return _record(tx, "favorite", {"value": favorite}, changed, inverse, now_ms)


def set_rating(tx: WriteTx, images: Sequence[GenerationId], rating: int, *, now_ms: int) -> Done:
    """`rating` is 0 (none) to 5."""
    if not 0 <= rating <= 5:
        raise InvalidInputError("A rating is 0 to 5.")
    before = generations.ratings_unlike(tx, images, rating)
    changed = generations.set_rating(tx, [i for group in before.values() for i in group], rating, now_ms=now_ms)
    inverse = {str(value): group for value, group in before.items()}
    return _record(tx, "rating", {"value": rating}, changed, inverse, now_ms)


def _record(tx: WriteTx, kind: str, deed: object, changed: int, inverse: object, now_ms: int) -> Done:
    operation = operations.record(tx, kind=kind, changed=changed, deed=deed, inverse=inverse, now_ms=now_ms)
    return Done(operation, changed)
