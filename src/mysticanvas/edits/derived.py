"""Derived updates: keeps derived data consistent with the rows that an edit, undo or redo changed."""

from collections.abc import Sequence

from mysticanvas.db.database import WriteTx
from mysticanvas.edits.changesets import RowChange
from mysticanvas.edits.kinds import RECORDED


def update(tx: WriteTx, rows: Sequence[RowChange]) -> None:
    """Runs every check, then every update, in the order of the features; then invalidates the lists.

    Raises `ConflictError` where rows are inconsistent, which an undo may cause.
    """
    tables = {row.table for row in rows}
    for one in RECORDED:
        if one.check is not None and tables & one.checked:
            one.check(tx)
    for one in RECORDED:
        seen = [row for row in rows if one.sees(row.table)]
        if one.update is not None and seen:
            one.update(tx, seen)
        tx.changes.invalidated.update(
            name for table, name in one.tables.items() if name is not None and table in tables
        )
