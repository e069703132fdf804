"""Tags by name, with the number of images that show them, and thresholds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.domain.tag import TagId, TagName, TagSource, TagState


@dataclass(frozen=True, slots=True)
class Tag:
    """`images` counts the images that show it. `alias_of` is the name of the tag that an alias resolves to, or None."""

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
    """The tag with this normalized name, also if it is an alias; None if there is none."""
    row = tx.one(_TAG + " WHERE t.normalized_name = :key", key=key)
    return Tag(**row) if row else None


def get(tx: ReadTx, tag: TagId) -> Tag:
    """Raises `NotFoundError`."""
    row = tx.one(_TAG + " WHERE t.id = :tag", tag=tag)
    if row is None:
        raise NotFoundError("This tag does not exist. It may have been deleted or merged.")
    return Tag(**row)


def find_ids(tx: ReadTx, keys: Sequence[str]) -> dict[str, TagId]:
    """Normalized name to tag id; unknown names are skipped."""
    rows = tx.rows(
        "SELECT t.normalized_name, t.id FROM json_each(:keys) AS k JOIN tags AS t ON t.normalized_name = k.value",
        keys=json.dumps(list(keys)),
    )
    return {name: TagId(tag) for name, tag in rows}


def resolve_alias(tx: ReadTx, tag: TagId) -> TagId:
    """The tag that is shown for this one: the target of an alias, else itself."""
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
    tx.changes.invalidated.add("tags")
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
    """Delete a tag with its relations, thresholds and assertions."""
    tx.run("DELETE FROM tags WHERE id = :tag", tag=tag)


def list_tags(
    tx: ReadTx, *, beginning: str, category: str | None, state: TagState | None, after: str, limit: int
) -> list[Tag]:
    """Tags by normalized name: the next ones after the name `after` that begin with `beginning`."""
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


def autocomplete(tx: ReadTx, *, containing: str, limit: int) -> list[Tag]:
    """Autocomplete: known tags whose name contains a text.

    Names that begin with it come first, then those with the most images. An alias counts the images of its target.
    """
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
    """The order of a list of tags: by name, most images first, or newest first."""

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
    """Known tags whose name contains a text, in a category ("" means none, None means any).

    Returns their total number, and `count` of them from position `start` on.
    """
    selected = {"containing": containing, "category": category}
    total = int(tx.value("SELECT count(*) FROM tags AS t" + _SELECTED, **selected))  # noqa: S608 - all our own
    ids = tx.column(
        f"""
        SELECT t.id
          FROM tags AS t LEFT JOIN tag_counts AS c ON c.tag_id = t.id
        {_SELECTED}
         ORDER BY {_ORDERS[order]}
         LIMIT :count OFFSET :start
        """,  # noqa: S608 - one of three orders
        **selected,
        start=start,
        count=count,
    )
    return total, [get(tx, tag) for tag in ids]


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """`tags` is the number of known tags; the category "" stands for none."""

    category: str
    tags: int


def count_by_category(tx: ReadTx) -> list[CategoryCount]:
    """The categories with their number of known tags, largest first."""
    rows = tx.all(
        """
        SELECT coalesce(category, '') AS category, count(*) AS tags
          FROM tags
         WHERE state = 'known'
         GROUP BY 1
         ORDER BY tags DESC, category
        """
    )
    return [CategoryCount(**row) for row in rows]


def list_implied(tx: ReadTx, tag: TagId) -> list[str]:
    """Names of the tags that this tag, or the target of this alias, implies."""
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
    """Suggested tags with the number of images that have an assertion of them, most first."""
    rows = tx.all(
        """
        SELECT t.id, count(DISTINCT a.generation_id) AS suggestions
          FROM tags AS t LEFT JOIN tag_assertions AS a ON a.tag_id = t.id
         WHERE t.state = 'proposed'
         GROUP BY t.id
         ORDER BY suggestions DESC, t.normalized_name
         LIMIT :limit
        """,
        limit=limit,
    )
    return [(get(tx, row["id"]), row["suggestions"]) for row in rows]


# -- thresholds -----------------------------------------------------------------------------------


def get_thresholds(tx: ReadTx, tag: TagId | None) -> dict[str, float]:
    """Source to minimum confidence, for one tag, or with None the defaults of all tags."""
    if tag is None:
        return dict(tx.rows("SELECT source, value FROM source_thresholds ORDER BY source"))
    return dict(tx.rows("SELECT source, value FROM tag_thresholds WHERE tag_id = :tag ORDER BY source", tag=tag))


def set_threshold(tx: WriteTx, tag: TagId | None, source: TagSource, value: float | None) -> None:
    """Set the threshold of a source for one tag, or for all with None; a value of None deletes it."""
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
    """Name and category of every known tag, by normalized name."""
    rows = tx.all("SELECT name, category FROM tags WHERE state = 'known' ORDER BY normalized_name")
    return [(row["name"], row["category"]) for row in rows]


def list_with_thresholds(tx: ReadTx) -> list[tuple[TagId, str]]:
    """Tags with their own thresholds, by normalized name."""
    rows = tx.all("SELECT id, name FROM tags WHERE id IN (SELECT tag_id FROM tag_thresholds) ORDER BY normalized_name")
    return [(row["id"], row["name"]) for row in rows]


def count_by_origin(tx: ReadTx, origin: TagSource) -> int:
    return int(tx.value("SELECT count(*) FROM tags WHERE origin = :origin", origin=origin.value))


def remove_unused(tx: WriteTx, origin: TagSource) -> list[TagId]:
    """Delete the tags of this origin without assertions, relations and thresholds; returns their ids."""
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
