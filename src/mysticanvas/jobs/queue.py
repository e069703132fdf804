"""The durable job queue: jobs are claimed by priority, and parked after repeated failures. The claim token decides
whether a result is accepted."""

import json
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.jobs.kinds import kind_names
from mysticanvas.jobs.types import Job, JobId, JobPriority

MAX_CRASHES = 2
FIRST_RETRY_MS = 2_000
LAST_RETRY_MS = 10 * 60_000
PAUSED = "jobs.paused"
# Every kind, including those of later versions.
ALL_KINDS = "*"


@dataclass(frozen=True, slots=True)
class NewJob:
    kind: str
    payload: dict[str, Any]
    unique_key: str | None
    priority: int = JobPriority.NORMAL
    run_at: int = 0


@dataclass(frozen=True, slots=True)
class Ready:
    """A kind with jobs that may be claimed now, and the priority of its most urgent one."""

    kind: str
    priority: int


def enqueue(tx: WriteTx, new: NewJob, *, now_ms: int) -> None:
    """Queues a job in the transaction that needs it. Has no effect while a job with the same key waits."""
    enqueue_all(tx, [new], now_ms=now_ms)


def enqueue_all(tx: WriteTx, new: Sequence[NewJob], *, now_ms: int) -> None:
    tx.run_many(
        """
        INSERT INTO jobs (kind, priority, payload_json, unique_key, run_at, created_at, updated_at)
        VALUES (:kind, :priority, :payload, :unique_key, :run_at, :now_ms, :now_ms)
            ON CONFLICT DO NOTHING
        """,
        (
            {
                "kind": one.kind,
                "priority": one.priority,
                "payload": json.dumps(one.payload),
                "unique_key": one.unique_key,
                "run_at": one.run_at,
                "now_ms": now_ms,
            }
            for one in new
        ),
    )
    tx.changes.jobs = True


def list_ready(tx: ReadTx, *, now_ms: int) -> list[Ready]:
    """The kinds that have jobs to claim now and are not paused, in order of registration."""
    rows = tx.rows(
        """
        SELECT k.value,
               (SELECT priority
                  FROM jobs
                 WHERE kind = k.value AND status = 'queued' AND run_at = 0
                 ORDER BY priority DESC
                 LIMIT 1)
          FROM json_each(:kinds) AS k
        """,
        kinds=json.dumps(_list_not_paused(tx)),
    )
    # Not by kind: SQLite would then scan every waiting job of the kind.
    due = set(
        tx.column(
            "SELECT kind FROM jobs WHERE status = 'queued' AND run_at > 0 AND run_at <= :now_ms LIMIT 1000",
            now_ms=now_ms,
        )
    )
    found = [(kind, priority) for kind, priority in rows if priority is not None or kind in due]
    return [Ready(kind, JobPriority.IDLE if priority is None else priority) for kind, priority in found]


def get_next_run_at(tx: ReadTx, *, after_ms: int) -> int | None:
    """When the next delayed job is due; None when there is none."""
    due: int | None = tx.value(
        "SELECT min(run_at) FROM jobs WHERE status = 'queued' AND run_at > 0 AND run_at > :after_ms", after_ms=after_ms
    )
    return due


def claim(
    tx: WriteTx, *, owner_id: str, limit: int, now_ms: int, kinds: Sequence[str] | None = None, at_least: int = 0
) -> list[Job]:
    """Claims the next jobs for `owner_id`, by priority and then age. Only of these `kinds` (None: all) that are not
    paused, and only with a priority of `at_least`."""
    tx.run(
        "UPDATE jobs SET run_at = 0 WHERE status = 'queued' AND run_at > 0 AND run_at <= :now_ms",
        now_ms=now_ms,
    )
    token = str(uuid.uuid4())
    rows = tx.all(
        """
        UPDATE jobs
           SET status = 'running', boot_id = :owner_id, claim_token = :token, attempts = attempts + 1,
               updated_at = :now_ms
         WHERE id IN (SELECT j.id
                        FROM json_each(:kinds) AS k
                             CROSS JOIN json_each((SELECT json_group_array(id)
                                                     FROM (SELECT id
                                                             FROM jobs
                                                            WHERE kind = k.value AND status = 'queued' AND run_at = 0
                                                              AND priority >= :at_least
                                                            ORDER BY priority DESC, id
                                                            LIMIT :limit))) AS first
                             CROSS JOIN jobs AS j ON j.id = first.value
                       ORDER BY j.priority DESC, j.id
                       LIMIT :limit)
     RETURNING id, kind, payload_json, attempts, crashes, priority
        """,
        owner_id=owner_id,
        token=token,
        limit=limit,
        now_ms=now_ms,
        at_least=at_least,
        kinds=json.dumps([kind for kind in _list_not_paused(tx) if kinds is None or kind in kinds]),
    )
    rows.sort(key=lambda row: (-row["priority"], row["id"]))
    return [
        Job(
            id=JobId(row["id"]),
            kind=row["kind"],
            payload=json.loads(row["payload_json"]),
            attempts=row["attempts"],
            crashes=row["crashes"],
            priority=row["priority"],
            token=token,
        )
        for row in rows
    ]


def finish(tx: WriteTx, job: Job, *, now_ms: int) -> bool:
    """Marks a job done. Returns whether the claim was still valid; only then may the caller apply the result."""
    tx.changes.jobs = True
    return bool(
        tx.run(
            """
            UPDATE jobs
               SET status = 'done', boot_id = NULL, claim_token = NULL, error = NULL, progress = 1,
                   updated_at = :now_ms
             WHERE id = :id AND claim_token = :token
            """,
            id=job.id,
            token=job.token,
            now_ms=now_ms,
        )
    )


def fail(tx: WriteTx, job: Job, *, error: str, crashed: bool, now_ms: int, most_attempts: int) -> bool:
    """Schedules a retry, or parks the job after the last attempt or the second crash. Returns whether it was
    parked. Has no effect when the claim is no longer valid."""
    crashes = job.crashes + crashed
    parked = job.attempts >= most_attempts or crashes >= MAX_CRASHES
    wait_ms = min(LAST_RETRY_MS, FIRST_RETRY_MS * 4 ** (job.attempts - 1)) * random.uniform(0.8, 1.2)
    changed = tx.run(
        """
        UPDATE OR IGNORE jobs
           SET status = iif(:parked, 'error', 'queued'), boot_id = NULL, claim_token = NULL, error = :error,
               crashes = :crashes, run_at = iif(:parked, 0, :run_at), updated_at = :now_ms
         WHERE id = :id AND claim_token = :token
        """,
        id=job.id,
        token=job.token,
        parked=parked,
        error=error,
        crashes=crashes,
        run_at=now_ms + int(wait_ms),
        now_ms=now_ms,
    )
    # Not updated because a newer job with the same key is waiting: this one is not needed.
    tx.run("DELETE FROM jobs WHERE id = :id AND claim_token = :token", id=job.id, token=job.token)
    tx.changes.jobs = True
    return parked and bool(changed)


def replace(tx: WriteTx, job: Job, payloads: Sequence[dict[str, Any]], *, now_ms: int) -> None:
    """Replaces a job with smaller ones of the same priority. Has no effect when the claim is no longer valid."""
    priority = tx.value("SELECT priority FROM jobs WHERE id = :id", id=job.id)
    if not finish(tx, job, now_ms=now_ms):
        return
    enqueue_all(tx, [NewJob(job.kind, payload, None, priority) for payload in payloads], now_ms=now_ms)


def requeue_orphaned(tx: WriteTx, *, owner_id: str, now_ms: int) -> int:
    """Requeues running jobs of other owners, without counting an attempt. Returns how many."""
    return _requeue(
        tx,
        tx.column("SELECT id FROM jobs WHERE status = 'running' AND boot_id <> :owner_id", owner_id=owner_id),
        now_ms,
    )


def return_claims(tx: WriteTx, *, claims: Sequence[tuple[int, str]], now_ms: int) -> int:
    """Requeues claimed jobs, without counting an attempt. Returns how many."""
    ours = [
        job
        for job, token in claims
        if tx.value("SELECT 1 FROM jobs WHERE id = :id AND claim_token = :token", id=job, token=token)
    ]
    return _requeue(tx, ours, now_ms)


def _requeue(tx: WriteTx, ids: Sequence[int], now_ms: int) -> int:
    requeued = 0
    for job in ids:
        requeued += tx.run(
            """
            UPDATE OR IGNORE jobs
               SET status = 'queued', boot_id = NULL, claim_token = NULL, run_at = 0,
                   attempts = max(0, attempts - 1), interruptions = interruptions + 1, updated_at = :now_ms
             WHERE id = :id
            """,
            id=job,
            now_ms=now_ms,
        )
        tx.run("DELETE FROM jobs WHERE id = :id AND status = 'running'", id=job)
    tx.changes.jobs = tx.changes.jobs or bool(ids)
    return requeued


def adjust_to_clock(tx: WriteTx, *, now_ms: int) -> int:
    """After the clock was set back: delayed jobs that were updated in the future wait for their original delay,
    from now on. Returns how many."""
    changed = tx.run(
        """
        UPDATE jobs
           SET run_at = :now_ms + max(0, run_at - updated_at), updated_at = :now_ms
         WHERE status = 'queued' AND run_at > 0 AND updated_at > :now_ms
        """,
        now_ms=now_ms,
    )
    tx.changes.jobs = tx.changes.jobs or bool(changed)
    return changed


def rename(tx: WriteTx, old: str, new: str) -> None:
    """Renames the unique keys of waiting and running jobs, after the uuid of an image has changed."""
    if old == new:
        return
    names = {"new": new, "old": old}
    tx.run(
        """
        UPDATE OR IGNORE jobs SET unique_key = :new
         WHERE status = 'queued' AND unique_key = :old AND kind IN (SELECT value FROM json_each(:kinds))
        """,
        kinds=json.dumps(kind_names()),
        **names,
    )
    tx.run("UPDATE jobs SET unique_key = :new WHERE status = 'running' AND unique_key = :old", **names)


def raise_priority(tx: WriteTx, *, kind: str, unique_keys: Sequence[str], priority: int) -> int:
    """Raises the priority of waiting jobs, such as thumbnails for images on screen. Jobs of the latest call come
    first. Returns how many."""
    return tx.run(
        """
        UPDATE jobs
           SET priority = max(:priority, 1 + (SELECT priority
                                                FROM jobs
                                               WHERE kind = :kind AND status = 'queued' AND run_at = 0
                                               ORDER BY priority DESC
                                               LIMIT 1))
         WHERE kind = :kind AND status = 'queued' AND run_at = 0
           AND unique_key IN (SELECT value FROM json_each(:keys))
        """,
        kind=kind,
        keys=json.dumps(list(unique_keys)),
        priority=priority,
    )


def list_paused(tx: ReadTx) -> list[str]:
    """The paused kinds. The setting survives restarts."""
    kinds: list[str] = settings_store.get(tx, PAUSED, [])
    return kind_names() if ALL_KINDS in kinds else kinds


def are_all_paused(tx: ReadTx) -> bool:
    return ALL_KINDS in settings_store.get(tx, PAUSED, [])


def _list_not_paused(tx: ReadTx) -> list[str]:
    stopped = set(list_paused(tx))
    return [kind for kind in kind_names() if kind not in stopped]


def set_paused(tx: WriteTx, *, kind: str | None, value: bool) -> None:
    """None: every kind. Resuming one kind while all are paused leaves the others paused."""
    if kind is None:
        kinds = [ALL_KINDS] if value else []
    elif value and are_all_paused(tx):
        return
    else:
        kinds = sorted(set(list_paused(tx)) - {kind} | ({kind} if value else set()))
    settings_store.put(tx, PAUSED, kinds)
    tx.changes.jobs = True
