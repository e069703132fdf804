"""Queries behind the jobs page: counts, lists, failures by reason, retry, cancel, pruning.

Functions that change many rows take a `limit` and return how many they changed. Fewer than the limit means that
nothing is left; `jobs/control.py` calls them until then.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.jobs.kinds import kind_names
from mysticanvas.jobs.types import JobStatus


@dataclass(frozen=True, slots=True)
class KindState:
    """`waiting` includes jobs that wait for a retry; `failed` counts parked jobs."""

    kind: str
    waiting: int
    running: int
    done: int
    failed: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class FailedJob:
    id: int
    kind: str
    file: str
    error: str
    attempts: int
    crashes: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Parked jobs of one kind with the same reason: the first line of their errors."""

    kind: str
    reason: str
    jobs: int


@dataclass(frozen=True, slots=True)
class JobRow:
    """`file` is the path of the file or folder of the job, "" when that is gone. `run_at` is 0 for a job that may
    run at once."""

    id: int
    kind: str
    status: str
    priority: int
    file: str
    error: str | None
    attempts: int
    crashes: int
    interruptions: int
    progress: float
    run_at: int
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class JobDetail:
    job: JobRow
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JobSelection:
    """Selects jobs for an action; None does not filter. `reason` is one of `Reason`."""

    ids: Sequence[int] | None = None
    kind: str | None = None
    reason: str | None = None

    def params(self) -> dict[str, Any]:
        ids = None if self.ids is None else json.dumps(list(self.ids))
        return {"ids": ids, "kind": self.kind, "reason": self.reason}


def list_states(tx: ReadTx) -> list[KindState]:
    """One state for each kind that has jobs."""
    rows = tx.all(
        """
        SELECT kind,
               coalesce(sum(n) FILTER (WHERE status = 'queued'), 0)    AS waiting,
               coalesce(sum(n) FILTER (WHERE status = 'running'), 0)   AS running,
               coalesce(sum(n) FILTER (WHERE status = 'done'), 0)      AS done,
               coalesce(sum(n) FILTER (WHERE status = 'error'), 0)     AS failed,
               coalesce(sum(n) FILTER (WHERE status = 'cancelled'), 0) AS cancelled
          FROM (SELECT kind, status, count(*) AS n FROM jobs GROUP BY kind, status)
         GROUP BY kind
         ORDER BY kind
        """
    )
    return [KindState(**row) for row in rows]


def list_jobs(
    tx: ReadTx, *, kind: str | None, status: str | None, before: int | None, limit: int
) -> tuple[list[JobRow], int | None]:
    """The newest jobs with ids below `before`, newest first, and the `before` of the next page."""
    kinds = [kind] if kind is not None else kind_names()
    statuses = [status] if status is not None else [one.value for one in JobStatus]
    rows = tx.all(
        """
        SELECT j.id, j.kind, j.status, j.priority,
               coalesce(f.path, m.path, r.path, '') AS file, j.error, j.attempts, j.crashes, j.interruptions,
               j.progress, j.run_at, j.created_at, j.updated_at
          FROM (SELECT newest.value AS id
                  FROM json_each(:kinds) AS k
                       CROSS JOIN json_each(:statuses) AS s
                       CROSS JOIN json_each((SELECT json_group_array(id)
                                               FROM (SELECT id
                                                       FROM jobs
                                                      WHERE kind = k.value AND status = s.value AND id < :before
                                                      ORDER BY id DESC
                                                      LIMIT :limit))) AS newest
                 ORDER BY newest.value DESC
                 LIMIT :limit) AS chosen
               JOIN jobs AS j ON j.id = chosen.id
               LEFT JOIN generation_files AS f
                      ON f.generation_id = json_extract(j.payload_json, '$.generation') AND f.kind = 'final'
               LEFT JOIN model_files AS m ON m.id = json_extract(j.payload_json, '$.model_file')
               LEFT JOIN roots AS r ON r.id = json_extract(j.payload_json, '$.root')
         ORDER BY j.id DESC
        """,
        kinds=json.dumps(kinds),
        statuses=json.dumps(statuses),
        before=1 << 62 if before is None else before,
        limit=limit,
    )
    found = [JobRow(**row) for row in rows]
    return found, found[-1].id if len(found) == limit else None


def find(tx: ReadTx, job: int) -> JobDetail:
    """Raises `NotFoundError`."""
    row = tx.one(
        """
        SELECT j.id, j.kind, j.status, j.priority,
               coalesce(f.path, m.path, r.path, '') AS file, j.error, j.attempts, j.crashes, j.interruptions,
               j.progress, j.run_at, j.created_at, j.updated_at, j.payload_json
          FROM jobs AS j
               LEFT JOIN generation_files AS f
                      ON f.generation_id = json_extract(j.payload_json, '$.generation') AND f.kind = 'final'
               LEFT JOIN model_files AS m ON m.id = json_extract(j.payload_json, '$.model_file')
               LEFT JOIN roots AS r ON r.id = json_extract(j.payload_json, '$.root')
         WHERE j.id = :job
        """,
        job=job,
    )
    if row is None:
        raise NotFoundError(f"There is no job {job}. It may have finished and been pruned.")
    payload = json.loads(row.pop("payload_json"))
    return JobDetail(JobRow(**row), payload)


def list_failed(tx: ReadTx, *, limit: int) -> list[FailedJob]:
    """Parked jobs, newest first, each with its file."""
    rows = tx.all(
        """
        SELECT j.id, j.kind, coalesce(f.path, m.path, r.path, '') AS file, coalesce(j.error, '') AS error,
               j.attempts, j.crashes
          FROM jobs AS j
               LEFT JOIN generation_files AS f
                      ON f.generation_id = json_extract(j.payload_json, '$.generation') AND f.kind = 'final'
               LEFT JOIN model_files AS m ON m.id = json_extract(j.payload_json, '$.model_file')
               LEFT JOIN roots AS r ON r.id = json_extract(j.payload_json, '$.root')
         WHERE j.status = 'error'
         ORDER BY j.id DESC
         LIMIT :limit
        """,
        limit=limit,
    )
    return [FailedJob(**row) for row in rows]


def list_reasons(tx: ReadTx, *, limit: int) -> list[Reason]:
    """Why jobs are parked, most frequent first."""
    rows = tx.all(
        """
        SELECT kind, coalesce(substr(error, 1, instr(error || char(10), char(10)) - 1), '') AS reason,
               count(*) AS jobs
          FROM jobs
         WHERE status = 'error'
         GROUP BY 1, 2
         ORDER BY jobs DESC, kind, reason
         LIMIT :limit
        """,
        limit=limit,
    )
    return [Reason(**row) for row in rows]


def retry(tx: WriteTx, chosen: JobSelection, *, limit: int, now_ms: int) -> int:
    """Queues parked jobs again, and cancelled ones that are selected by id. A job whose duplicate is already
    waiting is removed."""
    ids = tx.column(
        """
        SELECT id
          FROM jobs
         WHERE status = 'error'
           AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))
           AND (:kind IS NULL OR kind = :kind)
           AND (:reason IS NULL OR substr(error, 1, instr(error || char(10), char(10)) - 1) = :reason)
         LIMIT :limit
        """,
        limit=limit,
        **chosen.params(),
    )
    if chosen.ids is not None:
        ids += tx.column(
            "SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(:ids)) AND status = 'cancelled' LIMIT :limit",
            ids=json.dumps(list(chosen.ids)),
            limit=limit - len(ids),
        )
    tx.run(
        """
        UPDATE OR IGNORE jobs
           SET status = 'queued', attempts = 0, crashes = 0, run_at = 0, progress = 0, error = NULL,
               updated_at = :now_ms
         WHERE id IN (SELECT value FROM json_each(:ids))
        """,
        ids=json.dumps(ids),
        now_ms=now_ms,
    )
    tx.run(
        "DELETE FROM jobs WHERE id IN (SELECT value FROM json_each(:ids)) AND status <> 'queued'", ids=json.dumps(ids)
    )
    tx.changes.jobs = tx.changes.jobs or bool(ids)
    return len(ids)


def discard(tx: WriteTx, chosen: JobSelection, *, limit: int) -> int:
    """Removes parked jobs."""
    removed = tx.run(
        """
        DELETE FROM jobs
         WHERE id IN (SELECT id
                        FROM jobs
                       WHERE status = 'error'
                         AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))
                         AND (:kind IS NULL OR kind = :kind)
                         AND (:reason IS NULL OR substr(error, 1, instr(error || char(10), char(10)) - 1) = :reason)
                       LIMIT :limit)
        """,
        limit=limit,
        **chosen.params(),
    )
    tx.changes.jobs = tx.changes.jobs or removed > 0
    return removed


def cancel(tx: WriteTx, chosen: JobSelection, *, limit: int, now_ms: int) -> int:
    """Cancels waiting and running jobs. Results of running ones are ignored."""
    rows = _list_by_id(tx, chosen, limit=limit) if chosen.ids is not None else _list_unfinished(tx, chosen, limit=limit)
    tx.changes.cancelled += [row["id"] for row in rows if row["status"] == JobStatus.RUNNING]
    tx.changes.jobs = tx.changes.jobs or bool(rows)
    return tx.run(
        """
        UPDATE jobs
           SET status = 'cancelled', boot_id = NULL, claim_token = NULL, run_at = 0, updated_at = :now_ms
         WHERE id IN (SELECT value FROM json_each(:ids))
        """,
        ids=json.dumps([row["id"] for row in rows]),
        now_ms=now_ms,
    )


def _list_by_id(tx: WriteTx, chosen: JobSelection, *, limit: int) -> list[dict[str, Any]]:
    return tx.all(
        """
        SELECT j.id, j.status
          FROM json_each(:ids) AS i
               CROSS JOIN jobs AS j ON j.id = i.value
         WHERE j.status IN ('queued', 'running') AND (:kind IS NULL OR j.kind = :kind)
         LIMIT :limit
        """,
        limit=limit,
        **chosen.params(),
    )


def _list_unfinished(tx: WriteTx, chosen: JobSelection, *, limit: int) -> list[dict[str, Any]]:
    return tx.all(
        """
        SELECT j.id, j.status
          FROM json_each(:kinds) AS k
               CROSS JOIN jobs AS j ON j.kind = k.value AND j.status IN ('queued', 'running')
         LIMIT :limit
        """,
        kinds=json.dumps([chosen.kind] if chosen.kind is not None else kind_names()),
        limit=limit,
    )


def prune(tx: WriteTx, *, before_ms: int, keep: int, limit: int) -> int:
    """Removes jobs done or cancelled before `before_ms`, and of each kind all but the newest `keep`."""
    removed = 0
    for kind in kind_names():
        for status in (JobStatus.DONE, JobStatus.CANCELLED):
            removed += _prune(tx, kind, status, before_ms=before_ms, keep=keep, limit=limit - removed)
    tx.changes.jobs = tx.changes.jobs or removed > 0
    return removed


def _prune(tx: WriteTx, kind: str, status: JobStatus, *, before_ms: int, keep: int, limit: int) -> int:
    last = tx.value(
        "SELECT id FROM jobs WHERE kind = :kind AND status = :status ORDER BY id DESC LIMIT 1 OFFSET :keep",
        kind=kind,
        status=status.value,
        keep=keep,
    )
    return tx.run(
        """
        DELETE FROM jobs
         WHERE id IN (SELECT id
                        FROM jobs
                       WHERE kind = :kind AND status = :status AND (id <= :last OR updated_at < :before_ms)
                       LIMIT :limit)
        """,
        kind=kind,
        status=status.value,
        last=last or 0,
        before_ms=before_ms,
        limit=limit,
    )
