"""Image files: their locations, hashes and properties."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.file import FileKind, FileStat
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.text import clean_text

# The first byte of the path of a displaced file, which no file system allows in a name.
DISPLACED = b"\0"


@dataclass(frozen=True, slots=True)
class KnownFile:
    id: int
    generation_id: GenerationId
    kind: str
    root_id: int
    root_path: str
    path_bytes: bytes
    fingerprint: bytes | None
    blake3: bytes | None
    bytes: int
    mtime_ns: int
    missing_at: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """The properties found by reading a file."""

    format: str
    fingerprint: bytes
    width: int
    height: int
    frames: int
    orientation: int = 1


_KNOWN = """
        SELECT f.id, f.generation_id, f.kind, f.root_id, r.path AS root_path, f.path_bytes, f.fingerprint, f.blake3,
               f.bytes, f.mtime_ns, f.missing_at
          FROM generation_files AS f
               JOIN roots AS r ON r.id = f.root_id
"""


def find_by_paths(tx: ReadTx, *, root_id: int | None, paths: Sequence[bytes]) -> dict[bytes, KnownFile]:
    """The files among `paths` that have a row, by path."""
    found = {}
    # CROSS JOIN: from the file to its folder. By the statistics of a library with one folder, SQLite would scan all
    # folders first.
    sql = _KNOWN.replace("JOIN", "CROSS JOIN") + " WHERE f.root_id = :root_id AND f.path_bytes = :path"
    for path in paths:
        for row in tx.rows(sql, root_id=root_id, path=path):
            found[path] = KnownFile(*row)
    return found


def find_by_fingerprint(tx: ReadTx, fingerprint: bytes) -> list[KnownFile]:
    """Files with this fingerprint: final files and copies first, then companions, the oldest row first."""
    rows = tx.all(
        _KNOWN + " WHERE f.fingerprint = :fingerprint ORDER BY f.id",
        fingerprint=fingerprint,
    )
    found = [KnownFile(**row) for row in rows]
    return sorted(found, key=lambda file: file.kind not in (FileKind.FINAL, FileKind.COPY))


def find_existing_fingerprints(tx: ReadTx, fingerprints: Sequence[bytes]) -> set[bytes]:
    """The fingerprints that at least one file has."""
    sql = "SELECT EXISTS (SELECT 1 FROM generation_files WHERE fingerprint = :fingerprint)"
    return {one for one in fingerprints if tx.value(sql, fingerprint=one)}


def get_last_id(tx: ReadTx) -> int:
    """The highest id, 0 when there are no files. Later rows have higher ids."""
    return int(tx.value("SELECT coalesce(max(id), 0) FROM generation_files"))


def count_in_folder(tx: ReadTx, root_id: int) -> int:
    return int(tx.value("SELECT count(*) FROM generation_files WHERE root_id = :root_id", root_id=root_id))


def sample_paths(tx: ReadTx, root_id: int, *, size: int) -> list[bytes]:
    """At most about `size` paths of a watched folder, evenly spread over all of its paths in order."""
    step = max(1, count_in_folder(tx, root_id) // size)
    return tx.column(
        """
        SELECT path_bytes
          FROM (SELECT path_bytes, row_number() OVER (ORDER BY path_bytes) - 1 AS place
                  FROM generation_files
                 WHERE root_id = :root_id)
         WHERE place % :step = 0
         LIMIT :size
        """,
        root_id=root_id,
        step=step,
        size=size,
    )


def list_in_folder(
    tx: ReadTx, root_id: int, folder: bytes, *, recursive: bool, after: bytes, limit: int
) -> list[tuple[int, bytes]]:
    """The next files of a subfolder of a watched folder (b"": the watched folder itself) that are not marked
    missing, by path: (id, path). `after` is the last path of the previous page, b"" for the first page."""
    # "0" is the byte after "/", which ends the range of paths in the folder.
    first, end = (folder + b"/", folder + b"0") if folder else (b"", b"\xff" * 8)
    rows = tx.rows(
        """
        SELECT id, path_bytes
          FROM generation_files
         WHERE root_id = :root_id AND path_bytes > max(:after, :first) AND path_bytes < :end
           AND missing_at IS NULL AND kind IN ('final', 'copy')
           AND (:recursive OR instr(substr(path_bytes, length(:first) + 1), x'2f') = 0)
         ORDER BY path_bytes
         LIMIT :limit
        """,
        root_id=root_id,
        after=after,
        first=first,
        end=end,
        recursive=recursive,
        limit=limit,
    )
    return [(file_id, path) for file_id, path in rows]


def mark_missing(tx: WriteTx, file_ids: Sequence[int], *, now_ms: int) -> list[GenerationId]:
    """Marks files missing and returns their images."""
    ids = json.dumps(list(file_ids))
    tx.run(
        """
        UPDATE generation_files
           SET missing_at = :now_ms
         WHERE id IN (SELECT value FROM json_each(:ids)) AND missing_at IS NULL
        """,
        ids=ids,
        now_ms=now_ms,
    )
    return tx.column(
        "SELECT DISTINCT generation_id FROM generation_files WHERE id IN (SELECT value FROM json_each(:ids))", ids=ids
    )


# Orders the files of one image: available ones first, then those that are not excluded, then by date and path. It does
# not depend on the order of import.
_RANK = """
         ORDER BY f.missing_at IS NOT NULL, f.is_excluded, f.mtime_ns, f.path_bytes, r.path
"""


def list_excluded(tx: ReadTx, root_id: int) -> list[int]:
    """The ids of the files in a watched folder that the last scan found excluded."""
    return tx.column("SELECT id FROM generation_files WHERE root_id = :root_id AND is_excluded = 1", root_id=root_id)


def set_excluded(tx: WriteTx, file_ids: Sequence[int], *, is_excluded: bool) -> list[GenerationId]:
    """Marks whether files are excluded, and returns their images."""
    ids = json.dumps(list(file_ids))
    tx.run(
        "UPDATE generation_files SET is_excluded = :value WHERE id IN (SELECT value FROM json_each(:ids))",
        ids=ids,
        value=int(is_excluded),
    )
    return tx.column(
        "SELECT DISTINCT generation_id FROM generation_files WHERE id IN (SELECT value FROM json_each(:ids))", ids=ids
    )


def find_replacement_copy(tx: ReadTx, image: GenerationId) -> int | None:
    """The copy that should be the final file of an image: the oldest available file is. None when the final file is
    the right one."""
    row = tx.one(
        f"""
        SELECT f.id, f.kind
          FROM generation_files AS f
               JOIN roots AS r ON r.id = f.root_id
         WHERE f.generation_id = :image AND f.kind IN ('final', 'copy')
        {_RANK}
         LIMIT 1
        """,  # noqa: S608 - a text of our own
        image=image,
    )
    return row["id"] if row is not None and row["kind"] == "copy" else None


def list_ranked(tx: ReadTx, image: GenerationId) -> list[KnownFile]:
    """The final file and the copies of an image, the one that should be final first."""
    rows = tx.all(
        _KNOWN + " WHERE f.generation_id = :image AND f.kind IN ('final', 'copy')" + _RANK,
        image=image,
    )
    return [KnownFile(**row) for row in rows]


def promote(tx: WriteTx, image: GenerationId, copy: int) -> None:
    """Swaps the roles of a copy and the final file of an image; both have the same content."""
    tx.run(
        """
        UPDATE generation_files AS c
           SET blake3 = coalesce(c.blake3, f.blake3), sha256 = coalesce(c.sha256, f.sha256),
               color_rgb = f.color_rgb, damage = f.damage, too_large = f.too_large, width = f.width, height = f.height,
               orientation = f.orientation, is_outdated = f.is_outdated
          FROM generation_files AS f
         WHERE c.id = :copy AND f.generation_id = :image AND f.kind = 'final'
        """,
        image=image,
        copy=copy,
    )
    tx.run("UPDATE generation_files SET kind = 'copy' WHERE generation_id = :image AND kind = 'final'", image=image)
    tx.run("UPDATE generation_files SET kind = 'final' WHERE id = :copy", copy=copy)


def find_other_location(tx: ReadTx, file_id: int, image: GenerationId) -> int | None:
    """Another existing file with the same content, None when there is none."""
    found: int | None = tx.value(
        """
        SELECT id
          FROM generation_files
         WHERE generation_id = :image AND kind IN ('final', 'copy') AND id <> :file_id AND missing_at IS NULL
         ORDER BY id
         LIMIT 1
        """,
        image=image,
        file_id=file_id,
    )
    return found


def remove_copies(tx: WriteTx, image: GenerationId) -> None:
    """Removes the copies of an image, whose content has changed."""
    tx.run("DELETE FROM generation_files WHERE generation_id = :image AND kind = 'copy'", image=image)


def mark_displaced(tx: WriteTx, file_id: int, *, now_ms: int) -> None:
    """Marks a file missing because another file now has its path. The scan may still find its content elsewhere;
    until then `path` is kept for display, but cannot be opened."""
    tx.run(
        """
        UPDATE generation_files
           SET path_bytes = CAST(x'00' || CAST(id AS TEXT) AS BLOB), missing_at = coalesce(missing_at, :now_ms)
         WHERE id = :file_id
        """,
        file_id=file_id,
        now_ms=now_ms,
    )


def list_without_sha256(tx: ReadTx, *, after: int, limit: int) -> list[tuple[GenerationId, str]]:
    """The next images by id whose final file has no sha256: (id, uuid)."""
    rows = tx.rows(
        """
        SELECT g.id, g.uuid
          FROM generations AS g
               JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
         WHERE g.id > :after AND f.sha256 IS NULL AND f.missing_at IS NULL
         ORDER BY g.id
         LIMIT :limit
        """,
        after=after,
        limit=limit,
    )
    return [(GenerationId(image), public_uuid) for image, public_uuid in rows]


def find_final(tx: ReadTx, image: GenerationId) -> KnownFile | None:
    row = tx.one(_KNOWN + " WHERE f.generation_id = :image AND f.kind = 'final'", image=image)
    return KnownFile(**row) if row else None


@dataclass(frozen=True, slots=True)
class NewFile:
    image: GenerationId
    kind: FileKind
    root_id: int
    stat: FileStat
    facts: Facts
    blake3: bytes | None = None


def add_all(tx: WriteTx, new: Sequence[NewFile]) -> None:
    tx.run_many(
        """
        INSERT INTO generation_files (generation_id, kind, root_id, path_bytes, path, format, fingerprint, blake3,
                                      bytes, mtime_ns, width, height, frames, orientation)
        VALUES (:image, :kind, :root_id, :path_bytes, :path, :format, :fingerprint, :blake3, :bytes, :mtime_ns,
                :width, :height, :frames, :orientation)
        """,
        (
            {
                "image": one.image,
                "kind": one.kind.value,
                "root_id": one.root_id,
                "path_bytes": one.stat.path_bytes,
                "path": _display_path(one.stat.path_bytes),
                "format": one.facts.format,
                "fingerprint": one.facts.fingerprint,
                "blake3": one.blake3,
                "bytes": one.stat.bytes,
                "mtime_ns": one.stat.mtime_ns,
                "width": one.facts.width,
                "height": one.facts.height,
                "frames": one.facts.frames,
                "orientation": one.facts.orientation,
            }
            for one in new
        ),
    )


def move(tx: WriteTx, file_id: int, *, root_id: int, stat: FileStat) -> None:
    """Records that a file was moved; its content is unchanged."""
    tx.run(
        """
        UPDATE generation_files
           SET root_id = :root_id, path_bytes = :path_bytes, path = :path, bytes = :bytes, mtime_ns = :mtime_ns,
               missing_at = NULL, is_excluded = 0
         WHERE id = :file_id
        """,
        file_id=file_id,
        root_id=root_id,
        path_bytes=stat.path_bytes,
        path=_display_path(stat.path_bytes),
        bytes=stat.bytes,
        mtime_ns=stat.mtime_ns,
    )


def touch(tx: WriteTx, file_id: int, *, stat: FileStat) -> None:
    """Records that the mtime of a file changed; its content and path are unchanged."""
    tx.run(
        "UPDATE generation_files SET mtime_ns = :mtime_ns, missing_at = NULL WHERE id = :file_id",
        file_id=file_id,
        mtime_ns=stat.mtime_ns,
    )


def replace_content(tx: WriteTx, file_id: int, *, stat: FileStat, facts: Facts) -> None:
    """Records that the content of a file changed; resets its hashes."""
    tx.run(
        """
        UPDATE generation_files
           SET bytes = :bytes, mtime_ns = :mtime_ns, format = :format, fingerprint = :fingerprint, blake3 = NULL,
               sha256 = NULL, width = :width, height = :height, frames = :frames, orientation = :orientation,
               damage = NULL, too_large = NULL, color_rgb = NULL, is_outdated = 0, missing_at = NULL
         WHERE id = :file_id
        """,
        file_id=file_id,
        bytes=stat.bytes,
        mtime_ns=stat.mtime_ns,
        format=facts.format,
        fingerprint=facts.fingerprint,
        width=facts.width,
        height=facts.height,
        frames=facts.frames,
        orientation=facts.orientation,
    )


def remove(tx: WriteTx, file_id: int) -> None:
    """Removes the row of a file; the file on the disk is not changed."""
    tx.run("DELETE FROM generation_files WHERE id = :file_id", file_id=file_id)


def set_blake3(tx: WriteTx, *, file_id: int, blake3: bytes) -> None:
    tx.run("UPDATE generation_files SET blake3 = :blake3 WHERE id = :file_id", file_id=file_id, blake3=blake3)


def set_sha256(tx: WriteTx, *, file_id: int, sha256: bytes) -> None:
    tx.run("UPDATE generation_files SET sha256 = :sha256 WHERE id = :file_id", file_id=file_id, sha256=sha256)


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """What decoding a file found. `blake3` or a size of None keeps the stored value."""

    blake3: bytes | None
    color_rgb: int | None
    damage: str | None
    too_large: str | None
    width: int | None
    height: int | None
    orientation: int


def set_pixels(tx: WriteTx, file_id: int, picture: DecodedPicture) -> None:
    """Stores the results of the thumbnail job."""
    tx.run(
        """
        UPDATE generation_files
           SET blake3 = coalesce(:blake3, blake3), color_rgb = :color_rgb, damage = :damage, too_large = :too_large,
               width = coalesce(:width, width), height = coalesce(:height, height), orientation = :orientation,
               is_outdated = 0
         WHERE id = :file_id
        """,
        file_id=file_id,
        **asdict(picture),
    )


def _display_path(path_bytes: bytes) -> str:
    return clean_text(path_bytes.decode("utf-8", "replace"))


def record_thumbnail(
    tx: WriteTx, image: GenerationId, *, kind: FileKind, blake3: bytes, short_edge_px: int, size_bytes: int
) -> None:
    """Records a thumbnail in the library folder. `kind` is THUMB or PREVIEW."""
    name = blake3.hex()
    path = f"thumbs/{name[:2]}/{name}-{short_edge_px}.webp"
    tx.run(
        """
        INSERT INTO generation_files (generation_id, kind, root_id, path_bytes, path, format, bytes, mtime_ns)
        VALUES (:image, :kind, NULL, :path_bytes, :path, 'webp', :bytes, 0)
            ON CONFLICT DO UPDATE
           SET path_bytes = excluded.path_bytes, path = excluded.path, bytes = excluded.bytes
        """,
        image=image,
        kind=kind.value,
        path_bytes=path.encode(),
        path=path,
        bytes=size_bytes,
    )


def list_content_hashes(tx: ReadTx) -> set[str]:
    """The BLAKE3 hashes of all files, in hex."""
    return set(tx.column("SELECT lower(hex(blake3)) FROM generation_files WHERE blake3 IS NOT NULL"))
