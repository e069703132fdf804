"""The edit that merges two entries of the same model."""

from collections.abc import Sequence
from typing import ClassVar

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.errors import InvalidInputError, NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits.changesets import RowChange
from mysticanvas.edits.kinds import Edit
from mysticanvas.features.models import group_queries
from mysticanvas.features.models.group_queries import Grouping


def regroup(tx: WriteTx, rows: list[RowChange]) -> None:
    """Regroup models after an undone merge, because files and hashes may have been added since. Does nothing for
    merged models."""
    for row in rows:
        group_queries.regroup(tx, row.value("id"))


def _is_merged_by_user(tx: WriteTx, model_id: int) -> bool:
    leading = group_queries.get_grouping(tx, model_id)
    return leading is not None and leading.merged_by == "user"


class MergeModels(Edit, frozen=True, kw_only=True):
    """Merge `other`, and all entries merged into it, into `keep`. No rows are moved, so undo is exact.

    Raises `NotFoundError`, and `InvalidInputError` when both are already the same model."""

    kind: ClassVar[str] = "merge_models"
    keep: int
    other: int

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        keep, other = self.keep, self.other
        for model_id in (keep, other):
            if group_queries.get_grouping(tx, model_id) is None:
                raise NotFoundError(f"There is no model {model_id} in this library.")
        into = group_queries.find_main_entry(tx, keep)
        if into == other or (
            into == keep and group_queries.find_main_entry(tx, other) == keep and _is_merged_by_user(tx, other)
        ):
            raise InvalidInputError("These entries are already merged.")
        before = [
            one
            for one in (group_queries.get_grouping(tx, other), *group_queries.list_members(tx, other))
            if one is not None
        ]
        group_queries.set_groupings(
            tx, [Grouping(one.id, into, "user" if one.id == other else one.merged_by) for one in before]
        )
        return 1


EDITS = (MergeModels,)
