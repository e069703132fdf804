"""Files of generations: where they are, and what they hold."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.file import FileKind, FileStat
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.text import clean


@dataclass(frozen=True, slots=True)
class KnownFile:
    id: int
    generation_id: GenerationId
    kind: str
    root_path: str
    path_bytes: bytes
    fingerprint: bytes | None
    blake3: bytes | None
    bytes: int
    mtime_ns: int
    missing_at: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What one reading of a file found out."""

    format: str
    fingerprint: bytes
    width: int
    height: int
    frames: int
    damage: str | None = None


@dataclass(frozen=True, slots=True)
class FileRow:
    """For showing. `root` is None for a file inside the library."""

    kind: str
    root: str | None
    path: str
    path_bytes: bytes
    format: str | None
    blake3: bytes | None
    sha256: bytes | None
    bytes: int
    mtime_ns: int
    width: int | None
    height: int | None
    frames: int
    damage: str | None
    missing_at: int | None


_KNOWN = """
        SELECT f.id, f.generation_id, f.kind, r.path AS root_path, f.path_bytes, f.fingerprint, f.blake3,
               f.bytes, f.mtime_ns, f.missing_at
          FROM generation_files AS f
               JOIN roots AS r ON r.id = f.root_id
"""


def known(tx: ReadTx, *, root_id: int | None, paths: Sequence[bytes]) -> dict[bytes, KnownFile]:
    """Those of `paths` that have a row, by path."""
    found = {}
    sql = _KNOWN + " WHERE f.root_id = :root_id AND f.path_bytes = :path"
    for path in paths:
        for row in tx.rows(sql, root_id=root_id, path=path):
            found[path] = KnownFile(*row)
    return found


def with_fingerprint(tx: ReadTx, fingerprint: bytes) -> list[KnownFile]:
    """Every location of a final image or a copy with this fingerprint, oldest first."""
    rows = tx.all(
        _KNOWN + " WHERE f.fingerprint = :fingerprint AND f.kind IN ('final', 'copy') ORDER BY f.id",
        fingerprint=fingerprint,
    )
    return [KnownFile(**row) for row in rows]


def known_fingerprints(tx: ReadTx, fingerprints: Sequence[bytes]) -> set[bytes]:
    """Those of `fingerprints` that some file has."""
    sql = "SELECT EXISTS (SELECT 1 FROM generation_files WHERE fingerprint = :fingerprint)"
    return {one for one in fingerprints if tx.value(sql, fingerprint=one)}


def last_id(tx: ReadTx) -> int:
    """Rows that are made later have higher ids; 0 without any."""
    return int(tx.value("SELECT coalesce(max(id), 0) FROM generation_files"))


def count_in(tx: ReadTx, root_id: int) -> int:
    return int(tx.value("SELECT count(*) FROM generation_files WHERE root_id = :root_id", root_id=root_id))


def sample_of(tx: ReadTx, root_id: int, *, size: int) -> list[bytes]:
    """Some paths of a root, spread evenly over all in order."""
    step = max(1, count_in(tx, root_id) // size)
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


def in_folder(
    tx: ReadTx, root_id: int, folder: bytes, *, recursive: bool, after: bytes, limit: int
) -> list[tuple[int, bytes]]:
    """The next files, by path, of a folder of a root (b"" is the root itself) that are not known to be
    missing: id and path of each. `after` is the last path of the page before, b"" at first."""
    # The byte after "/" ends the range of everything beneath the folder.
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
    """These files are gone; the images they belong to."""
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


def copy_in_place_of_missing(tx: ReadTx, image: GenerationId) -> int | None:
    """The oldest copy that is there, of an image whose own file is missing; None when there is no need
    or no copy."""
    found: int | None = tx.value(
        """
        SELECT c.id
          FROM generation_files AS f
               JOIN generation_files AS c ON c.generation_id = f.generation_id
         WHERE f.generation_id = :image AND f.kind = 'final' AND f.missing_at IS NOT NULL
           AND c.kind = 'copy' AND c.missing_at IS NULL
         ORDER BY c.id
         LIMIT 1
        """,
        image=image,
    )
    return found


def promote(tx: WriteTx, image: GenerationId, copy: int) -> None:
    """A copy becomes the image's file, and its file a copy: they have the same content."""
    tx.run(
        """
        UPDATE generation_files AS c
           SET blake3 = coalesce(c.blake3, f.blake3), sha256 = coalesce(c.sha256, f.sha256),
               color_rgb = f.color_rgb, damage = f.damage
          FROM generation_files AS f
         WHERE c.id = :copy AND f.generation_id = :image AND f.kind = 'final'
        """,
        image=image,
        copy=copy,
    )
    tx.run("UPDATE generation_files SET kind = 'copy' WHERE generation_id = :image AND kind = 'final'", image=image)
    tx.run("UPDATE generation_files SET kind = 'final' WHERE id = :copy", copy=copy)


def other_location(tx: ReadTx, file_id: int, image: GenerationId) -> int | None:
    """Another file of the same content that is there; None when this is the only one."""
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
    """Forget where copies of it were: its content is another now."""
    tx.run("DELETE FROM generation_files WHERE generation_id = :image AND kind = 'copy'", image=image)


def displace(tx: WriteTx, file_id: int, *, now_ms: int) -> None:
    """Another file is at its path now. Where its own content is, if anywhere, the scan has yet to find;
    its path stays to be read, but cannot be opened."""
    tx.run(
        """
        UPDATE generation_files
           SET path_bytes = CAST(x'00' || CAST(id AS TEXT) AS BLOB), missing_at = coalesce(missing_at, :now_ms)
         WHERE id = :file_id
        """,
        file_id=file_id,
        now_ms=now_ms,
    )


def without_sha256(tx: ReadTx, *, after: int, limit: int) -> list[tuple[GenerationId, str]]:
    """The next images, by id, whose final file has no sha256: id and uuid of each."""
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


def final_of(tx: ReadTx, image: GenerationId) -> KnownFile | None:
    row = tx.one(_KNOWN + " WHERE f.generation_id = :image AND f.kind = 'final'", image=image)
    return KnownFile(**row) if row else None


def of_generation(tx: ReadTx, image: GenerationId) -> list[FileRow]:
    rows = tx.all(
        """
        SELECT f.kind, r.path AS root, f.path, f.path_bytes, f.format, f.bytes, f.mtime_ns, f.width, f.height,
               f.frames, f.damage, f.blake3, f.sha256, f.missing_at
          FROM generation_files AS f
               LEFT JOIN roots AS r ON r.id = f.root_id
         WHERE f.generation_id = :image
         ORDER BY f.kind <> 'final', f.id
        """,
        image=image,
    )
    return [FileRow(**row) for row in rows]


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
                                      bytes, mtime_ns, width, height, frames, damage)
        VALUES (:image, :kind, :root_id, :path_bytes, :path, :format, :fingerprint, :blake3, :bytes, :mtime_ns,
                :width, :height, :frames, :damage)
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
                "damage": one.facts.damage,
            }
            for one in new
        ),
    )


def move(tx: WriteTx, file_id: int, *, root_id: int, stat: FileStat) -> None:
    """The same content is at another place now."""
    tx.run(
        """
        UPDATE generation_files
           SET root_id = :root_id, path_bytes = :path_bytes, path = :path, bytes = :bytes, mtime_ns = :mtime_ns,
               missing_at = NULL
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
    """The same content at the same place, with another date."""
    tx.run(
        "UPDATE generation_files SET mtime_ns = :mtime_ns, missing_at = NULL WHERE id = :file_id",
        file_id=file_id,
        mtime_ns=stat.mtime_ns,
    )


def replace_content(tx: WriteTx, file_id: int, *, stat: FileStat, facts: Facts) -> None:
    """Other content at the same place: every hash is unknown again."""
    tx.run(
        """
        UPDATE generation_files
           SET bytes = :bytes, mtime_ns = :mtime_ns, format = :format, fingerprint = :fingerprint, blake3 = NULL,
               sha256 = NULL, width = :width, height = :height, frames = :frames, damage = :damage,
               color_rgb = NULL, missing_at = NULL
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
        damage=facts.damage,
    )


def remove(tx: WriteTx, file_id: int) -> None:
    """Forget one location; the file itself stays where it is."""
    tx.run("DELETE FROM generation_files WHERE id = :file_id", file_id=file_id)


def set_blake3(tx: WriteTx, *, file_id: int, blake3: bytes) -> None:
    tx.run("UPDATE generation_files SET blake3 = :blake3 WHERE id = :file_id", file_id=file_id, blake3=blake3)


def set_sha256(tx: WriteTx, *, file_id: int, sha256: bytes) -> None:
    tx.run("UPDATE generation_files SET sha256 = :sha256 WHERE id = :file_id", file_id=file_id, sha256=sha256)


def set_pixels(tx: WriteTx, file_id: int, *, blake3: bytes | None, color_rgb: int | None, damage: str | None) -> None:
    """What the thumbnail's job found out. A damage known before stays when none is given."""
    tx.run(
        """
        UPDATE generation_files
           SET blake3 = coalesce(:blake3, blake3), color_rgb = :color_rgb, damage = coalesce(:damage, damage)
         WHERE id = :file_id
        """,
        file_id=file_id,
        blake3=blake3,
        color_rgb=color_rgb,
        damage=damage,
    )


def _display_path(path_bytes: bytes) -> str:
    return clean(path_bytes.decode("utf-8", "replace"))


def keep_thumb(
    tx: WriteTx, image: GenerationId, *, kind: FileKind, blake3: bytes, short_edge_px: int, size_bytes: int
) -> None:
    """The row of a thumbnail in the library's own folder; `kind` is thumb or preview."""
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


def contents(tx: ReadTx) -> set[str]:
    """The BLAKE3 of every content that was hashed, in hex."""
    return set(tx.column("SELECT lower(hex(blake3)) FROM generation_files WHERE blake3 IS NOT NULL"))


def input_files(tx: ReadTx, image: GenerationId) -> list[FileRow]:
    """The files of the images that went into this one, as files of it: kinds input, mask, control. They
    stay the final files of their own images too."""
    rows = tx.all(
        """
        SELECT iif(i.role IN ('mask', 'control'), i.role, 'input') AS kind, r.path AS root, f.path, f.path_bytes,
               f.format, f.bytes, f.mtime_ns, f.width, f.height, f.frames, f.damage, f.blake3, f.sha256, f.missing_at
          FROM generation_inputs AS i
               JOIN generation_files AS f ON f.generation_id = i.found_id AND f.kind = 'final'
               JOIN roots AS r ON r.id = f.root_id
         WHERE i.generation_id = :image AND i.found_by IS NOT NULL
         ORDER BY i.position
        """,
        image=image,
    )
    return [FileRow(**row) for row in rows]
