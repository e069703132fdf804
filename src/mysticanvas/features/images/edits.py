"""Edits of favorites, ratings and notes."""

from collections.abc import Sequence
from typing import ClassVar

from mysticanvas.db.database import WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.text import clean_text
from mysticanvas.edits.kinds import Edit

MAX_NOTES = 100_000


class SetFavorite(Edit, frozen=True, kw_only=True):
    """Add images to the favorites, or remove them."""

    kind: ClassVar[str] = "favorite"
    value: bool

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return generations.set_favorite(tx, images, bool(self.value), now_ms=now_ms)


class SetRating(Edit, frozen=True, kw_only=True):
    """Rate images 0 (no rating) to 5."""

    kind: ClassVar[str] = "rating"
    value: int

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        if not 0 <= self.value <= 5:
            raise InvalidInputError("A rating must be between 0 and 5.")
        return generations.set_rating(tx, images, self.value, now_ms=now_ms)


class SetNotes(Edit, frozen=True, kw_only=True):
    """Replace the notes of images; an empty text deletes them."""

    kind: ClassVar[str] = "notes"
    at_once: ClassVar[int] = 300
    value: str | None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        text = clean_text(self.value or "").strip()
        if len(text) > MAX_NOTES:
            raise InvalidInputError(f"Notes can have at most {MAX_NOTES:,} characters.")
        return generations.set_notes(tx, images, text or None, now_ms=now_ms)


EDITS = (
    SetFavorite,
    SetRating,
    SetNotes,
)
