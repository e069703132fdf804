"""Merging duplicates: one image gets the ratings, tags and notes of the others, which are moved to Trash."""

from collections.abc import Sequence
from typing import ClassVar

from mysticanvas.db.database import WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import ConflictError, InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import TagId
from mysticanvas.edits.kinds import Edit
from mysticanvas.features.duplicates import queries
from mysticanvas.features.duplicates.queries import Marks
from mysticanvas.features.tags import assertion_queries
from mysticanvas.features.trash import service as trash_service


class MergeDuplicates(Edit, frozen=True, kw_only=True):
    """Merge images into `kept` (a uuid): it gets what the user set on the others, which are moved to Trash.

    The highest rating wins, one favorite makes the kept image a favorite, notes are joined, and collections and the
    user's own tags are combined. A tag that the user assigned to or rejected on the kept image is never changed."""

    kind: ClassVar[str] = "keep_one"
    at_once: ClassVar[int] = 200
    kept: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        kept = generations.get_id(tx, self.kept)
        if kept in images:
            raise InvalidInputError("An image cannot be merged into itself. Select other images to merge.")
        marks = {one.image: one for one in queries.list_marks(tx, [kept, *images])}
        if len(marks) != len(images) + 1:
            raise ConflictError("One of these images was deleted or moved to Trash. Reload the list.")
        _merge_marks(tx, marks[kept], [marks[one] for one in images], now_ms)
        _merge_tags(tx, kept, images, now_ms)
        queries.add_to_collections(tx, kept, queries.list_collections(tx, images), now_ms=now_ms)
        return trash_service.move_to_trash(tx, images, now_ms)


def _merge_marks(tx: WriteTx, kept: Marks, others: Sequence[Marks], now_ms: int) -> None:
    every = [kept, *others]
    notes = list(dict.fromkeys(one.notes.strip() for one in every if one.notes and one.notes.strip()))
    generations.set_rating(tx, [kept.image], max(one.rating for one in every), now_ms=now_ms)
    generations.set_favorite(tx, [kept.image], any(one.favorite for one in every), now_ms=now_ms)
    generations.set_notes(tx, [kept.image], "\n\n".join(notes) or None, now_ms=now_ms)


def _merge_tags(tx: WriteTx, kept: GenerationId, others: Sequence[GenerationId], now_ms: int) -> None:
    own = dict(queries.list_own_tags(tx, [kept]))
    for tag, decision in queries.list_own_tags(tx, others):
        if tag not in own:
            say = assertion_queries.assign_tag if decision else assertion_queries.reject_tag
            say(tx, TagId(tag), [kept], now_ms=now_ms)


EDITS = (MergeDuplicates,)
