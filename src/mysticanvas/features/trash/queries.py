"""The Trash: hidden images with the time they expire, and the intents of purges in progress."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId

# What can be protected from the Trash: favorites, and images in collections.
Protected = Literal["favorites", "collected"]


@dataclass(frozen=True, slots=True)
class TrashedImage:
    """`thumb` is the content hash in hex; from `purge_after` on the image may be deleted permanently."""

    id: GenerationId
    uuid: str
    deleted_at: int
    purge_after: int
    missing: bool
    thumb: str | None
    path: str | None
    bytes: int
    width: int | None
    height: int | None
    prompt: str | None


@dataclass(frozen=True, slots=True)
class PurgedFile:
    """A file of an image to purge. `root` is the path of its folder; `removed` means that the folder is no longer
    in the library."""

    id: int
    image: GenerationId
    uuid: str
    kind: str
    root: str
    path_bytes: bytes
    path: str
    blake3: bytes | None
    fingerprint: bytes | None
    mtime_ns: int
    bytes: int
    missing: bool
    removed: bool


def move_to_trash(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int, purge_after: int) -> int:
    """Hide these images; returns how many were not in the Trash yet."""
    return tx.run(
        """
        UPDATE generations
           SET deleted_at = :now_ms, purge_after = :purge_after, updated_at = :now_ms
         WHERE id IN (SELECT value FROM json_each(:images)) AND deleted_at IS NULL
        """,
        images=json.dumps(list(images)),
        now_ms=now_ms,
        purge_after=purge_after,
    )


def restore(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> int:
    """Take these images out of the Trash; returns how many were in it."""
    return tx.run(
        """
        UPDATE generations
           SET deleted_at = NULL, purge_after = NULL, updated_at = :now_ms
         WHERE id IN (SELECT value FROM json_each(:images)) AND deleted_at IS NOT NULL
        """,
        images=json.dumps(list(images)),
        now_ms=now_ms,
    )


def list_trash(tx: ReadTx, *, after: int | None, limit: int) -> list[TrashedImage]:
    """Images in the Trash by expiry, soonest first; only those after the image `after`, if given."""
    rows = tx.all(
        """
        SELECT g.id, g.uuid, g.deleted_at, g.purge_after, g.missing_at IS NOT NULL AS missing,
               nullif(lower(hex(f.blake3)), '') AS thumb, r.path || '/' || f.path AS path,
               coalesce(f.bytes, 0) AS bytes, f.width, f.height, substr(g.prompt, 1, 80) AS prompt
          FROM generations AS g
               LEFT JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
               LEFT JOIN roots AS r ON r.id = f.root_id
         WHERE g.deleted_at IS NOT NULL
           AND (g.purge_after, g.id) > (coalesce((SELECT purge_after FROM generations WHERE id = :after), 0),
                                        coalesce(:after, 0))
         ORDER BY g.purge_after, g.id
         LIMIT :limit
        """,
        after=after,
        limit=limit,
    )
    return [TrashedImage(**(row | {"missing": bool(row["missing"])})) for row in rows]


def get_totals(tx: ReadTx) -> tuple[int, int]:
    """How many images are in the Trash, and the size in bytes of all their files in library folders."""
    row = tx.one(
        """
        SELECT (SELECT count(*) FROM generations WHERE deleted_at IS NOT NULL) AS images,
               (SELECT coalesce(sum(f.bytes), 0)
                  FROM generations AS g JOIN generation_files AS f ON f.generation_id = g.id
                 WHERE g.deleted_at IS NOT NULL AND f.root_id IS NOT NULL) AS bytes
        """
    )
    assert row is not None
    return row["images"], row["bytes"]


def list_ids(tx: ReadTx, *, before_ms: int | None, limit: int) -> list[GenerationId]:
    """Images that expired before `before_ms`, or all with None; soonest first."""
    return tx.column(
        """
        SELECT id FROM generations
         WHERE deleted_at IS NOT NULL AND purge_after < coalesce(:before_ms, 9223372036854775807)
         ORDER BY purge_after, id
         LIMIT :limit
        """,
        before_ms=before_ms,
        limit=limit,
    )


def filter_trashed(tx: ReadTx, images: Sequence[GenerationId]) -> list[GenerationId]:
    """Those of the images that are in the Trash, in the given order."""
    return tx.column(
        """
        SELECT g.id
          FROM json_each(:images) AS n CROSS JOIN generations AS g NOT INDEXED ON g.id = n.value
         WHERE g.deleted_at IS NOT NULL
         ORDER BY n.key
        """,
        images=json.dumps(list(images)),
    )


# -- purging --------------------------------------------------------------------------------------

_FILE = """
        SELECT f.id, f.generation_id AS image, g.uuid, f.kind, r.path AS root, f.path_bytes, f.path, f.bytes,
               f.mtime_ns, f.blake3, f.fingerprint, f.missing_at IS NOT NULL AS missing,
               r.removed_at IS NOT NULL AS removed
          FROM generation_files AS f
               JOIN generations AS g ON g.id = f.generation_id
               JOIN roots AS r ON r.id = f.root_id
"""


def list_files(tx: ReadTx, images: Sequence[GenerationId]) -> list[PurgedFile]:
    """All files in library folders of those images that are in the Trash, grouped by image.

    The final file is last, so that an image whose purge is interrupted still has it.
    """
    rows = tx.all(
        _FILE  # noqa: S608 - a constant
        + " WHERE f.generation_id IN (SELECT value FROM json_each(:images)) AND g.deleted_at IS NOT NULL"
        + " ORDER BY f.generation_id, f.kind = 'final', f.id",
        images=json.dumps(list(images)),
    )
    return [_build_purged_file(row) for row in rows]


def _build_purged_file(row: dict[str, Any]) -> PurgedFile:
    return PurgedFile(**(row | {"missing": bool(row["missing"]), "removed": bool(row["removed"])}))


def record_intents(tx: WriteTx, file_ids: Sequence[int], how: str, *, now_ms: int) -> None:
    """Record that these files are about to be removed. Recording one again replaces `how`."""
    tx.run_many(
        """
        INSERT INTO purge_intents (file_id, how, intended_at) VALUES (:id, :how, :now_ms)
            ON CONFLICT (file_id) DO UPDATE SET how = excluded.how
        """,
        [{"id": one, "how": how, "now_ms": now_ms} for one in file_ids],
    )


def list_intents(tx: ReadTx) -> list[tuple[PurgedFile, str]]:
    """(file, how) of purges that were started and not finished, grouped by image."""
    rows = tx.all(
        _FILE.replace("AS missing,", "AS missing, p.how,")
        + " JOIN purge_intents AS p ON p.file_id = f.id ORDER BY f.generation_id, f.kind = 'final', f.id"
    )
    found = [(row.pop("how"), row) for row in rows]
    return [(_build_purged_file(row), how) for how, row in found]


def delete_intents(tx: WriteTx, file_ids: Sequence[int]) -> None:
    """Cancel the purge of these files."""
    tx.run(
        "DELETE FROM purge_intents WHERE file_id IN (SELECT value FROM json_each(:ids))",
        ids=json.dumps(list(file_ids)),
    )


def delete_image(tx: WriteTx, image: GenerationId) -> bool:
    """Delete the row of an image in the Trash and everything that refers to it; False if there is none."""
    gone = tx.run("DELETE FROM generations WHERE id = :image AND deleted_at IS NOT NULL", image=image)
    tx.changes.invalidated.add("trash")
    return bool(gone)


def delete_file(tx: WriteTx, file_id: int) -> None:
    tx.run("DELETE FROM generation_files WHERE id = :file_id", file_id=file_id)
