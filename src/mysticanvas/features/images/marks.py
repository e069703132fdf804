"""Favourites, ratings and notes, over one image or many. Each function is a deed of edits/kinds.py."""

from collections.abc import Sequence
from typing import Any

from mysticanvas.db.database import WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.text import clean

MAX_NOTES = 100_000


def favorite(tx: WriteTx, args: dict[str, Any], images: Sequence[GenerationId], now_ms: int) -> int:
    return generations.set_favorite(tx, images, bool(args["value"]), now_ms=now_ms)


def rating(tx: WriteTx, args: dict[str, Any], images: Sequence[GenerationId], now_ms: int) -> int:
    """0 (none) to 5."""
    if not 0 <= args["value"] <= 5:
        raise InvalidInputError("A rating is 0 to 5.")
    return generations.set_rating(tx, images, args["value"], now_ms=now_ms)


def notes(tx: WriteTx, args: dict[str, Any], images: Sequence[GenerationId], now_ms: int) -> int:
    """Text that stands for the notes from now on; none when it is empty."""
    text = clean(args["value"] or "").strip()
    if len(text) > MAX_NOTES:
        raise InvalidInputError(f"Notes are at most {MAX_NOTES:,} characters long.")
    return generations.set_notes(tx, images, text or None, now_ms=now_ms)
