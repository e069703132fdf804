"""How a deed is done so that it can be taken back (G8).

A deed changes rows of `RECORDED` tables and nothing else; what is derived of them follows by itself,
forwards and backwards alike. A new kind of deed is a line in edits/kinds.py; a new kind of row
is a line in `RECORDED`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import ConflictError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits import changesets, derived, log
from mysticanvas.edits.changesets import RowChange
from mysticanvas.edits.kinds import KINDS, Kind
from mysticanvas.edits.log import Progress
from mysticanvas.edits.types import DeedState, Done, Step
from mysticanvas.features.collections import service as collection_service
from mysticanvas.features.lineage import service as lineage_service
from mysticanvas.features.models import merge as model_merge
from mysticanvas.features.tags import service as tag_service

KEPT_DEEDS = 30
KEPT_MS = 30 * 86_400_000

Follow = Callable[[WriteTx, list[RowChange]], None]

# The tables that deeds change, and what follows of a change there beyond what edits/derived.py does.
RECORDED: dict[str, Follow | None] = dict.fromkeys(derived.TABLES) | {
    "generations": lineage_service.follow,
    "models": model_merge.follow,
}


def do(tx: WriteTx, kind: str, args: dict[str, Any], images: Sequence[GenerationId] = (), *, now_ms: int) -> Done:
    """All of a deed in this transaction."""
    return do_all(tx, kind, [(kind, args)], images, now_ms=now_ms)


def do_all(
    tx: WriteTx, kind: str, steps: Sequence[Step], images: Sequence[GenerationId] | None, *, now_ms: int
) -> Done:
    """Several steps as one deed, in this transaction. `images` are those of the first step; None: it
    finds them itself."""
    operation = begin(tx, kind, steps, images, now_ms=now_ms)
    while carry_on(tx, operation, limit=1 << 40, now_ms=now_ms):
        pass
    return log.find(tx, operation).done


def begin(tx: WriteTx, kind: str, steps: Sequence[Step], images: Sequence[GenerationId] | None, *, now_ms: int) -> int:
    """A deed that `carry_on` does, in as many slices as it needs."""
    total = len(images) if images is not None else 0
    operation = log.add(tx, kind=kind, steps=steps, state=DeedState.APPLYING, total=total, now_ms=now_ms)
    log.begin_step(tx, operation, 0, images)
    log.prune(tx, before_ms=now_ms - KEPT_MS, kept=KEPT_DEEDS)
    return operation


def carry_on(tx: WriteTx, operation: int, *, limit: int, now_ms: int) -> bool:
    """The next slice of a deed that is being applied, of at most `limit` images; False once it is done."""
    deed = log.find(tx, operation)
    at = log.progress(tx, operation)
    if at is None or deed.state is not DeedState.APPLYING:
        return False
    kind_name, args = deed.steps[at.step]
    kind = KINDS[kind_name]
    count = _count(tx, deed, at, kind, args)
    some = log.planned(tx, operation, at.next, min(limit, count - at.next))
    last = at.next + len(some) >= count
    with changesets.recording(tx, RECORDED) as recorded:
        changed = kind.apply(tx, args, some, now_ms)
        if last and kind.finish is not None:
            kind.finish(tx, args, now_ms)
    follow(tx, changesets.changes_in(tx, recorded.changeset, inverted=False))
    log.add_slice(tx, operation, some, recorded.changeset)
    log.count(tx, operation, changed)
    return _move_on(tx, operation, deed.steps, at, len(some), last=last)


def _count(tx: WriteTx, deed: log.Operation, at: Progress, kind: Kind, args: dict[str, Any]) -> int:
    """How many images the step has; one that finds its own does so once, when it begins."""
    if at.count is not None:
        return at.count
    images = kind.targets(tx, args) if kind.targets is not None else []
    log.begin_step(tx, deed.id, at.step, images)
    log.set_total(tx, deed.id, deed.total + len(images))
    return len(images)


def _move_on(tx: WriteTx, operation: int, steps: Sequence[Step], at: Progress, did: int, *, last: bool) -> bool:
    if not last:
        log.move_on(tx, operation, at.next + did)
        return True
    if at.step + 1 < len(steps):
        log.begin_step(tx, operation, at.step + 1, None)
        return True
    log.end_progress(tx, operation)
    log.set_state(tx, operation, DeedState.DONE)
    return False


def follow(tx: WriteTx, rows: list[RowChange]) -> None:
    """What is derived of these rows follows them, and those who listen hear of it.

    Raises `ConflictError` where rows make no sense together: an undo may bring that about.
    """
    tables = {row.table for row in rows}
    if tables & {"tag_alias_edges", "tag_implications"}:
        tag_service.refuse_circles(tx)
    if "collections" in tables:
        collection_service.refuse_circles(tx)
    derived.follow(tx, rows)
    for table in tables:
        also = RECORDED.get(table)
        if also is not None:
            also(tx, [row for row in rows if row.table == table])


def refuse_while_busy(tx: ReadTx) -> None:
    """Raises `ConflictError` while a large deed is on its way: its slices must not meet another undo."""
    if log.unfinished(tx) is not None:
        raise ConflictError("A large change is being carried out; wait until it is done.")
