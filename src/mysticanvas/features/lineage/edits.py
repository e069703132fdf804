"""The edit that sets the parent of an image."""

from collections.abc import Sequence
from typing import ClassVar

from mysticanvas.db.database import WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId, ParentRelation
from mysticanvas.edits.kinds import Edit
from mysticanvas.features.lineage import queries
from mysticanvas.features.lineage.queries import Parent


class SetParent(Edit, frozen=True, kw_only=True):
    """Set the parent of an image to `parent` (a UUID; None: no parent), overriding the metadata in its file now and
    later.

    Raises `NotFoundError`, and `InvalidInputError` when an image would be its own ancestor."""

    kind: ClassVar[str] = "parent"
    parent: str | None
    relation: str | None = None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        [image] = images
        relation = self.relation
        if relation is not None and relation not in list(ParentRelation):
            raise InvalidInputError(f"Unknown relation “{relation}”. Use one of: {', '.join(ParentRelation)}.")
        after = Parent(None, None, "user")
        if self.parent is not None:
            before, source = queries.get_parent(tx, image), generations.get_id(tx, self.parent)
            if before.parent_id != source and queries.descends_from(tx, source, image):
                raise InvalidInputError("An image cannot be its own ancestor. Select a different source image.")
            after = Parent(source, relation or before.parent_relation, "user")
        queries.set_parent(tx, image, after, now_ms=now_ms)
        return 1


EDITS = (SetParent,)
