"""The vocabulary: tags by name, with how many images show them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.domain.tag import TagId, TagName, TagSource, TagState


@dataclass(frozen=True, slots=True)
class Tag:
    """`images` show it. `alias_of` is the tag that it leads to in the end, when it is another name."""

    id: TagId
    name: str
    category: str | None
    state: str
    origin: str
    images: int
    alias_of: str | None


_TAG = """
        SELECT t.id, t.name, t.category, t.state, t.origin, coalesce(c.images, 0) AS images,
               (SELECT o.name FROM tag_aliases AS l JOIN tags AS o ON o.id = l.tag_id
                 WHERE l.normalized_name = t.normalized_name) AS alias_of
          FROM tags AS t
               LEFT JOIN tag_counts AS c ON c.tag_id = t.id
"""


def find(tx: ReadTx, key: str) -> Tag | None:
    """The tag of that normalized name itself, also where it is an alias."""
    row = tx.one(_TAG + " WHERE t.normalized_name = :key", key=key)
    return Tag(**row) if row else None


def get(tx: ReadTx, tag: TagId) -> Tag:
    """Raises `NotFoundError`."""
    row = tx.one(_TAG + " WHERE t.id = :tag", tag=tag)
    if row is None:
        raise NotFoundError("That tag is not in this library any more.")
    return Tag(**row)


def find_ids(tx: ReadTx, keys: Sequence[str]) -> dict[str, TagId]:
    """The tags that these normalized names are, by name; unknown names are left out."""
    rows = tx.rows(
        "SELECT t.normalized_name, t.id FROM json_each(:keys) AS k JOIN tags AS t ON t.normalized_name = k.value",
        keys=json.dumps(list(keys)),
    )
    return {name: TagId(tag) for name, tag in rows}


def resolve_alias(tx: ReadTx, tag: TagId) -> TagId:
    """The tag that is shown for this one."""
    return TagId(tx.value("SELECT effective_id FROM tag_effects WHERE tag_id = :tag AND implied = 0", tag=tag))


def add(tx: WriteTx, name: TagName, *, category: str | None, state: TagState, origin: TagSource, now_ms: int) -> TagId:
    tx.run(
        """
        INSERT INTO tags (name, normalized_name, category, state, origin, created_at)
        VALUES (:shown, :key, :category, :state, :origin, :now_ms)
        """,
        shown=name.shown,
        key=name.key,
        category=category,
        state=state.value,
        origin=origin.value,
        now_ms=now_ms,
    )
    tx.changes.stale.add("tags")
    return TagId(tx.value("SELECT id FROM tags WHERE normalized_name = :key", key=name.key))


def rename(tx: WriteTx, tag: TagId, name: TagName) -> None:
    tx.run(
        "UPDATE tags SET name = :shown, normalized_name = :key WHERE id = :tag", shown=name.shown, key=name.key, tag=tag
    )


def set_category(tx: WriteTx, tag: TagId, category: str | None) -> None:
    tx.run("UPDATE tags SET category = :category WHERE id = :tag", category=category, tag=tag)


def set_state(tx: WriteTx, tag: TagId, state: TagState) -> None:
    tx.run("UPDATE tags SET state = :state WHERE id = :tag", state=state.value, tag=tag)


def remove(tx: WriteTx, tag: TagId) -> None:
    """With its relations, thresholds and all that was said of it."""
    tx.run("DELETE FROM tags WHERE id = :tag", tag=tag)


def list_tags(
    tx: ReadTx, *, beginning: str, category: str | None, state: TagState | None, after: str, limit: int
) -> list[Tag]:
    """By normalized name, after the name `after`; only those that begin with `beginning`."""
    rows = tx.all(
        _TAG
        + """
         WHERE t.normalized_name > :after AND t.normalized_name >= :beginning
           AND t.normalized_name < :beginning || char(1114111)
           AND (:category IS NULL OR t.category = :category) AND (:state IS NULL OR t.state = :state)
         ORDER BY t.normalized_name
         LIMIT :limit
        """,
        beginning=beginning,
        category=category,
        state=state.value if state else None,
        after=after,
        limit=limit,
    )
    return [Tag(**row) for row in rows]


def largest(tx: ReadTx, *, containing: str, limit: int) -> list[Tag]:
    """Known tags whose name contains a text, those with most images first, names that begin with it before.
    Another name counts as much as the tag that it leads to."""
    rows = tx.all(
        _TAG
        + """
               LEFT JOIN tag_aliases AS a ON a.normalized_name = t.normalized_name
               LEFT JOIN tag_counts AS led ON led.tag_id = a.tag_id
         WHERE t.state = 'known' AND instr(t.normalized_name, :containing) > 0
         ORDER BY instr(t.normalized_name, :containing) = 1 DESC, coalesce(led.images, c.images) DESC, t.normalized_name
         LIMIT :limit
        """,
        containing=containing,
        limit=limit,
    )
    return [Tag(**row) for row in rows]


class TagOrder(StrEnum):
    """Of a list of tags: by name; most images first; newest first."""

    NAME = "name"
    IMAGES = "images"
    NEWEST = "newest"


_ORDERS = {
    TagOrder.NAME: "t.normalized_name",
    TagOrder.IMAGES: "coalesce(c.images, 0) DESC, t.normalized_name",
    TagOrder.NEWEST: "t.id DESC",
}
_SELECTED = """
         WHERE t.state = 'known' AND (:containing = '' OR instr(t.normalized_name, :containing) > 0)
           AND (:category IS NULL OR coalesce(t.category, '') = :category)
"""


def list_slice(
    tx: ReadTx, *, containing: str, category: str | None, order: TagOrder, start: int, count: int
) -> tuple[int, list[Tag]]:
    """How many known tags have a text in their name and are of a category ("" for those of none), and
    `count` of them from the place `start` on."""
    chosen = {"containing": containing, "category": category}
    total = int(tx.value("SELECT count(*) FROM tags AS t" + _SELECTED, **chosen))  # noqa: S608 - all our own
    ids = tx.column(
        f"""
        SELECT t.id
          FROM tags AS t LEFT JOIN tag_counts AS c ON c.tag_id = t.id
        {_SELECTED}
         ORDER BY {_ORDERS[order]}
         LIMIT :count OFFSET :start
        """,  # noqa: S608 - one of three orders
        **chosen,
        start=start,
        count=count,
    )
    return total, [get(tx, tag) for tag in ids]


def count_by_category(tx: ReadTx) -> list[dict[str, Any]]:
    """With how many known tags each has, largest first; "" for those of none."""
    return tx.all(
        """
        SELECT coalesce(category, '') AS category, count(*) AS tags
          FROM tags
         WHERE state = 'known'
         GROUP BY 1
         ORDER BY tags DESC, category
        """
    )


def list_implied(tx: ReadTx, tag: TagId) -> list[str]:
    """Names of all that shows with this tag, or with the one that it leads to."""
    return tx.column(
        """
        SELECT o.name
          FROM tag_effects AS e JOIN tags AS o ON o.id = e.effective_id
         WHERE e.tag_id = :tag AND e.implied = 1
         ORDER BY o.normalized_name
        """,
        tag=tag,
    )


def count_tags(tx: ReadTx) -> int:
    return int(tx.value("SELECT count(*) FROM tags"))


def list_suggested(tx: ReadTx, *, limit: int) -> list[tuple[Tag, int]]:
    """Proposals with the number of images of which they were said, most first."""
    rows = tx.all(
        """
        SELECT t.id, count(DISTINCT a.generation_id) AS said
          FROM tags AS t LEFT JOIN tag_assertions AS a ON a.tag_id = t.id
         WHERE t.state = 'proposed'
         GROUP BY t.id
         ORDER BY said DESC, t.normalized_name
         LIMIT :limit
        """,
        limit=limit,
    )
    return [(get(tx, row["id"]), row["said"]) for row in rows]


def list_names(tx: ReadTx) -> list[tuple[TagId, str, str, int]]:
    """Id, name, normalized name and images of every known tag."""
    rows = tx.rows(
        """
        SELECT t.id, t.name, t.normalized_name, c.images
          FROM tags AS t JOIN tag_counts AS c ON c.tag_id = t.id
         WHERE t.state = 'known'
         ORDER BY t.normalized_name
        """
    )
    return [(TagId(tag), name, key, images) for tag, name, key, images in rows]


# -- thresholds -----------------------------------------------------------------------------------


def get_thresholds(tx: ReadTx, tag: TagId | None) -> dict[str, float]:
    """From which confidence on each source is believed: for one tag, or, with None, for all others."""
    if tag is None:
        return dict(tx.rows("SELECT source, value FROM source_thresholds ORDER BY source"))
    return dict(tx.rows("SELECT source, value FROM tag_thresholds WHERE tag_id = :tag ORDER BY source", tag=tag))


def set_threshold(tx: WriteTx, tag: TagId | None, source: TagSource, value: float | None) -> None:
    """None takes it away."""
    if tag is None:
        tx.run("DELETE FROM source_thresholds WHERE source = :source AND :value IS NULL", source=source, value=value)
        sql = """INSERT INTO source_thresholds (source, value) SELECT :source, :value WHERE :value IS NOT NULL
                     ON CONFLICT (source) DO UPDATE SET value = excluded.value"""
        tx.run(sql, source=source.value, value=value)
        return
    if value is None:
        tx.run("DELETE FROM tag_thresholds WHERE tag_id = :tag AND source = :source", tag=tag, source=source.value)
        return
    tx.run(
        """
        INSERT INTO tag_thresholds (tag_id, source, value) VALUES (:tag, :source, :value)
            ON CONFLICT (tag_id, source) DO UPDATE SET value = excluded.value
        """,
        tag=tag,
        source=source.value,
        value=value,
    )


def list_known(tx: ReadTx) -> list[tuple[str, str | None]]:
    """Name and category of every tag that is no proposal, by normalized name."""
    rows = tx.all("SELECT name, category FROM tags WHERE state = 'known' ORDER BY normalized_name")
    return [(row["name"], row["category"]) for row in rows]


def list_with_thresholds(tx: ReadTx) -> list[tuple[TagId, str]]:
    """Tags that have a threshold of their own, by normalized name."""
    rows = tx.all("SELECT id, name FROM tags WHERE id IN (SELECT tag_id FROM tag_thresholds) ORDER BY normalized_name")
    return [(row["id"], row["name"]) for row in rows]


def count_by_origin(tx: ReadTx, origin: TagSource) -> int:
    return int(tx.value("SELECT count(*) FROM tags WHERE origin = :origin", origin=origin.value))


def remove_unused(tx: WriteTx, origin: TagSource) -> list[TagId]:
    """Tags of this origin of which nobody says anything, and that have no relation."""
    return tx.column(
        """
        DELETE FROM tags
         WHERE origin = :origin
           AND NOT EXISTS (SELECT 1 FROM tag_assertions WHERE tag_id = tags.id)
           AND id NOT IN (SELECT tag_id FROM tag_alias_edges UNION ALL SELECT target_id FROM tag_alias_edges)
           AND id NOT IN (SELECT tag_id FROM tag_implications UNION ALL SELECT implied_id FROM tag_implications)
           AND id NOT IN (SELECT tag_id FROM tag_thresholds)
     RETURNING id
        """,
        origin=origin.value,
    )
