"""The things of a journal that are to come into a library where some of them may be already.

What is in the library stays: of each thing only that is kept on which nothing was said here. What is left
goes the way of a rebuild (features/journal/rebuild_queries.py).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.journal import queries as journal_queries
from mysticanvas.features.journal import rebuild_queries
from mysticanvas.features.journal.queries import Key, Thing
from mysticanvas.features.journal.rebuild_queries import Ids

# What a person decided about the library itself. Model folders, taggers and endpoints are of a machine.
SETTINGS = ("prompt_tags.wanted", "tags.refused", "trash.days")

_EVERYTHING = """
SELECT 'setting', name FROM settings_of_a_person WHERE name IN ('prompt_tags.wanted', 'tags.refused', 'trash.days')
UNION ALL SELECT 'root', id FROM roots
UNION ALL SELECT 'threshold', source FROM source_thresholds
UNION ALL SELECT 'wildcard', name FROM wildcards
UNION ALL SELECT 'tag', id FROM tags
UNION ALL SELECT 'collection', id FROM collections
UNION ALL SELECT 'template', uuid FROM prompt_templates
"""


def keys(tx: ReadTx) -> list[Key]:
    """Of all that a person wrote; images last."""
    found = [(kind, key) for kind, key in tx.rows(_EVERYTHING)]
    return found + [("image", image) for image in journal_queries.images_of_a_person(tx)]


# -- what is new here -----------------------------------------------------------------------------


def new_tags(tx: ReadTx, things: Iterable[Thing], ids: Ids) -> list[Thing]:
    """Tags that are not in the vocabulary here; `ids` learns the others."""
    new = []
    for one in things:
        here = tx.one("SELECT id, state FROM tags WHERE normalized_name = :name", name=one["normalized_name"])
        if here is not None and (here["state"] == "known" or one["state"] == "proposed"):
            ids.tags[one["key"]] = here["id"]
        else:
            new.append(one)
    return new


def new_collections(tx: ReadTx, things: Iterable[Thing], ids: Ids) -> list[Thing]:
    new = []
    for one in things:
        here = tx.value("SELECT id FROM collections WHERE uuid = :uuid", uuid=one["uuid"])
        if here is None:
            new.append(one)
        else:
            ids.collections[one["key"]] = here
    return new


def new_by_name(tx: ReadTx, things: Iterable[Thing]) -> list[Thing]:
    """Templates, and things of the kinds `rebuilding.BY_NAME`."""
    asked = {
        "template": "SELECT 1 FROM prompt_templates WHERE uuid = :key",
        "threshold": "SELECT 1 FROM source_thresholds WHERE source = :key",
        "wildcard": "SELECT 1 FROM wildcards WHERE name = :key",
        "setting": "SELECT 1 FROM settings WHERE name = :key",
        "root": "SELECT 1 FROM roots WHERE path = :path",
    }
    return [
        one
        for one in things
        if tx.value(asked[one["kind"]], **({"path": one["path"]} if one["kind"] == "root" else {"key": one["key"]}))
        is None
    ]


# -- images ---------------------------------------------------------------------------------------


def unsaid(tx: ReadTx, one: Thing, ids: Ids) -> Thing:
    """Of an image, what nobody said here yet."""
    image = rebuild_queries.find(tx, one)
    if image is None:
        return one
    here = tx.one(
        "SELECT rating, notes, deleted_at, parent_by, is_favorite FROM generations WHERE id = :image", image=image
    )
    assert here is not None
    tags = _unsaid_tags(tx, image, one.get("tags", ()), ids)
    collected = _uncollected(tx, image, one.get("collections", ()), ids)
    has_words = here["is_favorite"] or here["rating"] or here["notes"] is not None or here["parent_by"] == "user"
    gone = {
        "rating": here["rating"] > 0,
        "notes": here["notes"] is not None,
        "parent": here["parent_by"] == "user",
        # An image that somebody cared for here is not put into the Trash by what was written elsewhere.
        "trash": here["deleted_at"] is not None or has_words or _is_told_of(tx, image),
    }
    left = {name: value for name, value in one.items() if not gone.get(name, False)}
    return left | {"tags": tags, "collections": collected}


def _unsaid_tags(tx: ReadTx, image: GenerationId, said: Sequence[Any], ids: Ids) -> list[Any]:
    here = set(
        tx.rows(
            "SELECT tag_id, source, run FROM tag_assertions WHERE generation_id = :image",
            image=image,
        )
    )
    return [one for one in said if (ids.tags.get(one[0]), one[1], one[2]) not in here]


def _uncollected(tx: ReadTx, image: GenerationId, collected: Sequence[Any], ids: Ids) -> list[Any]:
    here = set(tx.column("SELECT collection_id FROM collection_items WHERE generation_id = :image", image=image))
    return [one for one in collected if ids.collections.get(one[0]) not in here]


def _is_told_of(tx: ReadTx, image: GenerationId) -> bool:
    return bool(
        tx.value(
            """
            SELECT EXISTS (SELECT 1 FROM tag_assertions WHERE generation_id = :image AND source = 'user')
                OR EXISTS (SELECT 1 FROM collection_items WHERE generation_id = :image)
            """,
            image=image,
        )
    )


def link_parents(tx: WriteTx, things: Iterable[Thing]) -> None:
    """One after the other: none that would make an image its own ancestor, or speak against a parent that a
    person named here."""
    for one in things:
        if "parent" in one and not _may_not_link(tx, one["uuid"], one["parent"][0]):
            rebuild_queries.link_parents(tx, [one])


def _may_not_link(tx: ReadTx, uuid: str, parent: str | None) -> bool:
    return bool(
        tx.value(
            """
            WITH RECURSIVE above (id, parent_id) AS (
                SELECT id, parent_id FROM generations WHERE uuid = :parent
                 UNION
                SELECT g.id, g.parent_id FROM above JOIN generations AS g ON g.id = above.parent_id
            )
            SELECT EXISTS (SELECT 1 FROM generations WHERE uuid = :uuid AND parent_by = 'user')
                OR EXISTS (SELECT 1 FROM above JOIN generations AS g ON g.id = above.id WHERE g.uuid = :uuid)
            """,
            uuid=uuid,
            parent=parent,
        )
    )


def has_nested_circle(tx: ReadTx) -> bool:
    """Whether a collection is inside of itself, over any number of others."""
    return bool(
        tx.value(
            """
            WITH RECURSIVE reached (id) AS (
                SELECT id FROM collections WHERE parent_id IS NULL
                 UNION
                SELECT c.id FROM reached JOIN collections AS c ON c.parent_id = reached.id
            )
            SELECT EXISTS (SELECT 1 FROM collections WHERE id NOT IN (SELECT id FROM reached))
            """
        )
    )
