"""The tags that each image shows, derived from assertions, relations and thresholds (docs/adr/0008-tags.md).

The view `image_tags_meant` defines them. Code that changes an assertion, a relation or the Trash passes the pairs
of image and tag that it touched, and only those are derived again. A pair in `image_tags` is called a posting.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import BEFORE_ALL_IDS, GenerationId
from mysticanvas.domain.tag import TagId
from mysticanvas.edits.changesets import RowChange
from mysticanvas.features.tags import relation_queries
from mysticanvas.features.tags.relation_queries import EffectChange

# A change of relations that affects at most this many images is applied at once; a larger one in slices.
AT_ONCE = 300

_RELATIONS = ("tags", "tag_alias_edges", "tag_implications")
_THRESHOLDS = ("tag_thresholds", "source_thresholds")


@dataclass(frozen=True, slots=True)
class Work:
    """Pending work after a change of relations: `done` of `total` images are updated."""

    id: int
    tag: str | None
    effective: str | None
    how: str
    done: int
    total: int


def update_derived(tx: WriteTx, rows: Sequence[RowChange]) -> None:
    """Update the derived tags after these rows changed."""
    touched = {row.table for row in rows}
    if not touched & {"tag_assertions", "generations", *_RELATIONS, *_THRESHOLDS}:
        return
    pairs = [(row.value("generation_id"), row.value("tag_id")) for row in rows if row.table == "tag_assertions"]
    images = [row.value("id") for row in rows if row.table == "generations" and _was_hidden_or_shown(row)]
    _begin(tx)
    _touch_pairs(tx, pairs)
    _touch_images(tx, images)
    if touched & set(_RELATIONS):
        changes = relation_queries.update_effects(tx)
        _touch_pairs(tx, pairs)
        _touch_images(tx, images)
        _apply_effect_changes(tx, changes)
    for row in rows:
        if row.table in _THRESHOLDS:
            _check_threshold(tx, row)
        elif row.table == "tags" and row.before and row.after and "state" in row.after:
            _check_tag(tx, row.value("id"))
    _resolve_touched(tx)
    gone = [row.value("id") for row in rows if row.table == "tags" and row.after is None]
    relation_queries.delete_derived(tx, [TagId(tag) for tag in gone if not _is_tag(tx, tag)])
    tx.changes.invalidated.add("tags")


def _was_hidden_or_shown(row: RowChange) -> bool:
    before, after = row.before or {}, row.after or {}
    return any(before.get(column) != after.get(column) for column in ("deleted_at", "excluded_at"))


def _is_tag(tx: ReadTx, tag: int) -> bool:
    return bool(tx.value("SELECT 1 FROM tags WHERE id = :tag", tag=tag))


def derive_pairs(tx: WriteTx, pairs: Iterable[tuple[GenerationId, TagId]]) -> None:
    """Update the derived tags after assertions of these pairs changed."""
    _begin(tx)
    _touch_pairs(tx, pairs)
    _resolve_touched(tx)
    tx.changes.invalidated.add("tags")


def derive_images(tx: WriteTx, images: Sequence[GenerationId]) -> None:
    """Update the derived tags of these images, whatever changed about them."""
    _begin(tx)
    _touch_images(tx, images)
    _resolve_touched(tx)
    tx.changes.invalidated.add("tags")


def derive_relations(tx: WriteTx) -> None:
    """Update the derived tags after aliases or implications changed outside of an edit."""
    _begin(tx)
    _apply_effect_changes(tx, relation_queries.update_effects(tx))
    _resolve_touched(tx)
    tx.changes.invalidated.add("tags")


def forget_tags(tx: WriteTx, gone: Sequence[TagId]) -> None:
    """Delete the derived data of deleted tags that no image showed."""
    relation_queries.delete_derived(tx, gone)
    tx.changes.invalidated.add("tags")


# -- touched pairs --------------------------------------------------------------------------------


def _begin(tx: WriteTx) -> None:
    tx.run(
        """
        CREATE TEMP TABLE IF NOT EXISTS touched (
            tag_id INTEGER NOT NULL, generation_id INTEGER NOT NULL, shown INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (tag_id, generation_id)
        ) STRICT, WITHOUT ROWID
        """
    )
    tx.run("DELETE FROM temp.touched")


# Postings that pending work has not reached yet are touched too: that work finds images by their assertions, and
# would miss them once the assertion is deleted.
def _touch_pairs(tx: WriteTx, pairs: Iterable[tuple[int, int]]) -> None:
    by_tag: dict[int, list[int]] = {}
    for image, tag in pairs:
        by_tag.setdefault(tag, []).append(image)
    for tag, images in by_tag.items():
        tx.run(
            """
            INSERT INTO temp.touched (tag_id, generation_id)
            SELECT e.effective_id, i.value
              FROM (SELECT effective_id FROM tag_effects WHERE tag_id = :tag
                     UNION
                    SELECT effective_id FROM posting_work WHERE tag_id = :tag) AS e
                   CROSS JOIN json_each(:images) AS i
             WHERE TRUE
                ON CONFLICT DO NOTHING
            """,
            tag=tag,
            images=json.dumps(images),
        )


def _touch_images(tx: WriteTx, images: Sequence[int]) -> None:
    if images:
        tx.run(
            """
            INSERT INTO temp.touched (tag_id, generation_id)
            SELECT DISTINCT e.effective_id, a.generation_id
              FROM json_each(:images) AS i
                   CROSS JOIN tag_assertions AS a ON a.generation_id = i.value
                   CROSS JOIN (SELECT tag_id, effective_id FROM tag_effects
                                UNION ALL
                               SELECT tag_id, effective_id FROM posting_work) AS e ON e.tag_id = a.tag_id
             WHERE TRUE
                ON CONFLICT DO NOTHING
            """,
            images=json.dumps(list(images)),
        )


def _resolve_touched(tx: WriteTx) -> None:
    """Make each touched pair shown exactly if the definition says so, and record the images that changed."""
    tx.run(
        """
        UPDATE temp.touched
           SET shown = 1
         WHERE EXISTS (SELECT 1
                         FROM image_tags_meant AS m
                        WHERE m.generation_id = touched.generation_id AND m.tag_id = touched.tag_id)
        """
    )
    tx.changes.changed += tx.column(
        """
        DELETE FROM image_tags
         WHERE (tag_id, generation_id) IN (SELECT tag_id, generation_id FROM temp.touched WHERE shown = 0)
     RETURNING generation_id
        """
    )
    tx.changes.changed += tx.column(
        """
        INSERT INTO image_tags (tag_id, generation_id)
        SELECT tag_id, generation_id FROM temp.touched WHERE shown = 1
            ON CONFLICT DO NOTHING
     RETURNING generation_id
        """
    )
    tx.run("DELETE FROM temp.touched")


# -- relations ------------------------------------------------------------------------------------


def _apply_effect_changes(tx: WriteTx, changes: Sequence[EffectChange]) -> None:
    """Update few images now, and queue many as work that slices finish in order."""
    # A tag whose own postings may be wrong cannot tell which images show its implied tags.
    unsettled = {change.tag for change in changes if change.effective == change.tag}
    pending = []
    for change in changes:
        sure = change.gained and change.tag not in unsettled and _shows_itself(tx, change.tag)
        how = "add" if sure else "check"
        pending.append((change.tag, change.effective, how, _count_reach(tx, change.tag, how)))
    # Adding reads postings that checks may correct, so checks run first.
    _check_or_queue(tx, sorted(pending, key=lambda one: one[2] == "add"))


def _check_threshold(tx: WriteTx, row: RowChange) -> None:
    """Check what a changed threshold affects: the images of one tag, or all images for a source threshold."""
    if row.table == "source_thresholds":
        total = tx.value("SELECT count(*) FROM live_generations")
        if total <= AT_ONCE:
            _touch_images(tx, tx.column("SELECT id FROM live_generations"))
        else:
            _queue_work(tx, 0, 0, "all", total)
        return
    _check_tag(tx, row.value("tag_id"))


def _check_tag(tx: WriteTx, tag: int) -> None:
    """Check the images of all tags that resolve to this one, for it and for the tags that it implies."""
    rows = tx.all(
        """
        SELECT e.tag_id, e.effective_id
          FROM tag_effects AS t JOIN tag_effects AS e ON e.tag_id = t.tag_id
         WHERE t.effective_id = :tag AND t.implied = 0
        """,
        tag=tag,
    )
    _check_or_queue(
        tx, [(row["tag_id"], row["effective_id"], "check", _count_reach(tx, row["tag_id"], "check")) for row in rows]
    )


def _check_or_queue(tx: WriteTx, items: Sequence[tuple[int, int, str, int]]) -> None:
    """Touch the images now if there are few and no work is pending; else queue them.

    Each item is (tag, effective tag, how, number of images).
    """
    waiting = bool(tx.value("SELECT 1 FROM posting_work LIMIT 1"))
    at_once = not waiting and sum(one[3] for one in items) <= AT_ONCE
    for tag, effective, how, total in items:
        if at_once:
            _touch_reach(tx, tag, effective, how)
        elif total or waiting:
            # Pending work may still show the tag on images that this item must find.
            _queue_work(tx, tag, effective, how, total)


def _touch_reach(tx: WriteTx, tag: int, effective: int, how: str) -> None:
    tx.run(
        f"""
        INSERT INTO temp.touched (tag_id, generation_id)
        SELECT DISTINCT :effective, generation_id FROM {_FROM[how]} WHERE tag_id = :tag
            ON CONFLICT DO NOTHING
        """,  # noqa: S608 - one of two table names
        tag=tag,
        effective=effective,
    )


# The table that lists the images of each kind of work.
_FROM = {"add": "image_tags", "check": "tag_assertions"}


def _count_reach(tx: ReadTx, tag: int, how: str) -> int:
    """An estimate of how many images the work affects, never too low."""
    if how == "add":
        return int(tx.value("SELECT images FROM tag_counts WHERE tag_id = :tag", tag=tag) or 0)
    return int(tx.value("SELECT count(*) FROM tag_assertions WHERE tag_id = :tag", tag=tag))


def _leads_to(tx: ReadTx, tag: int, effective: int) -> bool:
    sql = "SELECT 1 FROM tag_effects WHERE tag_id = :tag AND effective_id = :effective"
    return bool(tx.value(sql, tag=tag, effective=effective))


def _shows_itself(tx: ReadTx, tag: int) -> bool:
    return bool(
        tx.value("SELECT 1 FROM tag_effects WHERE tag_id = :tag AND effective_id = :tag AND implied = 0", tag=tag)
    )


def _queue_work(tx: WriteTx, tag: int, effective: int, how: str, total: int) -> None:
    tx.run(
        """
        INSERT INTO posting_work (tag_id, effective_id, how, total, next)
        VALUES (:tag, :effective, :how, :total, :first)
        """,
        first=BEFORE_ALL_IDS,
        tag=tag,
        effective=effective,
        how=how,
        total=total,
    )
    tx.changes.invalidated.add("posting_work")


# -- background work ------------------------------------------------------------------------------


def list_work(tx: ReadTx) -> list[Work]:
    """Pending work, oldest first. `tag` and `effective` are None for work on all images."""
    rows = tx.all(
        """
        SELECT w.id, a.name AS tag, b.name AS effective, w.how, w.done, w.total
          FROM posting_work AS w
               LEFT JOIN tags AS a ON a.id = w.tag_id
               LEFT JOIN tags AS b ON b.id = w.effective_id
         ORDER BY w.id
        """
    )
    return [Work(**row) for row in rows]


def get_next_work_kind(tx: ReadTx) -> str | None:
    """The kind of the oldest pending work: "add", "check" or "all"; None if there is none."""
    how: str | None = tx.value("SELECT how FROM posting_work ORDER BY id LIMIT 1")
    return how


def run_slice(tx: WriteTx, *, limit: int) -> bool:
    """Run the next slice of the oldest work, at most `limit` images; False if there is none."""
    one = tx.one("SELECT id, tag_id, effective_id, how, next FROM posting_work ORDER BY id LIMIT 1")
    if one is None:
        return False
    if one["how"] == "add" and not _leads_to(tx, one["tag_id"], one["effective_id"]):
        # The relation was removed since; the work queued by that removal checks what this one added.
        tx.run("DELETE FROM posting_work WHERE id = :id", id=one["id"])
        return True
    images = _next_images(tx, one["tag_id"], one["how"], one["next"], limit)
    if one["how"] == "add":
        _add_implied(tx, one["effective_id"], images)
    else:
        _begin(tx)
        if one["how"] == "all":
            _touch_images(tx, images)
        else:
            tx.run(
                "INSERT INTO temp.touched (tag_id, generation_id) SELECT :tag, value FROM json_each(:images)",
                tag=one["effective_id"],
                images=json.dumps(images),
            )
        _resolve_touched(tx)
    tx.changes.invalidated.add("tags")
    if len(images) < limit:
        tx.run("DELETE FROM posting_work WHERE id = :id", id=one["id"])
    else:
        sql = "UPDATE posting_work SET next = :next, done = done + :done WHERE id = :id"
        tx.run(sql, next=images[-1] + 1, done=len(images), id=one["id"])
    return True


def _next_images(tx: ReadTx, tag: int, how: str, first: int, limit: int) -> list[int]:
    if how == "all":
        return tx.column(
            "SELECT id FROM live_generations WHERE id >= :first ORDER BY id LIMIT :limit", first=first, limit=limit
        )
    return tx.column(
        f"""
        SELECT DISTINCT generation_id FROM {_FROM[how]}
         WHERE tag_id = :tag AND generation_id >= :first
         ORDER BY generation_id LIMIT :limit
        """,  # noqa: S608 - one of two table names
        tag=tag,
        first=first,
        limit=limit,
    )


def _add_implied(tx: WriteTx, effective: TagId, images: Sequence[int]) -> None:
    """Show `effective` on these images, except where the user rejected it."""
    tx.changes.changed += tx.column(
        """
        INSERT INTO image_tags (tag_id, generation_id)
        SELECT :effective, i.value
          FROM json_each(:images) AS i
         WHERE NOT EXISTS (SELECT 1
                             FROM tag_assertions AS no
                                  CROSS JOIN tag_effects AS o ON o.tag_id = no.tag_id AND o.implied = 0
                            WHERE no.generation_id = i.value AND no.decision = 0 AND no.source = 'user'
                              AND o.effective_id = :effective)
            ON CONFLICT DO NOTHING
     RETURNING generation_id
        """,
        effective=effective,
        images=json.dumps(images),
    )


# -- queries --------------------------------------------------------------------------------------


def list_tags_of_image(tx: ReadTx, image: GenerationId) -> list[TagId]:
    """The tags that an image shows, in no particular order."""
    return tx.column("SELECT tag_id FROM image_tags WHERE generation_id = :image", image=image)


def rebuild(tx: WriteTx) -> None:
    """Derive all tags and counts again from the definition, and drop pending work."""
    relation_queries.update_effects(tx)
    tx.run("DELETE FROM posting_work")
    tx.run("DELETE FROM image_tags")
    tx.run("INSERT INTO image_tags (tag_id, generation_id) SELECT DISTINCT tag_id, generation_id FROM image_tags_meant")
    # Triggers only adjust existing counts, so wrong counts would stay wrong.
    tx.run("DELETE FROM tag_counts")
    tx.run(
        """
        INSERT INTO tag_counts (tag_id, images)
        SELECT t.id, count(i.generation_id)
          FROM tags AS t
               LEFT JOIN image_tags AS i ON i.tag_id = t.id
         GROUP BY t.id
        """
    )
