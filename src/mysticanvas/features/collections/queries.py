"""Collections: manual ones with ordered images, smart ones with a search."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.domain.generation import GenerationId


@dataclass(frozen=True, slots=True)
class Collection:
    """`query` is the search of a smart collection. `images` counts the live images of a manual one, and is None for
    a smart one. `parent` and `cover` are uuids; `thumb` is the content hash in hex of the cover or the first image."""

    id: int
    uuid: str
    name: str
    kind: str
    query: str | None
    parent: str | None
    cover: str | None
    thumb: str | None
    notes: str | None
    position: float
    images: int | None


_COLLECTION = """
        SELECT c.id, c.uuid, c.name, c.kind, json_extract(c.query_json, '$.text') AS query, p.uuid AS parent,
               g.uuid AS cover,
               coalesce((SELECT nullif(lower(hex(l.content_hash)), '')
                           FROM live_generations AS l WHERE l.id = c.cover_generation_id),
                        (SELECT nullif(lower(hex(l.content_hash)), '')
                           FROM collection_items AS i CROSS JOIN live_generations AS l ON l.id = i.generation_id
                          WHERE i.collection_id = c.id ORDER BY i.position LIMIT 1)) AS thumb,
               c.notes, c.position,
               CASE c.kind WHEN 'manual'
                    THEN (SELECT count(*)
                            FROM collection_items AS i JOIN live_generations AS l ON l.id = i.generation_id
                           WHERE i.collection_id = c.id) END AS images
          FROM collections AS c
               LEFT JOIN collections AS p ON p.id = c.parent_id
               LEFT JOIN generations AS g ON g.id = c.cover_generation_id
"""


def list_collections(tx: ReadTx) -> list[Collection]:
    """All collections, siblings together and by position."""
    return [Collection(**row) for row in tx.all(_COLLECTION + " ORDER BY c.parent_id, c.position, c.id")]


def find(tx: ReadTx, uuid: str) -> Collection:
    """Raises `NotFoundError`."""
    row = tx.one(_COLLECTION + " WHERE c.uuid = :uuid", uuid=uuid)
    if row is None:
        raise NotFoundError("This collection does not exist. It may have been deleted.")
    return Collection(**row)


def add(tx: WriteTx, *, uuid: str, name: str, query: str | None, now_ms: int) -> int:
    """Add a top-level collection after the others and return its id; smart if it has a query."""
    tx.run(
        """
        INSERT INTO collections (uuid, name, kind, query_json, position, created_at, updated_at)
        SELECT :uuid, :name, iif(:query IS NULL, 'manual', 'smart'),
               iif(:query IS NULL, NULL, json_object('text', :query)),
               coalesce(max(position), 0) + 1, :now_ms, :now_ms
          FROM collections
         WHERE parent_id IS NULL
        """,
        uuid=uuid,
        name=name,
        query=query,
        now_ms=now_ms,
    )
    return tx.last_id


def set_name(tx: WriteTx, collection: int, name: str, *, now_ms: int) -> None:
    sql = "UPDATE collections SET name = :name, updated_at = :now_ms WHERE id = :collection"
    tx.run(sql, collection=collection, name=name, now_ms=now_ms)


def set_notes(tx: WriteTx, collection: int, notes: str | None, *, now_ms: int) -> None:
    sql = "UPDATE collections SET notes = :notes, updated_at = :now_ms WHERE id = :collection"
    tx.run(sql, collection=collection, notes=notes, now_ms=now_ms)


def set_query(tx: WriteTx, collection: int, query: str | None, *, now_ms: int) -> None:
    """Set the search of a collection and make it smart; None makes it manual."""
    tx.run(
        """
        UPDATE collections
           SET kind = iif(:query IS NULL, 'manual', 'smart'),
               query_json = iif(:query IS NULL, NULL, json_object('text', :query)), updated_at = :now_ms
         WHERE id = :collection
        """,
        collection=collection,
        query=query,
        now_ms=now_ms,
    )


def set_cover(tx: WriteTx, collection: int, image: GenerationId | None, *, now_ms: int) -> None:
    sql = "UPDATE collections SET cover_generation_id = :image, updated_at = :now_ms WHERE id = :collection"
    tx.run(sql, collection=collection, image=image, now_ms=now_ms)


def set_place(tx: WriteTx, collection: int, parent: int | None, position: float, *, now_ms: int) -> None:
    tx.run(
        """
        UPDATE collections SET parent_id = :parent, position = :position, updated_at = :now_ms WHERE id = :collection
        """,
        collection=collection,
        parent=parent,
        position=position,
        now_ms=now_ms,
    )


def get_last_position(tx: ReadTx, parent: int | None) -> float:
    return float(
        tx.value("SELECT coalesce(max(position), 0) FROM collections WHERE parent_id IS :parent", parent=parent)
    )


def get_parents(tx: ReadTx) -> dict[int, int]:
    rows = tx.all("SELECT id, parent_id FROM collections WHERE parent_id IS NOT NULL")
    return {row["id"]: row["parent_id"] for row in rows}


def remove(tx: WriteTx, collection: int) -> None:
    """Delete a collection; its children move to the top level."""
    tx.run("DELETE FROM collections WHERE id = :collection", collection=collection)


# -- items ----------------------------------------------------------------------------------------


def list_items(tx: ReadTx, collection: int) -> list[GenerationId]:
    """The live images of a collection, in the order that the user set."""
    return tx.column(
        """
        SELECT i.generation_id
          FROM collection_items AS i JOIN live_generations AS l ON l.id = i.generation_id
         WHERE i.collection_id = :collection
         ORDER BY i.position, i.generation_id
        """,
        collection=collection,
    )


def list_all_items(tx: ReadTx, collection: int) -> list[GenerationId]:
    """Like `list_items`, including images in the Trash."""
    sql = (
        "SELECT generation_id FROM collection_items WHERE collection_id = :collection ORDER BY position, generation_id"
    )
    return tx.column(sql, collection=collection)


def add_items(tx: WriteTx, collection: int, images: Sequence[GenerationId], *, now_ms: int) -> int:
    """Append live images in the given order and return how many were added; others keep their position."""
    return tx.run(
        """
        INSERT INTO collection_items (collection_id, generation_id, position, added_at)
        SELECT :collection, l.id, :last + i.key + 1, :now_ms
          FROM json_each(:images) AS i CROSS JOIN live_generations AS l ON l.id = i.value
         WHERE TRUE
            ON CONFLICT DO NOTHING
        """,
        collection=collection,
        images=json.dumps(list(images)),
        last=_get_last_item_position(tx, collection),
        now_ms=now_ms,
    )


def _get_last_item_position(tx: ReadTx, collection: int) -> float:
    sql = "SELECT position FROM collection_items WHERE collection_id = :collection ORDER BY position DESC LIMIT 1"
    return float(tx.value(sql, collection=collection) or 0)


def remove_items(tx: WriteTx, collection: int, images: Sequence[GenerationId]) -> int:
    return tx.run(
        """
        DELETE FROM collection_items
         WHERE collection_id = :collection AND generation_id IN (SELECT value FROM json_each(:images))
        """,
        collection=collection,
        images=json.dumps(list(images)),
    )


def find_gap_before(
    tx: ReadTx, collection: int, image: GenerationId | None, moving: Sequence[GenerationId]
) -> tuple[float, float]:
    """(lower, upper): the positions between which the moving images fit, before `image` or at the end."""
    upper = tx.value(
        "SELECT position FROM collection_items WHERE collection_id = :collection AND generation_id = :image",
        collection=collection,
        image=image,
    )
    if upper is None:
        last = _get_last_item_position(tx, collection)
        return last, last + len(moving) + 1
    lower = tx.value(
        """
        SELECT max(position) FROM collection_items
         WHERE collection_id = :collection AND position < :upper
           AND generation_id NOT IN (SELECT value FROM json_each(:moving))
        """,
        collection=collection,
        upper=upper,
        moving=json.dumps(list(moving)),
    )
    return (upper - len(moving) - 1 if lower is None else float(lower)), float(upper)


def place_items(tx: WriteTx, collection: int, images: Sequence[GenerationId], lower: float, upper: float) -> int:
    """Spread images evenly between two positions, in the given order; returns how many are in the collection."""
    return tx.run(
        """
        UPDATE collection_items AS c
           SET position = :lower + (:upper - :lower) * (i.key + 1) / (:count + 1.0)
          FROM json_each(:images) AS i
         WHERE c.collection_id = :collection AND c.generation_id = i.value
        """,
        collection=collection,
        images=json.dumps(list(images)),
        lower=lower,
        upper=upper,
        count=len(images),
    )


def renumber_items(tx: WriteTx, collection: int) -> None:
    """Give the items whole-number positions, in the same order."""
    tx.run(
        """
        UPDATE collection_items AS c
           SET position = n.number
          FROM (SELECT generation_id, row_number() OVER (ORDER BY position, generation_id) AS number
                  FROM collection_items
                 WHERE collection_id = :collection) AS n
         WHERE c.collection_id = :collection AND c.generation_id = n.generation_id
        """,
        collection=collection,
    )


def list_for_image(tx: ReadTx, image: GenerationId) -> list[dict[str, str]]:
    """uuid and name of the manual collections that contain an image, by name."""
    return tx.all(
        """
        SELECT c.uuid, c.name
          FROM collection_items AS i JOIN collections AS c ON c.id = i.collection_id
         WHERE i.generation_id = :image
         ORDER BY c.name
        """,
        image=image,
    )


def filter_collected(tx: ReadTx, images: Sequence[GenerationId]) -> set[GenerationId]:
    """Those of the images that are in at least one manual collection."""
    return set(
        tx.column(
            """
            SELECT DISTINCT i.generation_id
              FROM json_each(:images) AS w JOIN collection_items AS i ON i.generation_id = w.value
            """,
            images=json.dumps(list(images)),
        )
    )
