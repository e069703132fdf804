"""Selects the journal entries and fields that are new to a library, because importing an archive keeps existing data.

The result is then added as in a rebuild (`features/journal/rebuild_queries.py`).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.journal import queries as journal_queries
from mysticanvas.features.journal import rebuild_queries
from mysticanvas.features.journal.files import Entry
from mysticanvas.features.journal.queries import Key
from mysticanvas.features.journal.rebuild_queries import Ids

# Settings of the library itself. Model folders, taggers and endpoints belong to one machine and are not exported.
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


def list_keys(tx: ReadTx) -> list[Key]:
    """The keys of all user data, images last."""
    found = [(kind, key) for kind, key in tx.rows(_EVERYTHING)]
    return found + [("image", image) for image in journal_queries.list_images_with_user_data(tx)]


# -- new entries ----------------------------------------------------------------------------------


def find_new_tags(tx: ReadTx, entries: Iterable[Entry], ids: Ids) -> list[Entry]:
    """The tags that are not in the vocabulary of this library. Adds the ids of the others to `ids`."""
    new = []
    for one in entries:
        here = tx.one("SELECT id, state FROM tags WHERE normalized_name = :name", name=one["normalized_name"])
        if here is not None and (here["state"] == "known" or one["state"] == "proposed"):
            ids.tags[one["key"]] = here["id"]
        else:
            new.append(one)
    return new


def find_new_collections(tx: ReadTx, entries: Iterable[Entry], ids: Ids) -> list[Entry]:
    """The collections that are not in this library. Adds the ids of the others to `ids`."""
    new = []
    for one in entries:
        here = tx.value("SELECT id FROM collections WHERE uuid = :uuid", uuid=one["uuid"])
        if here is None:
            new.append(one)
        else:
            ids.collections[one["key"]] = here
    return new


def find_new_by_name(tx: ReadTx, entries: Iterable[Entry]) -> list[Entry]:
    """The templates and entries of the kinds `rebuild_queries.BY_NAME` that are not in this library."""
    lookups = {
        "template": "SELECT 1 FROM prompt_templates WHERE uuid = :key",
        "threshold": "SELECT 1 FROM source_thresholds WHERE source = :key",
        "wildcard": "SELECT 1 FROM wildcards WHERE name = :key",
        "setting": "SELECT 1 FROM settings WHERE name = :key",
        "root": "SELECT 1 FROM roots WHERE path = :path",
    }
    return [
        one
        for one in entries
        if tx.value(lookups[one["kind"]], **({"path": one["path"]} if one["kind"] == "root" else {"key": one["key"]}))
        is None
    ]


# -- images ---------------------------------------------------------------------------------------


def select_new_data(tx: ReadTx, one: Entry, ids: Ids) -> Entry:
    """The entry of an image without the fields that the user has already set in this library."""
    image = rebuild_queries.find_image(tx, one)
    if image is None:
        return one
    here = tx.one(
        "SELECT rating, notes, deleted_at, parent_by, is_favorite FROM generations WHERE id = :image", image=image
    )
    assert here is not None
    tags = _select_new_tags(tx, image, one.get("tags", ()), ids)
    items = _select_new_items(tx, image, one.get("collections", ()), ids)
    has_user_data = here["is_favorite"] or here["rating"] or here["notes"] is not None or here["parent_by"] == "user"
    is_set = {
        "rating": here["rating"] > 0,
        "notes": here["notes"] is not None,
        "parent": here["parent_by"] == "user",
        # An image with user data here is not moved to Trash because it was in the Trash elsewhere.
        "trash": here["deleted_at"] is not None or has_user_data or _has_tags_or_collections(tx, image),
    }
    new = {name: value for name, value in one.items() if not is_set.get(name, False)}
    return new | {"tags": tags, "collections": items}


def _select_new_tags(tx: ReadTx, image: GenerationId, assertions: Sequence[Any], ids: Ids) -> list[Any]:
    here = set(
        tx.rows(
            "SELECT tag_id, source, run FROM tag_assertions WHERE generation_id = :image",
            image=image,
        )
    )
    return [one for one in assertions if (ids.tags.get(one[0]), one[1], one[2]) not in here]


def _select_new_items(tx: ReadTx, image: GenerationId, items: Sequence[Any], ids: Ids) -> list[Any]:
    here = set(tx.column("SELECT collection_id FROM collection_items WHERE generation_id = :image", image=image))
    return [one for one in items if ids.collections.get(one[0]) not in here]


def _has_tags_or_collections(tx: ReadTx, image: GenerationId) -> bool:
    return bool(
        tx.value(
            """
            SELECT EXISTS (SELECT 1 FROM tag_assertions WHERE generation_id = :image AND source = 'user')
                OR EXISTS (SELECT 1 FROM collection_items WHERE generation_id = :image)
            """,
            image=image,
        )
    )


def link_parents(tx: WriteTx, entries: Iterable[Entry]) -> None:
    """Restore parents one by one, except where an image would become its own ancestor or where the user has already set
    a parent in this library."""
    for one in entries:
        if "parent" in one and not _is_link_forbidden(tx, one["uuid"], one["parent"][0]):
            rebuild_queries.link_parents(tx, [one])


def _is_link_forbidden(tx: ReadTx, uuid: str, parent: str | None) -> bool:
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


def has_collection_cycle(tx: ReadTx) -> bool:
    """Whether a collection directly or indirectly contains itself."""
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
