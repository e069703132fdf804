"""Reports changed images to open pages."""

from mysticanvas.db.database import WriteTx
from mysticanvas.edits.changesets import RowChange


def report_changes(tx: WriteTx, rows: list[RowChange]) -> None:
    """Report trashed and excluded images as removed, restored ones as added, and all others as changed."""
    for row in rows:
        before, after = row.before or {}, row.after or {}
        if "deleted_at" in after and after["deleted_at"] != before.get("deleted_at"):
            (tx.changes.added if after["deleted_at"] is None else tx.changes.removed).append(row.value("id"))
            tx.changes.invalidated.add("trash")
        elif "excluded_at" in after and after["excluded_at"] != before.get("excluded_at"):
            (tx.changes.added if after["excluded_at"] is None else tx.changes.removed).append(row.value("id"))
            tx.changes.invalidated.add("roots")
        else:
            tx.changes.changed.append(row.value("id"))
