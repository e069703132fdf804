"""The queue as a person sees and steers it: counts, failures, retry, pause, cancel, pruning."""

import json
from collections.abc import Sequence

from mysticanvas.store.database import ReadTx, WriteTx
from mysticanvas.store.jobs import FailedJob, KindState


def states(tx: ReadTx) -> list[KindState]:
    """One row a kind that has jobs."""
    rows = tx.all(
        """
        SELECT kind,
               coalesce(sum(n) FILTER (WHERE status = 'queued'), 0)  AS waiting,
               coalesce(sum(n) FILTER (WHERE status = 'running'), 0) AS running,
               coalesce(sum(n) FILTER (WHERE status = 'done'), 0)    AS done,
               coalesce(sum(n) FILTER (WHERE status = 'error'), 0)   AS failed
          FROM (SELECT kind, status, count(*) AS n FROM jobs GROUP BY kind, status)
         GROUP BY kind
         ORDER BY kind
        """
    )
    return [KindState(**row) for row in rows]


def failed(tx: ReadTx, *, limit: int) -> list[FailedJob]:
    """Parked jobs, newest first, each with the file it is about."""
    rows = tx.all(
        """
        SELECT j.id, j.kind, coalesce(f.path, m.path, '') AS file, coalesce(j.error, '') AS error, j.attempts, j.crashes
          FROM jobs AS j
               LEFT JOIN generation_files AS f
                      ON f.generation_id = json_extract(j.payload_json, '$.generation') AND f.kind = 'final'
               LEFT JOIN model_files AS m ON m.id = json_extract(j.payload_json, '$.model_file')
         WHERE j.status = 'error'
         ORDER BY j.id DESC
         LIMIT :limit
        """,
        limit=limit,
    )
    return [FailedJob(**row) for row in rows]


def retry(tx: WriteTx, *, ids: Sequence[int] | None, kind: str | None, now_ms: int) -> int:
    """Parked jobs start afresh; None means all. Says how many."""
    tx.changes.jobs = True
    return tx.run(
        """
        UPDATE OR IGNORE jobs
           SET status = 'queued', attempts = 0, crashes = 0, run_at = 0, error = NULL, updated_at = :now_ms
         WHERE status = 'error'
           AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))
           AND (:kind IS NULL OR kind = :kind)
        """,
        ids=_json(ids),
        kind=kind,
        now_ms=now_ms,
    )


def discard(tx: WriteTx, *, ids: Sequence[int] | None, kind: str | None) -> int:
    """Parked jobs are forgotten; None means all. Says how many."""
    tx.changes.jobs = True
    return tx.run(
        """
        DELETE FROM jobs
         WHERE status = 'error'
           AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))
           AND (:kind IS NULL OR kind = :kind)
        """,
        ids=_json(ids),
        kind=kind,
    )


def cancel(tx: WriteTx, *, ids: Sequence[int] | None, kind: str | None, now_ms: int) -> int:
    """Waiting jobs are cancelled; None means all. Says how many."""
    tx.changes.jobs = True
    return tx.run(
        """
        UPDATE jobs
           SET status = 'cancelled', updated_at = :now_ms
         WHERE status = 'queued'
           AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))
           AND (:kind IS NULL OR kind = :kind)
        """,
        ids=_json(ids),
        kind=kind,
        now_ms=now_ms,
    )


def prune(tx: WriteTx, *, before_ms: int) -> int:
    """Forget what was done or cancelled before then (J12)."""
    return tx.run(
        "DELETE FROM jobs WHERE status IN ('done', 'cancelled') AND updated_at < :before_ms",
        before_ms=before_ms,
    )


def _json(ids: Sequence[int] | None) -> str | None:
    return None if ids is None else json.dumps(list(ids))
