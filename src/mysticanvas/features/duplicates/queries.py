"""Perceptual hashes, images of a group, and the user's collections and tags on duplicates."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.search.image_hashes import SIGNATURES_CHANGED

HASH_BYTES = 32


def save_hash(tx: WriteTx, image: GenerationId, phash: bytes | None) -> None:
    """Store a perceptual hash followed by the miniature, as `imaging/perceptual_hash.py` computes them.

    None, for a picture without contrast, deletes both: such a picture has no duplicates.
    """
    tx.changes.invalidated.add(SIGNATURES_CHANGED)
    if phash is None:
        tx.run("DELETE FROM picture_hashes WHERE generation_id = :image", image=image)
        tx.run("DELETE FROM picture_looks WHERE generation_id = :image", image=image)
        return
    tx.run(
        """
        INSERT INTO picture_hashes (generation_id, phash)
        VALUES (:image, :phash)
            ON CONFLICT (generation_id) DO UPDATE SET phash = excluded.phash
        """,
        image=image,
        phash=phash[:HASH_BYTES],
    )
    tx.run(
        """
        INSERT INTO picture_looks (generation_id, look)
        VALUES (:image, :look)
            ON CONFLICT (generation_id) DO UPDATE SET look = excluded.look
        """,
        image=image,
        look=phash[HASH_BYTES:],
    )


def list_unhashed(tx: ReadTx, *, after: int, limit: int) -> list[tuple[GenerationId, str]]:
    """(id, uuid) of the next decoded live images without a miniature, by id."""
    rows = tx.rows(
        """
        SELECT l.id, l.uuid
          FROM live_generations AS l
         WHERE l.id > :after AND l.content_hash IS NOT NULL AND l.flags & 11 = 0
           AND NOT EXISTS (SELECT 1 FROM picture_looks WHERE generation_id = l.id)
         ORDER BY l.id
         LIMIT :limit
        """,
        after=after,
        limit=limit,
    )
    return [(GenerationId(image), uuid) for image, uuid in rows]


@dataclass(frozen=True, slots=True)
class GroupImage:
    """One image of a group, as the API returns it. `places` lists every path where its file exists now.

    `reason` says why it is the one to keep, or why not. If it is kept, merging copies what `copied` says and loses what
    `lost` says, which is usually nothing.
    """

    uuid: str
    thumb: str | None
    width: int | None
    height: int | None
    bytes: int | None
    format: str | None
    rating: int
    favorite: bool
    timestamp: int
    places: list[str]
    reason: str | None = None
    copied: Sequence[str] = ()
    lost: Sequence[str] = ()


def list_group_images(tx: ReadTx, images: Sequence[GenerationId]) -> list[GroupImage]:
    """The live images, in the given order; others are skipped."""
    rows = tx.all(
        """
        SELECT l.id, l.uuid, lower(hex(l.content_hash)) AS thumb, l.width_px AS width, l.height_px AS height,
               f.bytes, f.format, l.rating, l.is_favorite AS favorite, g.timestamp,
               (SELECT json_group_array(r.path || '/' || p.path ORDER BY p.kind DESC, p.id)
                  FROM generation_files AS p JOIN roots AS r ON r.id = p.root_id
                 WHERE p.generation_id = l.id AND p.kind IN ('final', 'copy') AND p.missing_at IS NULL) AS places
          FROM json_each(:images) AS wanted
               JOIN live_generations AS l ON l.id = wanted.value
               JOIN generations AS g ON g.id = l.id
               LEFT JOIN generation_files AS f ON f.generation_id = l.id AND f.kind = 'final'
         ORDER BY wanted.key
        """,
        images=json.dumps(list(images)),
    )
    found = []
    for row in rows:
        del row["id"]
        row |= {"favorite": bool(row["favorite"]), "thumb": row["thumb"] or None, "places": json.loads(row["places"])}
        found.append(GroupImage(**row))
    return found


def list_collections(tx: ReadTx, images: Sequence[GenerationId]) -> list[tuple[int, float]]:
    """(collection id, lowest position) of every manual collection that contains any of the images."""
    rows = tx.rows(
        """
        SELECT collection_id, min(position)
          FROM collection_items
         WHERE generation_id IN (SELECT value FROM json_each(:images))
         GROUP BY collection_id
        """,
        images=json.dumps(list(images)),
    )
    return list(rows)


def add_to_collections(tx: WriteTx, image: GenerationId, places: Sequence[tuple[int, float]], *, now_ms: int) -> None:
    """Add the image to collections at these positions. Where it already is in one, its position stays."""
    tx.run_many(
        """
        INSERT INTO collection_items (collection_id, generation_id, position, added_at)
        VALUES (:collection, :image, :position, :now_ms)
            ON CONFLICT DO NOTHING
        """,
        (
            {"collection": collection, "image": image, "position": position, "now_ms": now_ms}
            for collection, position in places
        ),
    )


def list_own_tags(tx: ReadTx, images: Sequence[GenerationId]) -> list[tuple[int, int]]:
    """(tag, decision) of the tags that the user assigned (1) or rejected (0) on any of the images.

    Aliases are resolved. A tag that was assigned on one image and rejected on another counts as assigned.
    """
    rows = tx.rows(
        """
        SELECT e.effective_id, max(a.decision)
          FROM tag_assertions AS a
               JOIN tag_effects AS e ON e.tag_id = a.tag_id AND e.implied = 0
         WHERE a.generation_id IN (SELECT value FROM json_each(:images)) AND a.source = 'user'
         GROUP BY e.effective_id
        """,
        images=json.dumps(list(images)),
    )
    return list(rows)
