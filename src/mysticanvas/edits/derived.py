"""What follows when a person's rows change: postings, and what listeners hear."""

from collections.abc import Sequence

from mysticanvas.db.database import WriteTx
from mysticanvas.edits.changesets import RowChange
from mysticanvas.features.tags import image_tag_queries

# Each with the list that is not what it was when one of its rows changes.
TABLES = {
    "generations": None,
    "settings": None,
    "models": None,
    "tags": "tags",
    "tag_alias_edges": "tags",
    "tag_implications": "tags",
    "tag_thresholds": "tags",
    "source_thresholds": "tags",
    "tag_assertions": "tags",
    "collections": "collections",
    "collection_items": "collections",
    "prompt_templates": "templates",
    "wildcards": "templates",
}


def follow(tx: WriteTx, rows: Sequence[RowChange]) -> None:
    image_tag_queries.follow(tx, rows)
    for row in rows:
        stale = TABLES.get(row.table)
        if stale is not None:
            tx.changes.stale.add(stale)
        if row.table == "generations":
            _tell_of_image(tx, row)
        elif row.table == "tag_assertions":
            tx.changes.changed.append(row.value("generation_id"))
        elif row.table == "collection_items":
            tx.changes.collections.add(row.value("collection_id"))


def _tell_of_image(tx: WriteTx, row: RowChange) -> None:
    before, after = row.before or {}, row.after or {}
    if "deleted_at" in after and after["deleted_at"] != before.get("deleted_at"):
        (tx.changes.added if after["deleted_at"] is None else tx.changes.removed).append(row.value("id"))
        tx.changes.stale.add("trash")
    else:
        tx.changes.changed.append(row.value("id"))
