"""Undo and redo.

An edit of one slice is undone in one transaction or not at all. An edit of several is undone slice by slice, the
last first. When a slice conflicts with later changes, the slices already undone are redone, and the edit stays
done.
"""

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import ConflictError, NotFoundError
from mysticanvas.edits import apply, changesets, derived, log
from mysticanvas.edits.log import Operation, Slice
from mysticanvas.edits.types import EditResult, EditState


def undo(tx: WriteTx, operation: int) -> EditResult:
    """Undoes the last slice, which is the only one of most edits; `move_slice` undoes the others.

    Raises `NotFoundError` for an unknown edit, `ConflictError` with the reason for one that cannot
    be undone.
    """
    found = log.find(tx, operation)
    if found.state is not EditState.DONE:
        raise ConflictError(_NOT_DONE[found.state])
    return _start(tx, found, EditState.UNDOING)


def redo(tx: WriteTx, operation: int) -> EditResult:
    """Redoes the first slice; otherwise like `undo`. An edit that was refused while it was applied cannot be redone."""
    found = log.find(tx, operation)
    if found.state is EditState.DONE:
        raise ConflictError("This edit was not undone, so it cannot be redone.")
    if found.state is not EditState.UNDONE:
        raise ConflictError(_NOT_DONE[found.state])
    if log.get_progress(tx, operation) is not None:
        raise ConflictError(f"This edit failed when it ran, so it cannot be redone. {found.error or ''}".strip())
    return _start(tx, found, EditState.REDOING)


_NOT_DONE = {
    EditState.UNDONE: "This edit has already been undone.",
    EditState.APPLYING: "This edit is still running. Undo it when it is done.",
    EditState.UNDOING: "This edit is being undone.",
    EditState.REDOING: "This edit is being redone.",
    EditState.EXPIRED: "This edit can no longer be undone.",
}


def find_last_done(tx: ReadTx) -> int:
    """The next edit to undo. Raises `NotFoundError`."""
    found = log.find_last_done(tx)
    if found is None:
        raise NotFoundError("There is nothing to undo.")
    return found


def find_last_undone(tx: ReadTx) -> int:
    """The next edit to redo: the one that was undone last. Raises `NotFoundError`, also once another edit was made."""
    found = log.find_last_undone(tx)
    if found is None:
        raise NotFoundError("There is nothing to redo.")
    return found


def _start(tx: WriteTx, found: Operation, state: EditState) -> EditResult:
    apply.refuse_while_busy(tx)
    back = state is EditState.UNDOING
    log.set_state(tx, found.id, state)
    if back:
        log.offer_redo(tx, found.id)
    move_one_slice(tx, found.id, backwards=back)
    if log.next_slice(tx, found.id, applied=back) is None:
        _finish(tx, found.id, back=back)
    return log.find(tx, found.id).result


def _finish(tx: WriteTx, operation: int, *, back: bool, error: str | None = None) -> None:
    log.set_state(tx, operation, EditState.UNDONE if back else EditState.DONE, error=error)
    if not back:
        log.drop_redo(tx, operation)


def move_slice(tx: WriteTx, operation: int) -> bool:
    """Undoes or redoes the next slice. False once the edit is completely undone or redone. Raises `ConflictError`."""
    found = log.find(tx, operation)
    back = found.state is EditState.UNDOING
    if log.next_slice(tx, operation, applied=back) is None:
        _finish(tx, operation, back=back, error=found.error)
        return False
    move_one_slice(tx, operation, backwards=back)
    return True


def reverse(tx: WriteTx, operation: int, reason: str) -> None:
    """Reverses direction after a slice was refused. No other edit can have changed the slices already moved."""
    found = log.find(tx, operation)
    other = EditState.REDOING if found.state is EditState.UNDOING else EditState.UNDOING
    log.set_state(tx, operation, other, error=reason)


def move_one_slice(tx: WriteTx, operation: int, *, backwards: bool) -> None:
    """Undoes or redoes one slice. Raises `ConflictError`, and then changes nothing."""
    slice_ = log.next_slice(tx, operation, applied=backwards)
    if slice_ is None:
        return
    _refuse_if_purged(tx, slice_)
    rows = changesets.list_changes(tx, slice_.changeset, inverted=backwards)
    changesets.apply(tx, slice_.changeset, inverted=backwards)
    derived.update(tx, rows)
    log.set_applied(tx, operation, slice_.number, not backwards)


def _refuse_if_purged(tx: ReadTx, slice_: Slice) -> None:
    gone = len(slice_.images) - len(log.find_images(tx, slice_.images))
    if gone == 1 and len(slice_.images) == 1:
        raise ConflictError("The image was deleted permanently, so this edit cannot be undone.")
    if gone:
        raise ConflictError(
            f"Some of the images ({gone:,} of {len(slice_.images):,}) were deleted permanently, so this edit cannot be "
            "undone."
        )
