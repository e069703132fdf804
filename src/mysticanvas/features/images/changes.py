"""What open pages are told when rows of images change."""

from mysticanvas.db.database import WriteTx
from mysticanvas.edits.changesets import RowChange


def report_changes(tx: WriteTx, rows: list[RowChange]) -> None:
    """Images that moved to the Trash are gone from the lists, restored ones are new, others have changed."""
    for row in rows:
        before, after = row.before or {}, row.after or {}
        if "deleted_at" in after and after["deleted_at"] != before.get("deleted_at"):
            (tx.changes.added if after["deleted_at"] is None else tx.changes.removed).append(row.value("id"))
            tx.changes.stale.add("trash")
        else:
            tx.changes.changed.append(row.value("id"))
