"""Perceptual hashes of pictures, and images that share a recipe."""

import json
from collections.abc import Sequence
from typing import Any

from mysticanvas.domain.generation import GenerationId
from mysticanvas.store.database import ReadTx, WriteTx


def keep(tx: WriteTx, image: GenerationId, phash: bytes | None) -> None:
    """None for a picture without contrast, which is like no other."""
    if phash is None:
        tx.run("DELETE FROM picture_hashes WHERE generation_id = :image", image=image)
        return
    tx.run(
        """
        INSERT INTO picture_hashes (generation_id, phash)
        VALUES (:image, :phash)
            ON CONFLICT (generation_id) DO UPDATE SET phash = excluded.phash
        """,
        image=image,
        phash=phash,
    )


def all_hashes(tx: ReadTx) -> tuple[list[int], list[int], bytes]:
    """The live images that have a hash: ids ascending, width / height × 1000, and the hashes one after the
    other."""
    rows: list[Any] = tx.rows(
        """
        SELECT h.generation_id, l.ratio_milli, h.phash
          FROM picture_hashes AS h
               JOIN live_generations AS l ON l.id = h.generation_id
         ORDER BY h.generation_id
        """
    ).fetchall()
    return [row[0] for row in rows], [row[1] for row in rows], b"".join(row[2] for row in rows)


def without_hash(tx: ReadTx, *, after: int, limit: int) -> list[tuple[GenerationId, str]]:
    """The next images, by id, whose pixels were seen before there were hashes: (id, uuid)."""
    rows = tx.rows(
        """
        SELECT l.id, l.uuid
          FROM live_generations AS l
         WHERE l.id > :after AND l.content_hash IS NOT NULL AND l.flags & 3 = 0
           AND NOT EXISTS (SELECT 1 FROM picture_hashes WHERE generation_id = l.id)
         ORDER BY l.id
         LIMIT :limit
        """,
        after=after,
        limit=limit,
    )
    return [(GenerationId(image), uuid) for image, uuid in rows]


def same_recipe(tx: ReadTx) -> list[list[int]]:
    """Live images that agree in everything that decides a picture, ids descending within a group, the
    group with the newest image first. A recipe without a seed and a prompt says too little."""
    rows = tx.rows(
        """
        SELECT json_group_array(g.id ORDER BY g.id DESC) AS images
          FROM generations AS g
         WHERE g.deleted_at IS NULL AND g.seed IS NOT NULL AND g.prompt IS NOT NULL
         GROUP BY g.seed, g.prompt, g.negative_prompt, g.steps, g.cfg_scale, g.guidance, g.sampler, g.scheduler,
                  g.denoise, g.clip_skip, g.width, g.height, coalesce(g.model_hash, g.model_name), g.parent_uuid
        HAVING count(*) > 1
         ORDER BY max(g.id) DESC
        """
    )
    return [json.loads(row[0]) for row in rows]


def set_rating_and_favorite(
    tx: WriteTx, image: GenerationId, *, rating: int, favorite: bool, notes: str | None, now_ms: int
) -> None:
    tx.run(
        """
        UPDATE generations
           SET rating = :rating, is_favorite = :favorite, notes = :notes, updated_at = :now_ms
         WHERE id = :image
        """,
        image=image,
        rating=rating,
        favorite=favorite,
        notes=notes,
        now_ms=now_ms,
    )
    tx.changes.changed.append(image)


def marks(tx: ReadTx, images: Sequence[GenerationId]) -> list[dict[str, Any]]:
    """What the person wrote on each live image: id, rating, is_favorite, notes."""
    return tx.all(
        """
        SELECT id, rating, is_favorite, notes
          FROM generations
         WHERE id IN (SELECT value FROM json_each(:images)) AND deleted_at IS NULL
         ORDER BY id DESC
        """,
        images=json.dumps(list(images)),
    )


def collections_of(tx: ReadTx, images: Sequence[GenerationId]) -> list[tuple[int, float]]:
    """The manual collections that any of the images is in, with the first place it has there."""
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


def join_collections(
    tx: WriteTx, image: GenerationId, places: Sequence[tuple[int, float]], *, now_ms: int
) -> list[int]:
    """The collections that the image was not in before."""
    joined = []
    for collection, position in places:
        added = tx.run(
            """
            INSERT INTO collection_items (collection_id, generation_id, position, added_at)
            VALUES (:collection, :image, :position, :now_ms)
                ON CONFLICT DO NOTHING
            """,
            collection=collection,
            image=image,
            position=position,
            now_ms=now_ms,
        )
        if added:
            joined.append(collection)
    return joined


def leave_collections(tx: WriteTx, image: GenerationId, collections: Sequence[int]) -> None:
    tx.run(
        """
        DELETE FROM collection_items
         WHERE generation_id = :image AND collection_id IN (SELECT value FROM json_each(:collections))
        """,
        image=image,
        collections=json.dumps(list(collections)),
    )


def user_tags_of(tx: ReadTx, images: Sequence[GenerationId]) -> list[tuple[int, int]]:
    """(tag, decision) of what the person said of any of the images; where it was said both ways, yes."""
    rows = tx.rows(
        """
        SELECT tag_id, max(decision)
          FROM tag_assertions
         WHERE generation_id IN (SELECT value FROM json_each(:images)) AND source = 'user'
         GROUP BY tag_id
        """,
        images=json.dumps(list(images)),
    )
    return list(rows)
