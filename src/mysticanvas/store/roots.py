"""Watched folders."""

from dataclasses import dataclass

from mysticanvas.store.database import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class Root:
    """`id` is None for a folder that a dry run looks at and nobody keeps."""

    id: int | None
    path: str

    @classmethod
    def not_kept(cls, path: str) -> "Root":
        return cls(None, path)


@dataclass(frozen=True, slots=True)
class RootState:
    id: int
    path: str
    state: str
    watched: bool
    images: int
    last_scan_at: int | None


def all_roots(tx: ReadTx) -> list[Root]:
    return [Root(**row) for row in tx.all("SELECT id, path FROM roots ORDER BY path")]


def states(tx: ReadTx) -> list[RootState]:
    """Every root with the number of its images, by path."""
    rows = tx.all(
        """
        SELECT id, path, state, watched, last_scan_at,
               (SELECT count(*) FROM generation_files AS f WHERE f.root_id = roots.id) AS images
          FROM roots
         ORDER BY path
        """
    )
    return [RootState(**(row | {"watched": bool(row["watched"])})) for row in rows]


def add(tx: WriteTx, *, path: str, watch: bool, now_ms: int) -> Root:
    """The root at this path; the same path twice is one root, watched if it was ever asked to be."""
    tx.run(
        """
        INSERT INTO roots (path, watched, added_at)
        VALUES (:path, :watch, :now_ms)
            ON CONFLICT (path) DO UPDATE SET watched = max(watched, excluded.watched)
        """,
        path=path,
        watch=int(watch),
        now_ms=now_ms,
    )
    return Root(tx.value("SELECT id FROM roots WHERE path = :path", path=path), path)


def watched(tx: ReadTx) -> list[Root]:
    return [Root(**row) for row in tx.all("SELECT id, path FROM roots WHERE watched = 1 ORDER BY path")]


def mark_scanned(tx: WriteTx, root_id: int, *, now_ms: int) -> None:
    tx.run(
        "UPDATE roots SET last_scan_at = :now_ms, state = 'online' WHERE id = :root_id",
        root_id=root_id,
        now_ms=now_ms,
    )
