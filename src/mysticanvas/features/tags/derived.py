"""Derived updates after edits of tags: the tags that each image shows, at once or in background slices."""

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.edits.background import BackgroundSlices
from mysticanvas.edits.changesets import RowChange
from mysticanvas.features.tags import image_tag_queries, prompt_tags


def update(tx: WriteTx, rows: list[RowChange]) -> None:
    image_tag_queries.update_derived(tx, rows)
    for row in rows:
        if row.table == "tag_assertions":
            tx.changes.changed.append(row.value("generation_id"))


def _find_assignment_work(tx: ReadTx) -> str | None:
    """Includes the kind of work, as slice sizes are measured per kind: checking takes ten times as long as adding."""
    how = image_tag_queries.get_next_work_kind(tx)
    return None if how is None else f"assignments {how}"


def _find_prompt_work(tx: ReadTx) -> str | None:
    return "prompts" if prompt_tags.is_waiting(tx) else None


ASSIGNMENTS = BackgroundSlices(
    waiting=_find_assignment_work,
    run=lambda tx, limit, now_ms: image_tag_queries.run_slice(tx, limit=limit),
    lists=frozenset({"posting_work"}),
)
PROMPTS = BackgroundSlices(
    waiting=_find_prompt_work,
    run=lambda tx, limit, now_ms: prompt_tags.run_slice(tx, limit=limit, now_ms=now_ms),
    lists=frozenset({"prompts"}),
    when_quiet=True,
)
