"""What a person wrote about images, for the export."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.tags import image_tag_queries


def items(tx: ReadTx, collection: int) -> list[list[Any]]:
    """Uuid and position of every image of a manual collection, in order; those in the Trash too."""
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


def images(tx: ReadTx) -> Iterator[dict[str, Any]]:
    """Images with a mark, a note, a tag by the person, a parent by the person or a place in the Trash, by uuid."""
    rows = tx.rows(
        """
        SELECT g.uuid, g.is_favorite, g.rating, g.notes, g.deleted_at, g.purge_after, said.tags,
               g.parent_by, p.uuid, g.parent_relation
          FROM generations AS g
               LEFT JOIN generations AS p ON p.id = g.parent_id AND g.parent_by = 'user'
               LEFT JOIN (SELECT a.generation_id, json_group_array(json_array(t.name, a.decision)
                                                                   ORDER BY t.normalized_name) AS tags
                            FROM tag_assertions AS a JOIN tags AS t ON t.id = a.tag_id
                           WHERE a.source = 'user'
                           GROUP BY a.generation_id) AS said ON said.generation_id = g.id
         WHERE g.is_favorite = 1 OR g.rating > 0 OR g.notes IS NOT NULL OR g.deleted_at IS NOT NULL
            OR said.tags IS NOT NULL OR g.parent_by = 'user'
         ORDER BY g.uuid
        """
    )
    for uuid, favorite, rating, notes, deleted_at, purge_after, tags, by, parent, relation in rows:
        said = json.loads(tags) if tags else []
        wrote = {
            "favorite": bool(favorite),
            "rating": rating,
            "notes": notes,
            "trash": [deleted_at, purge_after] if deleted_at else None,
            "tags": [name for name, yes in said if yes],
            "parent": [parent, relation] if by == "user" else None,
            "not": [name for name, yes in said if not yes],
        }
        yield {"image": uuid} | {name: value for name, value in wrote.items() if value}


@dataclass(frozen=True, slots=True)
class ForOthers:
    """What other programs may know of an image: where it is, its effective tags by name, its rating."""

    root: str
    path_bytes: bytes
    rating: int
    tags: list[tuple[str, str | None]]


def for_others(tx: ReadTx, image: GenerationId) -> ForOthers | None:
    """None when its file is not there, or in a folder that was removed."""
    row = tx.one(
        """
        SELECT r.path AS root, f.path_bytes, g.rating
          FROM generations AS g
               JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
               JOIN roots AS r ON r.id = f.root_id
         WHERE g.id = :image AND f.missing_at IS NULL AND g.deleted_at IS NULL AND r.removed_at IS NULL
        """,
        image=image,
    )
    if row is None:
        return None
    tags = [
        (name, category)
        for tag in image_tag_queries.of_image(tx, image)
        for name, category in tx.rows("SELECT name, category FROM tags WHERE id = :tag", tag=tag)
    ]
    return ForOthers(tags=sorted(tags, key=lambda tag: (tag[0], tag[1] or "")), **row)
