"""Files that could not be imported. Scans skip them until they change."""

from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.file import FileStat


@dataclass(frozen=True, slots=True)
class KnownFailure:
    bytes: int
    mtime_ns: int
    reason: str


def find_failures(tx: ReadTx, *, root_id: int | None, paths: Sequence[bytes]) -> dict[bytes, KnownFailure]:
    """The recorded failures among `paths`, by path."""
    found: dict[bytes, KnownFailure] = {}
    if not tx.value("SELECT EXISTS (SELECT 1 FROM failures WHERE root_id = :root_id)", root_id=root_id):
        return found
    for path in paths:
        row = tx.one(
            """
            SELECT bytes, mtime_ns, reason
              FROM failures
             WHERE root_id = :root_id AND path_bytes = :path
            """,
            root_id=root_id,
            path=path,
        )
        if row is not None:
            found[path] = KnownFailure(**row)
    return found


def record(tx: WriteTx, *, root_id: int, stat: FileStat, reason: str, now_ms: int) -> None:
    tx.run(
        """
        INSERT INTO failures (root_id, path_bytes, bytes, mtime_ns, reason, failed_at)
        VALUES (:root_id, :path, :bytes, :mtime_ns, :reason, :now_ms)
            ON CONFLICT (root_id, path_bytes) DO UPDATE
           SET bytes = excluded.bytes, mtime_ns = excluded.mtime_ns, reason = excluded.reason,
               failed_at = excluded.failed_at
        """,
        root_id=root_id,
        path=stat.path_bytes,
        bytes=stat.bytes,
        mtime_ns=stat.mtime_ns,
        reason=reason,
        now_ms=now_ms,
    )


def forget(tx: WriteTx, *, root_id: int, paths: Sequence[bytes]) -> None:
    """Removes the failures of files that were imported."""
    for path in find_failures(tx, root_id=root_id, paths=paths):
        tx.run("DELETE FROM failures WHERE root_id = :root_id AND path_bytes = :path", root_id=root_id, path=path)


def list_failures(tx: ReadTx, root_id: int, *, limit: int) -> list[tuple[bytes, str]]:
    """(path, reason) of the failures in a watched folder, ordered by path."""
    return [
        (path, reason)
        for path, reason in tx.rows(
            "SELECT path_bytes, reason FROM failures WHERE root_id = :root_id ORDER BY path_bytes LIMIT :limit",
            root_id=root_id,
            limit=limit,
        )
    ]
