"""Queries of a migration: ids in the other program, ratings, favorites, templates and placeholders."""

import json
import uuid
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.migrate.types import ForeignTemplate
from mysticanvas.features.tags import image_tag_queries

# Identifies templates that were already migrated, together with their key in the other program.
_NAMESPACE = uuid.UUID("6f1d4b0e-6f0a-4d5c-9a53-2f6b1d0f3c11")


def find_existing(tx: ReadTx, source: str, foreign_id: str) -> GenerationId | None:
    """The image that was already migrated; None for a new one."""
    found: GenerationId | None = tx.value(
        "SELECT generation_id FROM foreign_names WHERE source = :source AND foreign_id = :foreign_id",
        source=source,
        foreign_id=foreign_id,
    )
    return found


def add_foreign_name(tx: WriteTx, source: str, foreign_id: str, image: GenerationId) -> None:
    tx.run(
        """
        INSERT INTO foreign_names (source, foreign_id, generation_id)
        VALUES (:source, :foreign_id, :image)
            ON CONFLICT (source, foreign_id) DO UPDATE SET generation_id = excluded.generation_id
        """,
        source=source,
        foreign_id=foreign_id,
        image=image,
    )


def replace_placeholder(tx: WriteTx, placeholder: GenerationId, image: GenerationId, *, now_ms: int) -> None:
    """Move all user data and references from the placeholder to the image, and delete the placeholder."""
    tx.run(
        """
        UPDATE generations
           SET rating = max(rating, (SELECT rating FROM generations WHERE id = :placeholder)),
               is_favorite = max(is_favorite, (SELECT is_favorite FROM generations WHERE id = :placeholder)),
               notes = coalesce(notes, (SELECT notes FROM generations WHERE id = :placeholder)),
               updated_at = :now_ms
         WHERE id = :image
        """,
        placeholder=placeholder,
        image=image,
        now_ms=now_ms,
    )
    for statement in (
        "UPDATE OR IGNORE tag_assertions SET generation_id = :image WHERE generation_id = :placeholder",
        "UPDATE OR IGNORE collection_items SET generation_id = :image WHERE generation_id = :placeholder",
        "UPDATE generations SET parent_id = :image WHERE parent_id = :placeholder",
        "UPDATE foreign_names SET generation_id = :image WHERE generation_id = :placeholder",
    ):
        tx.run(statement, placeholder=placeholder, image=image)
    tx.changes.gone[placeholder] = generations.get_uuid(tx, placeholder)
    tx.run("DELETE FROM generations WHERE id = :placeholder", placeholder=placeholder)
    image_tag_queries.derive_images(tx, [image])
    tx.changes.removed.append(placeholder)
    tx.changes.changed.append(image)


def set_marks(tx: WriteTx, image: GenerationId, *, favorite: bool, rating: int, now_ms: int) -> tuple[bool, bool]:
    """Set the favorite and rating, except where the user has set one here. Returns whether each was set."""
    is_favorite = tx.run(
        """
        UPDATE generations
           SET is_favorite = 1, updated_at = :now_ms
         WHERE id = :image AND is_favorite = 0 AND :given
        """,
        image=image,
        given=favorite,
        now_ms=now_ms,
    )
    is_rated = tx.run(
        """
        UPDATE generations
           SET rating = :rating, updated_at = :now_ms
         WHERE id = :image AND rating = 0 AND :rating > 0
        """,
        image=image,
        rating=rating,
        now_ms=now_ms,
    )
    if is_favorite or is_rated:
        tx.changes.changed.append(image)
    return bool(is_favorite), bool(is_rated)


def add_template(tx: WriteTx, source: str, template: ForeignTemplate, *, now_ms: int) -> bool:
    """Add a template. False when it was already migrated."""
    return bool(
        tx.run(
            """
            INSERT INTO prompt_templates (uuid, name, content, negative, params_json, category, uses, created_at,
                                          updated_at)
            VALUES (:uuid, :name, :content, :negative, :params, :category, :uses, :now_ms, :now_ms)
                ON CONFLICT DO NOTHING
            """,
            uuid=str(uuid.uuid5(_NAMESPACE, f"{source}/{template.key}")),
            name=template.name,
            content=template.content,
            negative=template.negative,
            params=_dump_json(template.params),
            category=template.category,
            uses=template.uses,
            now_ms=now_ms,
        )
    )


def _dump_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
