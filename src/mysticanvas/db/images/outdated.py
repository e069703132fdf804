"""Files that an older version read: their headers are read again, and their thumbnails may be made again."""

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId


def set_shown_size(tx: WriteTx, file_id: int, *, width: int, height: int, orientation: int, is_outdated: bool) -> None:
    """Stores the size of the shown image. Its pixels are unchanged; `is_outdated`: its thumbnails are made again."""
    tx.run(
        """
        UPDATE generation_files
           SET width = :width, height = :height, orientation = :orientation, is_outdated = :is_outdated
         WHERE id = :file_id
        """,
        file_id=file_id,
        width=width,
        height=height,
        orientation=orientation,
        is_outdated=is_outdated,
    )


def list_outdated(tx: ReadTx, *, after: int, limit: int) -> list[GenerationId]:
    """The next images by ID whose existing final file was read by an older version."""
    return tx.column(
        """
        SELECT generation_id
          FROM generation_files
         WHERE kind = 'final' AND is_outdated = 1 AND generation_id > :after AND missing_at IS NULL
         ORDER BY generation_id
         LIMIT :limit
        """,
        after=after,
        limit=limit,
    )


def has_outdated(tx: ReadTx) -> bool:
    return bool(tx.value("SELECT EXISTS (SELECT 1 FROM generation_files WHERE kind = 'final' AND is_outdated = 1)"))


def is_outdated(tx: ReadTx, *, blake3: bytes) -> bool:
    """Whether the thumbnails of this content may be made again."""
    return bool(
        tx.value(
            "SELECT EXISTS (SELECT 1 FROM generation_files WHERE blake3 = :blake3 AND is_outdated = 1)", blake3=blake3
        )
    )
