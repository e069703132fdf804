"""Applies edits and records their changesets, so that they can be undone (docs/adr/0007-undo.md).

An edit changes rows of recorded tables and nothing else; `edits/derived.py` updates derived data after each
apply, undo and redo. A new kind is a class in a feature's `edits.py`; a new table is a line in the feature's
`Recorded`.
"""

from collections.abc import Sequence

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import ConflictError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits import changesets, derived, log
from mysticanvas.edits.kinds import Edit, decode, encode, list_recorded_tables
from mysticanvas.edits.log import Operation, Progress
from mysticanvas.edits.types import EditResult, EditState

# Edits older than KEPT_MS are forgotten, but never the newest KEPT_EDITS.
KEPT_EDITS = 30
KEPT_MS = 30 * 86_400_000


def apply(tx: WriteTx, edit: Edit, images: Sequence[GenerationId] = (), *, now_ms: int) -> EditResult:
    """Applies a whole edit in this transaction."""
    return apply_all(tx, edit.kind, [edit], images, now_ms=now_ms)


def apply_all(
    tx: WriteTx, kind: str, edits: Sequence[Edit], images: Sequence[GenerationId] | None, *, now_ms: int
) -> EditResult:
    """Applies several steps as one edit, in this transaction. `images` are those of the first step; None: the step
    finds them itself."""
    operation = begin(tx, kind, edits, images, now_ms=now_ms)
    while apply_slice(tx, operation, limit=1 << 40, now_ms=now_ms):
        pass
    return log.find(tx, operation).result


def begin(tx: WriteTx, kind: str, edits: Sequence[Edit], images: Sequence[GenerationId] | None, *, now_ms: int) -> int:
    """Records an edit and returns its id; `apply_slice` then applies it slice by slice."""
    total = len(images) if images is not None else 0
    steps = [encode(edit) for edit in edits]
    operation = log.add(tx, kind=kind, steps=steps, state=EditState.APPLYING, total=total, now_ms=now_ms)
    log.begin_step(tx, operation, 0, images)
    log.prune(tx, before_ms=now_ms - KEPT_MS, kept=KEPT_EDITS)
    return operation


def apply_slice(tx: WriteTx, operation: int, *, limit: int, now_ms: int) -> bool:
    """Applies the next slice, of at most `limit` images. False once the edit is done."""
    found = log.find(tx, operation)
    at = log.get_progress(tx, operation)
    if at is None or found.state is not EditState.APPLYING:
        return False
    edit = decode(found.steps[at.step])
    count = _count(tx, found, at, edit)
    some = log.list_planned(tx, operation, at.next, min(limit, count - at.next))
    last = at.next + len(some) >= count
    with changesets.record_changes(tx, list_recorded_tables()) as recorded:
        changed = edit.apply(tx, some, now_ms)
        if last:
            edit.finish(tx, now_ms)
    derived.update(tx, changesets.list_changes(tx, recorded.changeset, inverted=False))
    log.add_slice(tx, operation, some, recorded.changeset)
    log.add_changed(tx, operation, changed)
    return _move_on(tx, found, at, len(some), last=last)


def _count(tx: WriteTx, found: Operation, at: Progress, edit: Edit) -> int:
    """The number of images of the step. A step that finds its own images does so once, when it begins."""
    if at.count is not None:
        return at.count
    images = edit.targets(tx) if edit.finds_images else []
    log.begin_step(tx, found.id, at.step, images)
    log.set_total(tx, found.id, found.total + len(images))
    return len(images)


def _move_on(tx: WriteTx, found: Operation, at: Progress, applied: int, *, last: bool) -> bool:
    if not last:
        log.set_position(tx, found.id, at.next + applied)
        return True
    if at.step + 1 < len(found.steps):
        log.begin_step(tx, found.id, at.step + 1, None)
        return True
    log.end_progress(tx, found.id)
    if log.has_changes(tx, found.id):
        log.set_state(tx, found.id, EditState.DONE)
        log.drop_redo(tx)
    else:
        log.set_state(tx, found.id, EditState.EXPIRED)
    return False


def refuse_while_busy(tx: ReadTx) -> None:
    """Raises `ConflictError` while a large edit is unfinished: an undo must not run between its slices."""
    if log.find_unfinished(tx) is not None:
        raise ConflictError("A large edit is still running. Try again when it is done.")
