"""Two entries that are one model, because the person says so."""

from typing import Any

from mysticanvas.domain.errors import ConflictError, InvalidInputError, NotFoundError
from mysticanvas.library.organising import Done
from mysticanvas.store import model_groups, operations
from mysticanvas.store.database import WriteTx
from mysticanvas.store.model_groups import Leading


def merge(tx: WriteTx, keep: int, other: int, *, now_ms: int) -> Done:
    """`other` and all that leads to it are `keep` from now on. Nothing moves, so undoing is exact.

    Raises `NotFoundError`, and `InvalidInputError` for one and the same model.
    """
    for model_id in (keep, other):
        if model_groups.leading(tx, model_id) is None:
            raise NotFoundError(f"There is no model {model_id} in this library.")
    into = model_groups.shown(tx, keep)
    if into == other or (into == keep and model_groups.shown(tx, other) == keep and _by_person(tx, other)):
        raise InvalidInputError("These are one model already.")
    before = [one for one in (model_groups.leading(tx, other), *model_groups.members(tx, other)) if one is not None]
    after = [Leading(one.id, into, "user" if one.id == other else one.merged_by) for one in before]
    model_groups.lead(tx, after)
    deed = {"keep": into, "other": other, "after": [_plain(one) for one in after]}
    operation = operations.record(
        tx,
        kind="merge_models",
        changed=1,
        deed=deed,
        inverse={"before": [_plain(one) for one in before], "after": [_plain(one) for one in after]},
        now_ms=now_ms,
    )
    return Done(operation, 1)


def undo_merge(tx: WriteTx, inverse: Any, now_ms: int) -> int:
    """Raises `ConflictError` when one of the entries leads elsewhere by now."""
    after = [Leading(*one) for one in inverse["after"]]
    if any(model_groups.leading(tx, one.id) != one for one in after):
        raise ConflictError("These models have been merged otherwise since; undo that first.")
    before = [Leading(*one) for one in inverse["before"]]
    model_groups.lead(tx, before)
    for one in before:
        # Files and hashes may have come meanwhile.
        model_groups.regroup(tx, one.id)
    return 1


def _by_person(tx: WriteTx, model_id: int) -> bool:
    leading = model_groups.leading(tx, model_id)
    return leading is not None and leading.merged_by == "user"


def _plain(one: Leading) -> list[Any]:
    return [one.id, one.merged_into, one.merged_by]
