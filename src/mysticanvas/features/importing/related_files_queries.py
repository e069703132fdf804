"""Files that belong to an image: sidecars and companion images."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.file import FileStat
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.text import clean_text


@dataclass(frozen=True, slots=True)
class PendingCompanion:
    """A companion whose image is not in the library yet."""

    generation_id: GenerationId
    kind: str
    root_id: int
    path_bytes: bytes


def add_sidecars(tx: WriteTx, image: GenerationId, *, root_id: int, sidecars: Sequence[FileStat]) -> None:
    """Add or update sidecars of an image, by path. A sidecar of two images stays with the first."""
    tx.run_many(
        """
        INSERT INTO generation_files (generation_id, kind, root_id, path_bytes, path, bytes, mtime_ns)
        VALUES (:image, 'sidecar', :root_id, :path_bytes, :path, :bytes, :mtime_ns)
            ON CONFLICT (root_id, path_bytes) DO UPDATE
           SET bytes = excluded.bytes, mtime_ns = excluded.mtime_ns, missing_at = NULL
         WHERE kind = 'sidecar'
        """,
        [
            {
                "image": image,
                "root_id": root_id,
                "path_bytes": stat.path_bytes,
                "path": clean_text(stat.path_bytes.decode("utf-8", "replace")),
                "bytes": stat.bytes,
                "mtime_ns": stat.mtime_ns,
            }
            for stat in sidecars
        ],
    )


def forget_sidecars(tx: WriteTx, image: GenerationId, *, names: Iterable[bytes]) -> None:
    """Remove sidecars by file name, because they moved with their image."""
    moved = set(names)
    rows = tx.all(
        "SELECT id, path_bytes FROM generation_files WHERE generation_id = :image AND kind = 'sidecar'", image=image
    )
    for row in rows:
        if os.path.basename(row["path_bytes"]) in moved:
            tx.run("DELETE FROM generation_files WHERE id = :id", id=row["id"])


def mark_grid(tx: WriteTx, image: GenerationId, *, is_grid: bool) -> None:
    tx.run(
        "UPDATE generations SET is_grid = :is_grid WHERE id = :image AND is_grid <> :is_grid",
        image=image,
        is_grid=int(is_grid),
    )
    tx.changes.changed.append(image)


def add_pending(tx: WriteTx, image: GenerationId, *, kind: str, root_id: int, folder: bytes) -> None:
    tx.run(
        """
        INSERT INTO companions (generation_id, kind, root_id, folder)
        VALUES (:image, :kind, :root_id, :folder)
            ON CONFLICT (generation_id) DO UPDATE
           SET kind = excluded.kind, root_id = excluded.root_id, folder = excluded.folder
        """,
        image=image,
        kind=kind,
        root_id=root_id,
        folder=folder,
    )


def has_pending(tx: ReadTx) -> bool:
    return bool(tx.value("SELECT EXISTS (SELECT 1 FROM companions)"))


def list_pending(tx: ReadTx, *, root_id: int, folder: bytes) -> list[PendingCompanion]:
    rows = tx.all(
        """
        SELECT c.generation_id, c.kind, c.root_id, f.path_bytes
          FROM companions AS c
               JOIN generation_files AS f ON f.generation_id = c.generation_id AND f.kind = 'final'
         WHERE c.root_id = :root_id AND c.folder = :folder
        """,
        root_id=root_id,
        folder=folder,
    )
    return [PendingCompanion(**row) for row in rows]


def find_final(tx: ReadTx, *, root_id: int, path_bytes: bytes) -> GenerationId | None:
    found: GenerationId | None = tx.value(
        """
        SELECT generation_id
          FROM generation_files
         WHERE root_id = :root_id AND path_bytes = :path_bytes AND kind = 'final'
        """,
        root_id=root_id,
        path_bytes=path_bytes,
    )
    return found


def have_same_prompt_and_seed(tx: ReadTx, one: GenerationId, other: GenerationId) -> bool:
    """Whether two images have the same seed and the same prompt."""
    return bool(
        tx.value(
            """
            SELECT EXISTS (SELECT 1
                             FROM generations AS a
                                  JOIN generations AS b ON b.seed = a.seed AND b.prompt = a.prompt
                            WHERE a.id = :one AND b.id = :other)
            """,
            one=one,
            other=other,
        )
    )


def has_no_user_data(tx: ReadTx, image: GenerationId) -> bool:
    """Whether the user has not edited the image: no favorite, rating, tag, note, collection, parent or Trash. Data
    from files does not count, because it may be added before or after the image is known to be a companion."""
    return bool(
        tx.value(
            """
            SELECT is_favorite = 0 AND rating = 0 AND notes IS NULL AND deleted_at IS NULL
                   AND parent_by IS NOT 'user'
                   AND NOT EXISTS (SELECT 1 FROM tag_assertions WHERE generation_id = g.id AND source = 'user')
                   AND NOT EXISTS (SELECT 1 FROM collection_items WHERE generation_id = g.id)
                   AND NOT EXISTS (SELECT 1 FROM generations WHERE parent_id = g.id AND parent_by = 'user')
              FROM generations AS g
             WHERE g.id = :image
            """,
            image=image,
        )
    )


def join_image(tx: WriteTx, loose: PendingCompanion, image: GenerationId) -> None:
    """Make the files of a companion files of `image`, and delete the companion's own row."""
    tx.run(
        """
        UPDATE generation_files
           SET generation_id = :image, kind = iif(kind = 'sidecar', 'sidecar', :kind)
         WHERE generation_id = :loose AND kind IN ('final', 'copy', 'sidecar')
        """,
        image=image,
        loose=loose.generation_id,
        kind=loose.kind,
    )
    tx.run("DELETE FROM generations WHERE id = :loose", loose=loose.generation_id)
    tx.changes.removed.append(loose.generation_id)
    tx.changes.changed.append(image)
