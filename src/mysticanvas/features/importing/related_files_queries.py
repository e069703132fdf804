"""Files that belong to an image: sidecars and companion images."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import former_names, generations
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
    """Add or update sidecars of an image, by path. A sidecar of several images is a file of the one whose path comes
    first, whichever arrived first."""
    tx.run_many(
        """
        INSERT INTO generation_files (generation_id, kind, root_id, path_bytes, path, bytes, mtime_ns)
        VALUES (:image, 'sidecar', :root_id, :path_bytes, :path, :bytes, :mtime_ns)
            ON CONFLICT (root_id, path_bytes) DO UPDATE
           SET bytes = excluded.bytes, mtime_ns = excluded.mtime_ns, missing_at = NULL,
               generation_id = CASE WHEN generation_id = :image THEN :image
                                    WHEN (SELECT min(n.path_bytes)
                                            FROM generation_files AS n
                                           WHERE n.generation_id = :image AND n.root_id = :root_id
                                             AND n.path_bytes >= :first AND n.path_bytes < :until
                                             AND n.kind IN ('final', 'copy'))
                                         < coalesce((SELECT min(o.path_bytes)
                                                       FROM generation_files AS o
                                                      WHERE o.generation_id = generation_files.generation_id
                                                        AND o.root_id = :root_id
                                                        AND o.path_bytes >= :first AND o.path_bytes < :until
                                                        AND o.kind IN ('final', 'copy')), x'ff')
                                    THEN :image
                                    ELSE generation_id END
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
                "first": _get_bare_path(stat.path_bytes),
                "until": _get_bare_path(stat.path_bytes) + b"\xff",
            }
            for stat in sidecars
        ],
    )


def _get_bare_path(path_bytes: bytes) -> bytes:
    """The path of a sidecar without any of its extensions, with which the paths of its images begin."""
    folder, _, name = path_bytes.rpartition(b"/")
    stem = name.rpartition(b".")[0]
    return (folder + b"/" if folder else b"") + (stem.rpartition(b".")[0] or stem)


def find_known_sidecars(tx: ReadTx, *, root_id: int | None, paths: Sequence[bytes]) -> set[bytes]:
    """Those of `paths` that are known as sidecars."""
    sql = "SELECT 1 FROM generation_files WHERE root_id = :root_id AND path_bytes = :path AND kind = 'sidecar'"
    return {path for path in paths if tx.value(sql, root_id=root_id, path=path)}


def list_image_files(tx: ReadTx, image: GenerationId) -> list[tuple[int, bytes]]:
    """(root ID, path) of the final file and the copies of an image."""
    rows = tx.rows(
        "SELECT root_id, path_bytes FROM generation_files WHERE generation_id = :image AND kind IN ('final', 'copy')",
        image=image,
    )
    return [(root_id, path_bytes) for root_id, path_bytes in rows]


def list_sidecars(tx: ReadTx, image: GenerationId) -> list[tuple[int, bytes]]:
    """(root ID, path) of the sidecars of an image."""
    rows = tx.rows(
        """
        SELECT root_id, path_bytes FROM generation_files WHERE generation_id = :image AND kind = 'sidecar'
        """,
        image=image,
    )
    return [(root_id, path_bytes) for root_id, path_bytes in rows]


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
            ON CONFLICT DO UPDATE SET kind = excluded.kind
        """,
        image=image,
        kind=kind,
        root_id=root_id,
        folder=folder,
    )


def has_pending(tx: ReadTx) -> bool:
    return bool(tx.value("SELECT EXISTS (SELECT 1 FROM companions)"))


def forget_pending(tx: WriteTx, image: GenerationId) -> None:
    tx.run("DELETE FROM companions WHERE generation_id = :image", image=image)


def list_pending(tx: ReadTx, *, root_id: int, folder: bytes) -> list[PendingCompanion]:
    """The files in this folder of images that wait in it."""
    rows = tx.all(
        """
        SELECT c.generation_id, c.kind, c.root_id, f.path_bytes
          FROM companions AS c
               JOIN generation_files AS f ON f.generation_id = c.generation_id AND f.kind IN ('final', 'copy')
         WHERE c.root_id = :root_id AND c.folder = :folder AND f.root_id = c.root_id
         ORDER BY f.path_bytes
        """,
        root_id=root_id,
        folder=folder,
    )
    found = (PendingCompanion(**row) for row in rows)
    return [one for one in found if os.path.dirname(one.path_bytes) == folder]


def list_joined(tx: ReadTx, *, root_id: int, first: bytes, until: bytes) -> list[PendingCompanion]:
    """Companions that are files of an image, with a path from `first` until `until`."""
    rows = tx.all(
        """
        SELECT generation_id, kind, root_id, path_bytes
          FROM generation_files
         WHERE root_id = :root_id AND path_bytes >= :first AND path_bytes < :until AND fingerprint IS NOT NULL
           AND kind NOT IN ('final', 'copy')
         ORDER BY path_bytes
        """,
        root_id=root_id,
        first=first,
        until=until,
    )
    return [PendingCompanion(**row) for row in rows]


def find_image(tx: ReadTx, *, root_id: int, path_bytes: bytes) -> GenerationId | None:
    """The image that has a file with pixels at this path, which may be a companion."""
    found: GenerationId | None = tx.value(
        """
        SELECT generation_id
          FROM generation_files
         WHERE root_id = :root_id AND path_bytes = :path_bytes AND fingerprint IS NOT NULL
        """,
        root_id=root_id,
        path_bytes=path_bytes,
    )
    return found


def move_companion(tx: WriteTx, companion: PendingCompanion, image: GenerationId) -> None:
    """Make the file of a joined companion a file of another image, with its names."""
    tx.run(
        """
        UPDATE generation_files
           SET generation_id = :image
         WHERE root_id = :root_id AND path_bytes = :path_bytes
        """,
        image=image,
        root_id=companion.root_id,
        path_bytes=companion.path_bytes,
    )
    rename_companion(tx, companion.generation_id, companion.path_bytes)
    rename_companion(tx, image, companion.path_bytes)
    tx.changes.changed.extend((companion.generation_id, image))


def rename_companion(tx: WriteTx, image: GenerationId, before: bytes) -> None:
    """Update the former names of an image after a companion was moved to it, from it, or from the path `before`. An
    image has the current names of its companions, and only those."""
    path = before.decode("utf-8", "replace")
    tx.run_many(
        "DELETE FROM former_names WHERE generation_id = :image AND name_key = :name",
        [{"image": image, "name": name} for name in (path, former_names.make_name_key(path)) if name],
    )
    for current in tx.column(
        """
        SELECT path FROM generation_files
         WHERE generation_id = :image AND fingerprint IS NOT NULL AND kind NOT IN ('final', 'copy')
        """,
        image=image,
    ):
        former_names.remember_path(tx, image, current)


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
           SET generation_id = :image, kind = iif(kind IN ('final', 'copy'), :kind, kind)
         WHERE generation_id = :loose AND kind NOT IN ('thumb', 'preview')
        """,
        image=image,
        loose=loose.generation_id,
        kind=loose.kind,
    )
    tx.changes.gone[loose.generation_id] = generations.get_uuid(tx, loose.generation_id)
    tx.run("DELETE FROM generations WHERE id = :loose", loose=loose.generation_id)
    tx.changes.removed.append(loose.generation_id)
    tx.changes.changed.append(image)
