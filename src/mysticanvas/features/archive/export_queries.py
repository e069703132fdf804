"""Reads the user data of images for the export."""

import json
from collections.abc import Iterator
from typing import Any

from mysticanvas.db.database import ReadTx


def list_items(tx: ReadTx, collection: int) -> list[list[Any]]:
    """[uuid, position] of every image of a manual collection, in order, including images in the Trash."""
    rows = tx.rows(
        """
        SELECT g.uuid, i.position
          FROM collection_items AS i JOIN generations AS g ON g.id = i.generation_id
         WHERE i.collection_id = :collection
         ORDER BY i.position, g.uuid
        """,
        collection=collection,
    )
    return [list(row) for row in rows]


def list_images(tx: ReadTx) -> Iterator[dict[str, Any]]:
    """Images that are favorites, in the Trash, or have a rating, notes, tags or a parent set by the user, by uuid."""
    rows = tx.rows(
        """
        SELECT g.uuid, g.is_favorite, g.rating, g.notes, g.deleted_at, g.purge_after, assigned.tags,
               g.parent_by, p.uuid, g.parent_relation
          FROM generations AS g
               LEFT JOIN generations AS p ON p.id = g.parent_id AND g.parent_by = 'user'
               LEFT JOIN (SELECT a.generation_id, json_group_array(json_array(t.name, a.decision)
                                                                   ORDER BY t.normalized_name) AS tags
                            FROM tag_assertions AS a JOIN tags AS t ON t.id = a.tag_id
                           WHERE a.source = 'user'
                           GROUP BY a.generation_id) AS assigned ON assigned.generation_id = g.id
         WHERE g.is_favorite = 1 OR g.rating > 0 OR g.notes IS NOT NULL OR g.deleted_at IS NOT NULL
            OR assigned.tags IS NOT NULL OR g.parent_by = 'user'
         ORDER BY g.uuid
        """
    )
    for uuid, favorite, rating, notes, deleted_at, purge_after, tags, by, parent, relation in rows:
        assertions = json.loads(tags) if tags else []
        user_data = {
            "favorite": bool(favorite),
            "rating": rating,
            "notes": notes,
            "trash": [deleted_at, purge_after] if deleted_at else None,
            "tags": [name for name, yes in assertions if yes],
            "parent": [parent, relation] if by == "user" else None,
            "not": [name for name, yes in assertions if not yes],
        }
        yield {"image": uuid} | {name: value for name, value in user_data.items() if value}
