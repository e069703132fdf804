"""Placeholders: images whose file was never seen here. They keep the data from another gallery or from the journal
until the file appears."""

import os

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import files
from mysticanvas.domain.generation import GenerationId


def is_placeholder(tx: ReadTx, image: GenerationId) -> bool:
    """Whether the final file of this image was never seen here."""
    return bool(
        tx.value(
            """
            SELECT EXISTS (SELECT 1
                             FROM generation_files
                            WHERE generation_id = :image AND kind = 'final' AND fingerprint IS NULL
                              AND missing_at IS NOT NULL)
            """,
            image=image,
        )
    )


def add_absent_file(
    tx: WriteTx,
    image: GenerationId,
    *,
    root_id: int | None,
    path: str,
    path_bytes: bytes | None = None,
    fingerprint: bytes | None = None,
    blake3: bytes | None = None,
    now_ms: int,
) -> None:
    """Adds a missing final file, by default with unknown content. If another file has its path, or its folder is not in
    the library (`root_id` None), the file is displaced as by `files.mark_displaced` until its content is found."""
    wanted = path_bytes if path_bytes is not None else path.encode("utf-8", "replace")
    is_displaced = root_id is None or wanted.startswith(files.DISPLACED) or _is_taken(tx, root_id, wanted)
    tx.run(
        """
        INSERT INTO generation_files (generation_id, kind, root_id, path_bytes, path, fingerprint, blake3, bytes,
                                      mtime_ns, missing_at)
        VALUES (:image, 'final', :root_id, :path_bytes, :path, :fingerprint, :blake3, 0, 0, :now_ms)
        """,
        image=image,
        root_id=root_id,
        path_bytes=files.DISPLACED + os.urandom(16) if is_displaced else wanted,
        path=path,
        fingerprint=fingerprint,
        blake3=blake3,
        now_ms=now_ms,
    )
    if is_displaced:
        files.mark_displaced(tx, tx.last_id, now_ms=now_ms)
    tx.run("UPDATE generations SET missing_at = :now_ms WHERE id = :image", image=image, now_ms=now_ms)


def _is_taken(tx: ReadTx, root_id: int, path_bytes: bytes) -> bool:
    return bool(
        tx.value(
            "SELECT EXISTS (SELECT 1 FROM generation_files WHERE root_id = :root_id AND path_bytes = :path_bytes)",
            root_id=root_id,
            path_bytes=path_bytes,
        )
    )


def fill_placeholder(tx: WriteTx, image: GenerationId) -> None:
    """Marks the file of a placeholder as existing."""
    tx.run("UPDATE generations SET missing_at = NULL WHERE id = :image", image=image)


def find_at_path(tx: ReadTx, root_id: int, path: str) -> GenerationId | None:
    """The image whose final file or copy has this path, None when there is none."""
    found: GenerationId | None = tx.value(
        """
        SELECT generation_id
          FROM generation_files
         WHERE root_id = :root_id AND path_bytes = :path_bytes AND kind IN ('final', 'copy')
        """,
        root_id=root_id,
        path_bytes=path.encode(),
    )
    return found
