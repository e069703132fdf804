"""Exclude patterns of watched folders, and the images that they hide (docs/adr/0020-excludes.md)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file of an image in a watched folder, with the state of the image."""

    image: GenerationId
    root_id: int
    path_bytes: bytes
    missing: bool


def list_patterns(tx: ReadTx, root_id: int | None) -> list[str]:
    """In order; empty for a folder that is not stored."""
    found = tx.value("SELECT patterns_json FROM folder_excludes WHERE root_id = :root_id", root_id=root_id)
    return [str(one) for one in json.loads(found or "[]")]


def set_patterns(tx: WriteTx, root_id: int, patterns: Sequence[str]) -> None:
    if not patterns:
        tx.run("DELETE FROM folder_excludes WHERE root_id = :root_id", root_id=root_id)
        return
    tx.run(
        """
        INSERT INTO folder_excludes (root_id, patterns_json)
        VALUES (:root_id, :patterns)
            ON CONFLICT (root_id) DO UPDATE SET patterns_json = excluded.patterns_json
        """,
        root_id=root_id,
        patterns=json.dumps(list(patterns), ensure_ascii=False),
    )


def list_visible(tx: ReadTx, root_id: int, *, after: bytes, limit: int) -> list[tuple[GenerationId, bytes]]:
    """The next files in a folder of images that are neither excluded nor in the Trash, by path: (image, path).
    `after` is the last path of the previous page, b"" for the first page."""
    rows = tx.rows(
        """
        SELECT f.generation_id, f.path_bytes
          FROM generation_files AS f
               JOIN live_generations AS l ON l.id = f.generation_id
         WHERE f.root_id = :root_id AND f.path_bytes > :after AND f.kind IN ('final', 'copy')
         ORDER BY f.path_bytes
         LIMIT :limit
        """,
        root_id=root_id,
        after=after,
        limit=limit,
    )
    return [(GenerationId(image), path) for image, path in rows]


def list_excluded(tx: ReadTx, root_id: int) -> list[GenerationId]:
    """The excluded images with a file in this folder."""
    return tx.column(
        """
        SELECT g.id
          FROM generations AS g INDEXED BY generations_excluded
         WHERE g.excluded_at IS NOT NULL
           AND EXISTS (SELECT 1 FROM generation_files AS f
                        WHERE f.generation_id = g.id AND f.root_id = :root_id AND f.kind IN ('final', 'copy'))
         ORDER BY g.id
        """,
        root_id=root_id,
    )


def list_files(tx: ReadTx, images: Sequence[GenerationId]) -> list[ImageFile]:
    """All files of these images in watched folders: final files and copies."""
    rows = tx.rows(
        """
        SELECT f.generation_id, f.root_id, f.path_bytes, f.missing_at IS NOT NULL
          FROM json_each(:images) AS wanted
               CROSS JOIN generation_files AS f ON f.generation_id = wanted.value
         WHERE f.root_id IS NOT NULL AND f.kind IN ('final', 'copy')
        """,
        images=json.dumps(list(images)),
    )
    return [ImageFile(GenerationId(image), root_id, path, bool(missing)) for image, root_id, path, missing in rows]


def hide(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> int:
    """Hides images that are not in the Trash. Returns how many changed."""
    return tx.run(
        """
        UPDATE generations
           SET excluded_at = :now_ms, updated_at = :now_ms
         WHERE id IN (SELECT value FROM json_each(:images)) AND excluded_at IS NULL AND deleted_at IS NULL
        """,
        images=json.dumps(list(images)),
        now_ms=now_ms,
    )


def show(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> list[GenerationId]:
    """Shows excluded images again. Returns those that changed."""
    return tx.column(
        """
        UPDATE generations
           SET excluded_at = NULL, updated_at = :now_ms
         WHERE id IN (SELECT value FROM json_each(:images)) AND excluded_at IS NOT NULL
     RETURNING id
        """,
        images=json.dumps(list(images)),
        now_ms=now_ms,
    )
