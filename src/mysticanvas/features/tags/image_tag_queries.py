"""Which image shows which tag: derived, and kept in step with what was said and with the relations.

`image_tags_meant` is the definition. Whoever changes an assertion, a relation or the Trash says which
pairs it touched; those alone are looked at again (T7).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import TagId
from mysticanvas.edits.changesets import RowChange
from mysticanvas.features.tags import relation_queries
from mysticanvas.features.tags.relation_queries import EffectChange

# Up to this many images a change of relations is carried through at once; beyond, in slices.
AT_ONCE = 300

_RELATIONS = ("tags", "tag_alias_edges", "tag_implications")
_THRESHOLDS = ("tag_thresholds", "source_thresholds")


@dataclass(frozen=True, slots=True)
class Work:
    """A change of relations that is being carried through: `done` of `total` images are."""

    id: int
    tag: str | None
    effective: str | None
    how: str
    done: int
    total: int


def update_derived(tx: WriteTx, rows: Sequence[RowChange]) -> None:
    """Bring what is derived in step with rows that have just changed."""
    touched = {row.table for row in rows}
    if not touched & {"tag_assertions", "generations", *_RELATIONS, *_THRESHOLDS}:
        return
    pairs = [(row.value("generation_id"), row.value("tag_id")) for row in rows if row.table == "tag_assertions"]
    images = [row.value("id") for row in rows if row.table == "generations" and _moved_to_or_from_trash(row)]
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
    tx.changes.stale.add("tags")


def _moved_to_or_from_trash(row: RowChange) -> bool:
    return (row.before or {}).get("deleted_at") != (row.after or {}).get("deleted_at")


def _is_tag(tx: ReadTx, tag: int) -> bool:
    return bool(tx.value("SELECT 1 FROM tags WHERE id = :tag", tag=tag))


def derive_pairs(tx: WriteTx, pairs: Iterable[tuple[GenerationId, TagId]]) -> None:
    """After something was said of these images and tags."""
    _begin(tx)
    _touch_pairs(tx, pairs)
    _resolve_touched(tx)
    tx.changes.stale.add("tags")


def derive_images(tx: WriteTx, images: Sequence[GenerationId]) -> None:
    """After anything may have changed about these images."""
    _begin(tx)
    _touch_images(tx, images)
    _resolve_touched(tx)
    tx.changes.stale.add("tags")


def derive_relations(tx: WriteTx) -> None:
    """After aliases or implications were written that no deed recorded."""
    _begin(tx)
    _apply_effect_changes(tx, relation_queries.update_effects(tx))
    _resolve_touched(tx)
    tx.changes.stale.add("tags")


def forget_tags(tx: WriteTx, gone: Sequence[TagId]) -> None:
    """Tags that are gone, and that no image showed."""
    relation_queries.delete_derived(tx, gone)
    tx.changes.stale.add("tags")


# -- the pairs that are looked at -----------------------------------------------------------------


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


# A posting that a change of relations has not reached yet is touched too: once the assertion is gone, its
# work would not find it any more.
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
    """Each touched pair is shown when the definition says so, and only then; images that are different
    for it have changed."""
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
    """Few images are looked at now; many become work, which slices carry through in order."""
    # Whose own postings are in question cannot say who shows the rest.
    unsettled = {change.tag for change in changes if change.effective == change.tag}
    wanted = []
    for change in changes:
        sure = change.gained and change.tag not in unsettled and _shows_itself(tx, change.tag)
        how = "add" if sure else "check"
        wanted.append((change.tag, change.effective, how, _count_reach(tx, change.tag, how)))
    # A posting that is only added must find those that it follows from: checks go first.
    _check_or_queue(tx, sorted(wanted, key=lambda one: one[2] == "add"))


def _check_threshold(tx: WriteTx, row: RowChange) -> None:
    """A threshold changed: of every tag that is shown as this one, or of every image."""
    if row.table == "source_thresholds":
        total = tx.value("SELECT count(*) FROM live_generations")
        if total <= AT_ONCE:
            _touch_images(tx, tx.column("SELECT id FROM live_generations"))
        else:
            _queue_work(tx, 0, 0, "all", total)
        return
    _check_tag(tx, row.value("tag_id"))


def _check_tag(tx: WriteTx, tag: int) -> None:
    """Everything that is shown as this tag, and what it implies."""
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


def _check_or_queue(tx: WriteTx, wanted: Sequence[tuple[int, int, str, int]]) -> None:
    """(tag, effective tag, how, images)."""
    waiting = bool(tx.value("SELECT 1 FROM posting_work LIMIT 1"))
    at_once = not waiting and sum(one[3] for one in wanted) <= AT_ONCE
    for tag, effective, how, total in wanted:
        if at_once:
            _touch_reach(tx, tag, effective, how)
        elif total or waiting:
            # What waits may yet show the tag on images that this must find.
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


# Where the images of a piece of work are found.
_FROM = {"add": "image_tags", "check": "tag_assertions"}


def _count_reach(tx: ReadTx, tag: int, how: str) -> int:
    """At least how many images that is."""
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
        "INSERT INTO posting_work (tag_id, effective_id, how, total) VALUES (:tag, :effective, :how, :total)",
        tag=tag,
        effective=effective,
        how=how,
        total=total,
    )
    tx.changes.stale.add("posting_work")


# -- work that slices carry through ---------------------------------------------------------------


def list_work(tx: ReadTx) -> list[Work]:
    """Oldest first. Where all images are looked at again, there is no tag."""
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
    """Of what kind the oldest work is: add, check or all."""
    how: str | None = tx.value("SELECT how FROM posting_work ORDER BY id LIMIT 1")
    return how


def run_slice(tx: WriteTx, *, limit: int) -> bool:
    """The next slice of the oldest work; False when there is none."""
    one = tx.one("SELECT id, tag_id, effective_id, how, next FROM posting_work ORDER BY id LIMIT 1")
    if one is None:
        return False
    if one["how"] == "add" and not _leads_to(tx, one["tag_id"], one["effective_id"]):
        # The relation is gone again; what this had added is looked at by the work that took it away.
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
    tx.changes.stale.add("tags")
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
    """Who shows the one shows the other, unless the person said no to it."""
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


# -- reading --------------------------------------------------------------------------------------


def list_tags_of_image(tx: ReadTx, image: GenerationId) -> list[TagId]:
    """The tags that an image shows."""
    return tx.column("SELECT tag_id FROM image_tags WHERE generation_id = :image", image=image)


def rebuild(tx: WriteTx) -> None:
    """All of it anew, from the definition."""
    relation_queries.update_effects(tx)
    tx.run("DELETE FROM posting_work")
    tx.run("DELETE FROM image_tags")
    tx.run("INSERT INTO image_tags (tag_id, generation_id) SELECT DISTINCT tag_id, generation_id FROM image_tags_meant")
    # Counts follow by triggers, from where they were.
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
