"""Watched folders."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """`id` is None for a folder of a dry run, which is not stored."""

    id: int | None
    path: str

    @classmethod
    def for_dry_run(cls, path: str) -> Self:
        return cls(None, path)


@dataclass(frozen=True, slots=True)
class FolderState:
    """`images` counts its files that exist and are not excluded. `state` is "online" or "offline". `error` is why it
    is offline, or what a scan needs the user to confirm. `would_miss` counts files that the last scan would have marked
    missing but did not; `untracked` those that could not be imported. `not_shown` counts, by kind, the files that are
    not images, as the last complete scan found them. `excluded` counts the images that are hidden because all of their
    files are excluded, `excludes` lists the patterns."""

    id: int
    path: str
    state: str
    watched: bool
    images: int
    missing: int
    untracked: int
    last_scan_at: int | None
    error: str | None
    would_miss: int
    not_shown: dict[str, int]
    excluded: int
    excludes: list[str]


@dataclass(frozen=True, slots=True)
class FolderMark:
    """Identifies a watched folder, to detect another one mounted at its path: its volume, and the relative paths of
    some of its files."""

    volume_id: str | None
    sample: list[bytes]


def list_folders(tx: ReadTx) -> list[WatchedFolder]:
    return [WatchedFolder(**row) for row in tx.all("SELECT id, path FROM roots ORDER BY path")]


def list_active(tx: ReadTx) -> list[WatchedFolder]:
    """The watched folders that are not removed."""
    return [WatchedFolder(**row) for row in tx.all("SELECT id, path FROM roots WHERE removed_at IS NULL ORDER BY path")]


def find_folder(tx: ReadTx, root_id: int) -> WatchedFolder:
    """Raises `NotFoundError`."""
    row = tx.one("SELECT id, path FROM roots WHERE id = :root_id", root_id=root_id)
    if row is None:
        raise NotFoundError("This folder is not in the library. Add it first.")
    return WatchedFolder(**row)


def list_states(tx: ReadTx) -> list[FolderState]:
    """The watched folders that are not removed, by path, with their file counts. `missing` does not count
    excluded images and those in the Trash."""
    rows = tx.all(
        """
        SELECT id, path, state, watched, last_scan_at, trouble AS error, would_miss, not_shown_json,
               (SELECT count(*) FROM generation_files AS f WHERE f.root_id = roots.id)
               - (SELECT count(*) FROM generation_files AS f
                   WHERE f.root_id = roots.id AND f.missing_at IS NOT NULL)
               - (SELECT count(*) FROM generation_files AS f
                   WHERE f.root_id = roots.id AND f.is_excluded = 1 AND f.missing_at IS NULL) AS images,
               (SELECT count(*)
                  FROM generation_files AS f JOIN generations AS g ON g.id = f.generation_id
                 WHERE f.root_id = roots.id AND f.missing_at IS NOT NULL AND g.deleted_at IS NULL
                   AND g.excluded_at IS NULL AND f.kind IN ('final', 'copy')) AS missing,
               (SELECT count(*)
                  FROM generations AS g INDEXED BY generations_excluded
                       JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
                 WHERE g.excluded_at IS NOT NULL AND f.root_id = roots.id) AS excluded,
               (SELECT patterns_json FROM folder_excludes AS e WHERE e.root_id = roots.id) AS excludes_json,
               (SELECT count(*) FROM failures AS x WHERE x.root_id = roots.id) AS untracked
          FROM roots
         WHERE removed_at IS NULL
         ORDER BY path
        """
    )
    return [_build_state(row) for row in rows]


def _build_state(row: dict[str, Any]) -> FolderState:
    not_shown = json.loads(row.pop("not_shown_json"))
    excludes = json.loads(row.pop("excludes_json") or "[]")
    return FolderState(**(row | {"watched": bool(row["watched"]), "not_shown": not_shown, "excludes": excludes}))


def add(tx: WriteTx, *, path: str, watch: bool, now_ms: int) -> WatchedFolder:
    """Adds a folder, or returns the existing one at this path. `watch` False does not stop watching an existing
    folder. A removed folder is restored with its images."""
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
    tx.changes.invalidated.add("roots")
    return WatchedFolder(tx.value("SELECT id FROM roots WHERE path = :path", path=path), path)


def list_watched(tx: ReadTx) -> list[WatchedFolder]:
    rows = tx.all("SELECT id, path FROM roots WHERE watched = 1 AND removed_at IS NULL ORDER BY path")
    return [WatchedFolder(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class RemovedFolder:
    """`images` counts its files that are still in the library."""

    id: int
    path: str
    images: int
    removed_at: int


def list_removed(tx: ReadTx) -> list[RemovedFolder]:
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
    """Stops scanning and watching a folder and keeps its images. A folder without images is deleted."""
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
    tx.changes.invalidated.add("roots")


def relocate(tx: WriteTx, root_id: int, *, path: str) -> None:
    tx.run(
        "UPDATE roots SET path = :path, state = 'online', trouble = NULL WHERE id = :root_id",
        root_id=root_id,
        path=path,
    )
    tx.changes.invalidated.add("roots")


def get_mark(tx: ReadTx, root_id: int) -> FolderMark:
    """The mark stored by the last complete scan; empty before the first."""
    row = tx.one("SELECT volume_id, sample_json FROM roots WHERE id = :root_id", root_id=root_id)
    if row is None:
        return FolderMark(None, [])
    return FolderMark(row["volume_id"], [bytes.fromhex(path) for path in json.loads(row["sample_json"])])


def mark_scanned(tx: WriteTx, root_id: int, *, not_shown: Mapping[str, int], now_ms: int) -> None:
    """Records a complete scan without problems, and the files it found that are not images, by kind."""
    tx.run(
        """
        UPDATE roots
           SET last_scan_at = :now_ms, state = 'online', trouble = NULL, would_miss = 0, not_shown_json = :not_shown
         WHERE id = :root_id
        """,
        not_shown=json.dumps(not_shown),
        root_id=root_id,
        now_ms=now_ms,
    )
    tx.changes.invalidated.add("roots")


def set_mark(tx: WriteTx, root_id: int, *, volume_id: str | None, sample: Sequence[bytes]) -> None:
    tx.run(
        "UPDATE roots SET volume_id = :volume_id, sample_json = :sample WHERE id = :root_id",
        root_id=root_id,
        volume_id=volume_id,
        sample=json.dumps([path.hex() for path in sample]),
    )


def set_offline(tx: WriteTx, root_id: int, *, why: str) -> bool:
    """Marks a folder offline. Returns whether its state or reason changed."""
    tx.changes.invalidated.add("roots")
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


def ask_about_missing(tx: WriteTx, root_id: int, *, would_miss: int, why: str) -> None:
    """Asks the user to confirm that `would_miss` files are really missing from an online folder."""
    tx.run(
        "UPDATE roots SET state = 'online', trouble = :why, would_miss = :would_miss WHERE id = :root_id",
        root_id=root_id,
        why=why,
        would_miss=would_miss,
    )
    tx.changes.invalidated.add("roots")
