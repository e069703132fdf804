"""Taking back what a person did, and doing it again.

A deed of one slice goes back in one transaction or not at all. One of several goes back slice by
slice, the last first; where one of them meets what the world did meanwhile, those that had gone back
are done again, and the deed stays done.
"""

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import ConflictError, NotFoundError
from mysticanvas.edits import apply, changesets, log
from mysticanvas.edits.log import Operation, Slice
from mysticanvas.edits.types import DeedState, Done


def undo(tx: WriteTx, operation: int) -> Done:
    """Begins; `carry_on` goes on while the deed is on its way. Most are over at once.

    Raises `NotFoundError` for a deed that is not known, `ConflictError` with the reason for one that
    cannot be taken back.
    """
    deed = log.find(tx, operation)
    if deed.state is not DeedState.DONE:
        raise ConflictError(_NOT_DONE[deed.state])
    return _start(tx, deed, DeedState.UNDOING)


def redo(tx: WriteTx, operation: int) -> Done:
    """As `undo`, the other way."""
    deed = log.find(tx, operation)
    if deed.state is not DeedState.UNDONE:
        raise ConflictError("That has not been undone." if deed.state is DeedState.DONE else _NOT_DONE[deed.state])
    return _start(tx, deed, DeedState.REDOING)


_NOT_DONE = {
    DeedState.UNDONE: "That has been undone already.",
    DeedState.APPLYING: "That is still being carried out; undo it when it is done.",
    DeedState.UNDOING: "That is being undone.",
    DeedState.REDOING: "That is being done again.",
    DeedState.EXPIRED: "That was done by an earlier version, which kept no way back.",
}


def last_done(tx: ReadTx) -> int:
    """The deed that undo takes back next. Raises `NotFoundError`."""
    found = log.newest_in(tx, DeedState.DONE)
    if found is None:
        raise NotFoundError("There is nothing to undo.")
    return found


def last_undone(tx: ReadTx) -> int:
    """The deed that redo does next: none once something else was done. Raises `NotFoundError`."""
    found = log.newest_in(tx, DeedState.UNDONE)
    if found is None:
        raise NotFoundError("There is nothing to do again.")
    return found


def _start(tx: WriteTx, deed: Operation, state: DeedState) -> Done:
    apply.refuse_while_busy(tx)
    back = state is DeedState.UNDOING
    log.set_state(tx, deed.id, state)
    step(tx, deed.id, backwards=back)
    if log.next_slice(tx, deed.id, applied=back) is None:
        log.set_state(tx, deed.id, DeedState.UNDONE if back else DeedState.DONE)
    return log.find(tx, deed.id).done


def carry_on(tx: WriteTx, operation: int) -> bool:
    """The next slice; False once the deed has arrived. A refusal turns it round."""
    deed = log.find(tx, operation)
    back = deed.state is DeedState.UNDOING
    if log.next_slice(tx, operation, applied=back) is None:
        log.set_state(tx, operation, DeedState.UNDONE if back else DeedState.DONE, trouble=deed.trouble)
        return False
    step(tx, operation, backwards=back)
    return True


def turn_round(tx: WriteTx, operation: int, reason: str) -> None:
    """After a slice was refused: what has moved moves back, which nothing can have touched but us."""
    deed = log.find(tx, operation)
    other = DeedState.REDOING if deed.state is DeedState.UNDOING else DeedState.UNDOING
    log.set_state(tx, operation, other, trouble=reason)


def step(tx: WriteTx, operation: int, *, backwards: bool) -> None:
    """One slice. Raises `ConflictError`; then nothing is changed."""
    slice_ = log.next_slice(tx, operation, applied=backwards)
    if slice_ is None:
        return
    _refuse_if_purged(tx, slice_)
    rows = changesets.changes_in(tx, slice_.changeset, inverted=backwards)
    changesets.apply(tx, slice_.changeset, inverted=backwards)
    apply.follow(tx, rows)
    log.set_applied(tx, operation, slice_.number, not backwards)


def _refuse_if_purged(tx: ReadTx, slice_: Slice) -> None:
    gone = len(slice_.images) - len(log.images_of(tx, slice_.images))
    if gone == 1 and len(slice_.images) == 1:
        raise ConflictError("The image was deleted for good since, so this cannot be undone.")
    if gone:
        raise ConflictError(
            f"{gone:,} of its {len(slice_.images):,} images were deleted for good since, so this cannot be undone."
        )
