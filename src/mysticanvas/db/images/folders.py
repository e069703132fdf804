"""Watched folders."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Root:
    """`id` is None for a folder that a dry run looks at and nobody keeps."""

    id: int | None
    path: str

    @classmethod
    def not_kept(cls, path: str) -> "Root":
        return cls(None, path)


@dataclass(frozen=True, slots=True)
class FolderState:
    """`state` is online or offline; `trouble` says why, or what a scan asks. `would_miss` counts the
    files that the last scan would have marked missing and did not; `untracked` those that could not be
    taken in."""

    id: int
    path: str
    state: str
    watched: bool
    images: int
    missing: int
    untracked: int
    last_scan_at: int | None
    trouble: str | None
    would_miss: int


@dataclass(frozen=True, slots=True)
class FolderMark:
    """What tells a root from another at its path: its volume, and some of its files (paths in it)."""

    volume_id: str | None
    sample: list[bytes]


def all_roots(tx: ReadTx) -> list[Root]:
    return [Root(**row) for row in tx.all("SELECT id, path FROM roots ORDER BY path")]


def kept_roots(tx: ReadTx) -> list[Root]:
    """Those that nobody has removed."""
    return [Root(**row) for row in tx.all("SELECT id, path FROM roots WHERE removed_at IS NULL ORDER BY path")]


def find(tx: ReadTx, root_id: int) -> Root:
    """Raises `NotFoundError`."""
    row = tx.one("SELECT id, path FROM roots WHERE id = :root_id", root_id=root_id)
    if row is None:
        raise NotFoundError("That folder is not in this library.")
    return Root(**row)


def states(tx: ReadTx) -> list[FolderState]:
    """Every root that is not removed, with the number of its files, by path. What is in the Trash is not
    missed."""
    rows = tx.all(
        """
        SELECT id, path, state, watched, last_scan_at, trouble, would_miss,
               (SELECT count(*) FROM generation_files AS f WHERE f.root_id = roots.id) AS images,
               (SELECT count(*)
                  FROM generation_files AS f JOIN generations AS g ON g.id = f.generation_id
                 WHERE f.root_id = roots.id AND f.missing_at IS NOT NULL AND g.deleted_at IS NULL
                   AND f.kind IN ('final', 'copy')) AS missing,
               (SELECT count(*) FROM failures AS x WHERE x.root_id = roots.id) AS untracked
          FROM roots
         WHERE removed_at IS NULL
         ORDER BY path
        """
    )
    return [FolderState(**(row | {"watched": bool(row["watched"])})) for row in rows]


def add(tx: WriteTx, *, path: str, watch: bool, now_ms: int) -> Root:
    """The root at this path; the same path twice is one root, watched if it was ever asked to be. One that
    was removed is back, with all its images."""
    tx.run(
        """
        INSERT INTO roots (path, watched, added_at)
        VALUES (:path, :watch, :now_ms)
            ON CONFLICT (path) DO UPDATE SET watched = max(watched, excluded.watched), removed_at = NULL
        """,
        path=path,
        watch=int(watch),
        now_ms=now_ms,
    )
    tx.changes.stale.add("roots")
    return Root(tx.value("SELECT id FROM roots WHERE path = :path", path=path), path)


def watched(tx: ReadTx) -> list[Root]:
    rows = tx.all("SELECT id, path FROM roots WHERE watched = 1 AND removed_at IS NULL ORDER BY path")
    return [Root(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class RemovedFolder:
    """`images` are those of its files that the library still knows."""

    id: int
    path: str
    images: int
    removed_at: int


def removed(tx: ReadTx) -> list[RemovedFolder]:
    rows = tx.all(
        """
        SELECT id, path, removed_at,
               (SELECT count(*) FROM generation_files AS f WHERE f.root_id = roots.id) AS images
          FROM roots
         WHERE removed_at IS NOT NULL
         ORDER BY path
        """
    )
    return [RemovedFolder(**row) for row in rows]


def remove(tx: WriteTx, root_id: int, *, now_ms: int) -> None:
    """Nobody looks at it any more; what it brought stays. One that brought nothing is forgotten."""
    tx.run(
        """
        UPDATE roots
           SET removed_at = :now_ms, watched = 0, state = 'online', trouble = NULL, would_miss = 0
         WHERE id = :root_id
        """,
        root_id=root_id,
        now_ms=now_ms,
    )
    tx.run(
        """
        DELETE FROM roots
         WHERE id = :root_id AND NOT EXISTS (SELECT 1 FROM generation_files WHERE root_id = :root_id)
        """,
        root_id=root_id,
    )
    tx.changes.stale.add("roots")


def relocate(tx: WriteTx, root_id: int, *, path: str) -> None:
    tx.run(
        "UPDATE roots SET path = :path, state = 'online', trouble = NULL WHERE id = :root_id",
        root_id=root_id,
        path=path,
    )
    tx.changes.stale.add("roots")


def mark_of(tx: ReadTx, root_id: int) -> FolderMark:
    """As the last complete scan left it; nothing is known before the first."""
    row = tx.one("SELECT volume_id, sample_json FROM roots WHERE id = :root_id", root_id=root_id)
    if row is None:
        return FolderMark(None, [])
    return FolderMark(row["volume_id"], [bytes.fromhex(path) for path in json.loads(row["sample_json"])])


def mark_scanned(tx: WriteTx, root_id: int, *, now_ms: int) -> None:
    """A complete scan found the root in order."""
    tx.run(
        """
        UPDATE roots
           SET last_scan_at = :now_ms, state = 'online', trouble = NULL, would_miss = 0
         WHERE id = :root_id
        """,
        root_id=root_id,
        now_ms=now_ms,
    )
    tx.changes.stale.add("roots")


def keep_mark(tx: WriteTx, root_id: int, *, volume_id: str | None, sample: Sequence[bytes]) -> None:
    tx.run(
        "UPDATE roots SET volume_id = :volume_id, sample_json = :sample WHERE id = :root_id",
        root_id=root_id,
        volume_id=volume_id,
        sample=json.dumps([path.hex() for path in sample]),
    )


def set_offline(tx: WriteTx, root_id: int, *, why: str) -> bool:
    """Whether this is news."""
    tx.changes.stale.add("roots")
    return bool(
        tx.run(
            """
            UPDATE roots
               SET state = 'offline', trouble = :why
             WHERE id = :root_id AND (state <> 'offline' OR trouble IS NOT :why)
            """,
            root_id=root_id,
            why=why,
        )
    )


def ask(tx: WriteTx, root_id: int, *, would_miss: int, why: str) -> None:
    """The root is there, and a person must say whether so many files are really gone (F4)."""
    tx.run(
        "UPDATE roots SET state = 'online', trouble = :why, would_miss = :would_miss WHERE id = :root_id",
        root_id=root_id,
        why=why,
        would_miss=would_miss,
    )
    tx.changes.stale.add("roots")
