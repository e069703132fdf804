"""Merging duplicates: one image gets what it lacks from the others, which are moved to Trash."""

from collections.abc import Sequence
from typing import ClassVar

from mysticanvas.db.database import WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import ConfirmationRequiredError, ConflictError, InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import TagId
from mysticanvas.edits.kinds import Edit
from mysticanvas.features.duplicates import candidate_queries, proposal, queries
from mysticanvas.features.duplicates.proposal import Candidate, Outcome
from mysticanvas.features.lineage import queries as lineage_queries
from mysticanvas.features.lineage.queries import Parent
from mysticanvas.features.tags import assertion_queries
from mysticanvas.features.trash import service as trash_service

# Reparsing keeps problems that begin like this (importing/reparse_job.py).
COPIED_FROM = "Generation data copied from"


class MergeDuplicates(Edit, frozen=True, kw_only=True):
    """Merge images into `kept` (a uuid): it gets what it lacks and the others have, and they are moved to Trash.

    The highest rating wins, one favorite makes the kept image a favorite, notes are joined, and collections, covers
    and tags are combined. Generation data that it lacks is copied, and images made from the others are linked to it.
    A tag that the user assigned to or rejected on the kept image is never changed. Raises `ConflictError` where
    something would be lost, unless `accept_loss`."""

    kind: ClassVar[str] = "keep_one"
    at_once: ClassVar[int] = 200
    kept: str
    accept_loss: bool = False

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        image = generations.get_id(tx, self.kept)
        if image in images:
            raise InvalidInputError("An image cannot be merged into itself. Select other images to merge.")
        found = {one.image: one for one in candidate_queries.list_candidates(tx, [image, *images])}
        if len(found) != len(set(images)) + 1:
            raise ConflictError("One of these images was deleted or moved to Trash. Reload the list.")
        kept = found.pop(image)
        others = list(found.values())
        outcome = proposal.work_out(kept, others)
        if outcome.lost and not self.accept_loss:
            raise ConfirmationRequiredError(
                f"Nothing was merged, because this would be lost: {' '.join(outcome.lost)} "
                "Keep all of these images, or confirm the loss.",
                confirm="accept_loss",
            )
        _merge_marks(tx, kept, others, now_ms)
        _merge_tags(tx, image, images, now_ms)
        _copy_generation_data(tx, kept, outcome, now_ms)
        _copy_parent(tx, image, [one.image for one in others if one.parent is not None], now_ms)
        _link_children(tx, image, images, now_ms)
        queries.add_to_collections(tx, image, queries.list_collections(tx, images), now_ms=now_ms)
        candidate_queries.replace_covers(tx, image, images, now_ms=now_ms)
        return trash_service.move_to_trash(tx, images, now_ms)


def _merge_marks(tx: WriteTx, kept: Candidate, others: Sequence[Candidate], now_ms: int) -> None:
    every = [kept, *others]
    notes = list(dict.fromkeys(one.notes.strip() for one in every if one.notes and one.notes.strip()))
    generations.set_rating(tx, [kept.image], max(one.rating for one in every), now_ms=now_ms)
    generations.set_favorite(tx, [kept.image], any(one.favorite for one in every), now_ms=now_ms)
    generations.set_notes(tx, [kept.image], "\n\n".join(notes) or None, now_ms=now_ms)


def _copy_generation_data(tx: WriteTx, kept: Candidate, outcome: Outcome, now_ms: int) -> None:
    if not outcome.sources:
        return
    names = ", ".join(source.name for source in outcome.sources)
    problem = f"{COPIED_FROM} {names}, which was merged into this image as a duplicate."
    candidate_queries.set_generation_data(tx, kept.image, kept.data, outcome.data, problem=problem, now_ms=now_ms)
    for source in outcome.sources:
        candidate_queries.copy_texts(tx, kept.image, source.image)


def _copy_parent(tx: WriteTx, kept: GenerationId, others: Sequence[GenerationId], now_ms: int) -> None:
    """Link the kept image to the source of another one. What the user decided about its source stays."""
    before = lineage_queries.get_parent(tx, kept)
    if not others or before.parent_id is not None or before.parent_by == "user":
        return
    found = lineage_queries.get_parent(tx, others[0])
    if found.parent_id is not None and not lineage_queries.descends_from(tx, found.parent_id, kept):
        parent = Parent(found.parent_id, before.parent_relation or found.parent_relation, "user")
        lineage_queries.set_parent(tx, kept, parent, now_ms=now_ms)


def _link_children(tx: WriteTx, kept: GenerationId, others: Sequence[GenerationId], now_ms: int) -> None:
    """Link what was made from the others to the kept image, which stays. An image never becomes its own ancestor."""
    for child, relation in candidate_queries.list_children(tx, others):
        if not lineage_queries.descends_from(tx, kept, child):
            lineage_queries.set_parent(tx, child, Parent(kept, relation, "user"), now_ms=now_ms)


def _merge_tags(tx: WriteTx, kept: GenerationId, others: Sequence[GenerationId], now_ms: int) -> None:
    own = dict(queries.list_own_tags(tx, [kept]))
    for tag, decision in queries.list_own_tags(tx, others):
        if tag not in own:
            say = assertion_queries.assign_tag if decision else assertion_queries.reject_tag
            say(tx, TagId(tag), [kept], now_ms=now_ms)
    candidate_queries.copy_other_tags(tx, kept, others)


EDITS = (MergeDuplicates,)
