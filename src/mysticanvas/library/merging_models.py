"""Two entries that are one model, because the person says so. A deed of library/deed_kinds.py."""

from collections.abc import Sequence
from typing import Any

from mysticanvas.domain.errors import InvalidInputError, NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.store import model_groups
from mysticanvas.store.database import WriteTx
from mysticanvas.store.model_groups import Leading
from mysticanvas.store.recording import RowChange


def merge(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{keep, other}: `other` and all that leads to it are `keep` from now on. Nothing moves, so undoing
    is exact.

    Raises `NotFoundError`, and `InvalidInputError` for one and the same model.
    """
    keep, other = args["keep"], args["other"]
    for model_id in (keep, other):
        if model_groups.leading(tx, model_id) is None:
            raise NotFoundError(f"There is no model {model_id} in this library.")
    into = model_groups.shown(tx, keep)
    if into == other or (into == keep and model_groups.shown(tx, other) == keep and _by_person(tx, other)):
        raise InvalidInputError("These are one model already.")
    before = [one for one in (model_groups.leading(tx, other), *model_groups.members(tx, other)) if one is not None]
    model_groups.lead(tx, [Leading(one.id, into, "user" if one.id == other else one.merged_by) for one in before])
    return 1


def follow(tx: WriteTx, rows: list[RowChange]) -> None:
    """Entries that the person parted again are grouped by what is known now: files and hashes may have
    come meanwhile. Where they are merged already, this changes nothing."""
    for row in rows:
        model_groups.regroup(tx, row.value("id"))


def _by_person(tx: WriteTx, model_id: int) -> bool:
    leading = model_groups.leading(tx, model_id)
    return leading is not None and leading.merged_by == "user"
