"""The progress and the findings of the verification of all files."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.features.verify.types import Finding

STATE = "state.verify"


@dataclass(frozen=True, slots=True)
class VerifyState:
    """`on`: verification is running. All files up to the path `after` (hexadecimal) in the folder `root` have been
    checked: `checked` of `files` files, `bytes` of `of_bytes` bytes. The budget is in bytes per second and per day,
    None for no limit. `day_bytes` were read in the day that began at `day_from`, `last_bytes` in the last batch.
    `resumed_at` and `resumed_bytes` are the time and progress of the last start. Times are Unix milliseconds."""

    on: bool = False
    root: int = 0
    after: str = ""
    checked: int = 0
    files: int = 0
    bytes: int = 0
    of_bytes: int = 0
    bytes_per_s: int | None = None
    bytes_per_day: int | None = None
    day_from: int = 0
    day_bytes: int = 0
    last_bytes: int = 0
    started_at: int | None = None
    resumed_at: int | None = None
    resumed_bytes: int = 0
    updated_at: int | None = None
    finished_at: int | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it was when it was last read."""

    id: int
    root_id: int
    path_bytes: bytes
    blake3: bytes | None
    damage: str | None
    bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class VerifyFinding:
    """A file that is not as it was. `id` is the ID of the file, and `uuid` the UUID of its image. `finding` is missing,
    changed or undecodable, and `detail` explains it. `folder` is the path of the library folder, and `path` is the path
    in it."""

    id: int
    finding: str
    detail: str
    folder: str
    path: str
    uuid: str
    found_at: int


def get_state(tx: ReadTx) -> VerifyState:
    return VerifyState(**settings_store.get(tx, STATE, {}))


def save_state(tx: WriteTx, state: VerifyState) -> None:
    settings_store.put(tx, STATE, asdict(state))
    tx.changes.invalidated.add("verify")


def count_files(tx: ReadTx) -> tuple[int, int]:
    """The number of files to verify, and their total size in bytes."""
    row = tx.one(
        """
        SELECT count(*) AS files, coalesce(sum(bytes), 0) AS bytes
          FROM generation_files
         WHERE kind IN ('final', 'copy') AND missing_at IS NULL
        """
    )
    return (row["files"], row["bytes"]) if row else (0, 0)


def next_files(tx: ReadTx, *, root: int, after: bytes, limit: int) -> list[StoredFile]:
    """The next files of the folder after the path `after`, ordered by path."""
    rows = tx.rows(
        """
        SELECT id, root_id, path_bytes, blake3, damage, bytes, mtime_ns
          FROM generation_files
         WHERE root_id = :root AND path_bytes > :after AND kind IN ('final', 'copy') AND missing_at IS NULL
         ORDER BY path_bytes
         LIMIT :limit
        """,
        root=root,
        after=after,
        limit=limit,
    )
    return [StoredFile(*row) for row in rows]


def next_root(tx: ReadTx, *, after: int) -> int | None:
    """The next folder by ID; None after the last."""
    found: int | None = tx.value("SELECT min(id) FROM roots WHERE id > :after", after=after)
    return found


def read_files(tx: ReadTx, ids: Sequence[int]) -> list[StoredFile]:
    """The files that are not marked as missing, in the order of `ids`."""
    rows = tx.rows(
        """
        SELECT f.id, f.root_id, f.path_bytes, f.blake3, f.damage, f.bytes, f.mtime_ns
          FROM json_each(:ids) AS i
               CROSS JOIN generation_files AS f ON f.id = i.value
         WHERE f.missing_at IS NULL
         ORDER BY i.key
        """,
        ids=json.dumps(list(ids)),
    )
    return [StoredFile(*row) for row in rows]


def save_finding(tx: WriteTx, file_id: int, finding: Finding, detail: str, *, now_ms: int) -> None:
    """Replaces an earlier finding for the file."""
    tx.run(
        """
        INSERT INTO verify_findings (file_id, finding, detail, found_at)
        SELECT id, :finding, :detail, :now_ms FROM generation_files WHERE id = :file_id
            ON CONFLICT DO UPDATE
           SET finding = excluded.finding, detail = excluded.detail, found_at = excluded.found_at
        """,
        file_id=file_id,
        finding=finding.value,
        detail=detail,
        now_ms=now_ms,
    )


def delete_findings(tx: WriteTx, file_ids: Sequence[int]) -> int:
    """Returns the number of deleted findings."""
    tx.changes.invalidated.add("verify")
    return tx.run(
        "DELETE FROM verify_findings WHERE file_id IN (SELECT value FROM json_each(:ids))",
        ids=json.dumps(list(file_ids)),
    )


def count_findings(tx: ReadTx) -> dict[str, int]:
    """The number of findings of every kind, including 0."""
    found = dict.fromkeys((finding.value for finding in Finding), 0)
    return found | dict(tx.rows("SELECT finding, count(*) FROM verify_findings GROUP BY finding"))


def list_findings(tx: ReadTx, *, finding: str | None, after: int, limit: int) -> list[VerifyFinding]:
    """The next findings after the file with ID `after`, ordered by file ID."""
    rows = tx.all(
        """
        SELECT v.file_id AS id, v.finding, v.detail, r.path AS folder, f.path, g.uuid, v.found_at
          FROM verify_findings AS v
               JOIN generation_files AS f ON f.id = v.file_id
               JOIN roots AS r ON r.id = f.root_id
               JOIN generations AS g ON g.id = f.generation_id
         WHERE v.file_id > :after AND (:finding IS NULL OR v.finding = :finding)
         ORDER BY v.file_id
         LIMIT :limit
        """,
        finding=finding,
        after=after,
        limit=limit,
    )
    return [VerifyFinding(**row) for row in rows]


def select_findings(tx: ReadTx, *, ids: Sequence[int] | None, finding: str | None, limit: int) -> list[tuple[int, int]]:
    """(file ID, folder ID) of findings for these files and of this kind; None does not filter."""
    rows = tx.rows(
        """
        SELECT v.file_id, f.root_id
          FROM verify_findings AS v
               JOIN generation_files AS f ON f.id = v.file_id
         WHERE (:ids IS NULL OR v.file_id IN (SELECT value FROM json_each(:ids)))
           AND (:finding IS NULL OR v.finding = :finding)
         LIMIT :limit
        """,
        ids=None if ids is None else json.dumps(list(ids)),
        finding=finding,
        limit=limit,
    )
    return [(file_id, root_id) for file_id, root_id in rows]


def clear_dates(tx: WriteTx, file_ids: Sequence[int]) -> None:
    """Make the next scan treat the files as changed and read them again."""
    tx.run(
        "UPDATE generation_files SET mtime_ns = -1 WHERE id IN (SELECT value FROM json_each(:ids))",
        ids=json.dumps(list(file_ids)),
    )
