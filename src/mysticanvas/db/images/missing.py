"""Missing files, for review by the user."""

from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import former_names
from mysticanvas.db.images.files import KnownFile
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.domain.generation import GenerationId


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A file that a scan did not find. `thumb` is the name of the thumbnail, null if there is none. `elsewhere`: the
    image `uuid` has another file that exists."""

    id: int
    uuid: str
    path: str
    bytes: int
    missing_at: int
    thumb: str | None
    elsewhere: bool


_LOST = """
          FROM generation_files AS f
               JOIN generations AS g ON g.id = f.generation_id
         WHERE f.root_id = :root_id AND f.missing_at IS NOT NULL AND g.deleted_at IS NULL
           AND g.excluded_at IS NULL AND f.kind IN ('final', 'copy')
"""


def list_missing(tx: ReadTx, root_id: int, *, after: int, limit: int) -> list[MissingFile]:
    """The next missing files of a watched folder, by id, after the file `after`; without those of excluded images
    and images in the Trash."""
    rows = tx.all(
        "SELECT f.id, g.uuid, f.path, f.bytes, f.missing_at, nullif(lower(hex(f.blake3)), '') AS thumb,"
        "       g.missing_at IS NULL AS elsewhere" + _LOST + " AND f.id > :after ORDER BY f.id LIMIT :limit",
        root_id=root_id,
        after=after,
        limit=limit,
    )
    return [MissingFile(**(row | {"elsewhere": bool(row["elsewhere"])})) for row in rows]


def list_missing_ids(tx: ReadTx, root_id: int) -> list[int]:
    return tx.column("SELECT f.id" + _LOST + " ORDER BY f.id", root_id=root_id)


def find_missing(tx: ReadTx, file_id: int) -> KnownFile:
    """Raises `NotFoundError` for a file that is not missing."""
    row = tx.one(
        """
        SELECT f.id, f.generation_id, f.kind, f.root_id, r.path AS root_path, f.path_bytes, f.fingerprint, f.blake3,
               f.bytes, f.mtime_ns, f.missing_at
          FROM generation_files AS f
               JOIN roots AS r ON r.id = f.root_id
         WHERE f.id = :file_id AND f.missing_at IS NOT NULL AND f.kind IN ('final', 'copy')
        """,
        file_id=file_id,
    )
    if row is None:
        raise NotFoundError("This file is no longer missing.")
    return KnownFile(**row)


def list_paths(tx: ReadTx, file_ids: list[int]) -> list[str]:
    """Paths for display, in the given order."""
    sql = "SELECT path FROM generation_files WHERE id = :file_id"
    return [path for one in file_ids if (path := tx.value(sql, file_id=one)) is not None]


def forget_redundant(tx: WriteTx, file_ids: list[int]) -> list[GenerationId]:
    """Removes missing files whose image has another existing file, and records their former names. Returns the
    images of the other files."""
    alone: dict[GenerationId, None] = {}
    for file_id in file_ids:
        row = tx.one(
            """
            SELECT f.generation_id AS image, f.path, f.kind, g.missing_at IS NULL AS elsewhere
              FROM generation_files AS f JOIN generations AS g ON g.id = f.generation_id
             WHERE f.id = :file_id AND f.missing_at IS NOT NULL AND f.kind IN ('final', 'copy')
            """,
            file_id=file_id,
        )
        if row is None:
            continue
        if row["elsewhere"]:
            if row["kind"] == "copy":
                former_names.remember_path(tx, row["image"], row["path"])
            tx.run("DELETE FROM generation_files WHERE id = :file_id AND kind = 'copy'", file_id=file_id)
        else:
            alone[row["image"]] = None
    tx.changes.invalidated.add("roots")
    return list(alone)
