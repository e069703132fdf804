"""The durable queue (J1-J15): claimed by priority, believed by token, parked when poisonous."""

import json
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.domain.job import Job, JobId, JobKind, JobPriority
from mysticanvas.store import preferences
from mysticanvas.store.database import ReadTx, WriteTx

MAX_ATTEMPTS = 4
MAX_CRASHES = 2
FIRST_RETRY_MS = 2_000
LAST_RETRY_MS = 10 * 60_000
PAUSED = "jobs.paused"


@dataclass(frozen=True, slots=True)
class KindState:
    kind: str
    waiting: int
    running: int
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class FailedJob:
    id: int
    kind: str
    file: str
    error: str
    attempts: int
    crashes: int


@dataclass(frozen=True, slots=True)
class NewJob:
    kind: JobKind
    payload: dict[str, Any]
    unique_key: str | None
    priority: int = JobPriority.NORMAL


def enqueue(tx: WriteTx, new: NewJob, *, now_ms: int) -> None:
    """Queue a job, in the transaction of what wants it (J1). While one with the same key waits, the
    second is the first (J8)."""
    enqueue_all(tx, [new], now_ms=now_ms)


def enqueue_all(tx: WriteTx, new: Sequence[NewJob], *, now_ms: int) -> None:
    tx.run_many(
        """
        INSERT INTO jobs (kind, priority, payload_json, unique_key, created_at, updated_at)
        VALUES (:kind, :priority, :payload, :unique_key, :now_ms, :now_ms)
            ON CONFLICT DO NOTHING
        """,
        (
            {
                "kind": one.kind.value,
                "priority": one.priority,
                "payload": json.dumps(one.payload),
                "unique_key": one.unique_key,
                "now_ms": now_ms,
            }
            for one in new
        ),
    )
    tx.changes.jobs = True


def any_ready(tx: ReadTx, *, now_ms: int) -> bool:
    return bool(
        tx.value(
            """
            SELECT EXISTS (SELECT 1 FROM jobs WHERE status = 'queued' AND run_at = 0)
                OR EXISTS (SELECT 1 FROM jobs WHERE status = 'queued' AND run_at > 0 AND run_at <= :now_ms)
            """,
            now_ms=now_ms,
        )
    )


def next_run_at(tx: ReadTx) -> int | None:
    """When the next retry falls due; None when none waits."""
    due: int | None = tx.value("SELECT min(run_at) FROM jobs WHERE status = 'queued' AND run_at > 0")
    return due


def claim(tx: WriteTx, *, boot: str, limit: int, now_ms: int, leave: Sequence[JobKind] = ()) -> list[Job]:
    """The next jobs, by priority and then age, owned by `boot` from now on (J2). Jobs of the kinds in
    `leave` stay where they are."""
    tx.run(
        "UPDATE jobs SET run_at = 0 WHERE status = 'queued' AND run_at > 0 AND run_at <= :now_ms",
        now_ms=now_ms,
    )
    token = str(uuid.uuid4())
    rows = tx.all(
        """
        UPDATE jobs
           SET status = 'running', boot_id = :boot, claim_token = :token, attempts = attempts + 1,
               updated_at = :now_ms
         WHERE id IN (SELECT id
                        FROM jobs
                       WHERE status = 'queued' AND run_at = 0
                         AND kind NOT IN (SELECT value FROM json_each(:paused))
                       ORDER BY priority DESC, id
                       LIMIT :limit)
     RETURNING id, kind, payload_json, attempts, crashes, priority
        """,
        boot=boot,
        token=token,
        limit=limit,
        now_ms=now_ms,
        paused=json.dumps([*paused(tx), *leave]),
    )
    rows.sort(key=lambda row: (-row["priority"], row["id"]))
    return [
        Job(
            id=JobId(row["id"]),
            kind=JobKind(row["kind"]),
            payload=json.loads(row["payload_json"]),
            attempts=row["attempts"],
            crashes=row["crashes"],
            token=token,
        )
        for row in rows
    ]


def finish(tx: WriteTx, job: Job, *, now_ms: int) -> bool:
    """Whether the claim was still ours; only then may the caller apply the result."""
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


def fail(tx: WriteTx, job: Job, *, error: str, crashed: bool, now_ms: int) -> None:
    """Wait for another try, or park: after the last attempt, or the second crash (J5, J6)."""
    crashes = job.crashes + crashed
    parked = job.attempts >= MAX_ATTEMPTS or crashes >= MAX_CRASHES
    wait_ms = min(LAST_RETRY_MS, FIRST_RETRY_MS * 4 ** (job.attempts - 1)) * random.uniform(0.8, 1.2)
    tx.run(
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
    # A newer job for the same thing already waits: this one is not needed.
    tx.run("DELETE FROM jobs WHERE id = :id AND claim_token = :token", id=job.id, token=job.token)
    tx.changes.jobs = True


def replace(tx: WriteTx, job: Job, payloads: Sequence[dict[str, Any]], *, now_ms: int) -> None:
    """Smaller jobs in place of one, as urgent as it was. Nothing happens when the claim is not ours."""
    priority = tx.value("SELECT priority FROM jobs WHERE id = :id", id=job.id)
    if not finish(tx, job, now_ms=now_ms):
        return
    enqueue_all(tx, [NewJob(job.kind, payload, None, priority) for payload in payloads], now_ms=now_ms)


def take_back(tx: WriteTx, *, boot: str, now_ms: int) -> int:
    """Requeue what another boot had claimed, and say how many (J3). Its attempt is not counted."""
    return _requeue(
        tx, tx.column("SELECT id FROM jobs WHERE status = 'running' AND boot_id <> :boot", boot=boot), now_ms
    )


def give_back(tx: WriteTx, *, claims: Sequence[tuple[int, str]], now_ms: int) -> int:
    """Requeue our own claims at the end; no attempt is burnt."""
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
                   attempts = max(0, attempts - 1), updated_at = :now_ms
             WHERE id = :id
            """,
            id=job,
            now_ms=now_ms,
        )
        tx.run("DELETE FROM jobs WHERE id = :id AND status = 'running'", id=job)
    tx.changes.jobs = tx.changes.jobs or bool(ids)
    return requeued


def raise_priority(tx: WriteTx, *, kind: JobKind, unique_keys: Sequence[str], priority: int) -> int:
    """Move waiting jobs forward, such as the thumbnails of what is on screen (J9)."""
    return tx.run(
        """
        UPDATE jobs
           SET priority = :priority
         WHERE kind = :kind AND status = 'queued' AND priority < :priority
           AND unique_key IN (SELECT value FROM json_each(:keys))
        """,
        kind=kind.value,
        keys=json.dumps(list(unique_keys)),
        priority=priority,
    )


def paused(tx: ReadTx) -> list[str]:
    """The kinds that are not claimed for now; kept over restarts (J10)."""
    kinds: list[str] = preferences.get(tx, PAUSED, [])
    return kinds


def set_paused(tx: WriteTx, *, kind: JobKind, value: bool) -> None:
    kinds = set(paused(tx)) - {kind.value} | ({kind.value} if value else set())
    preferences.put(tx, PAUSED, sorted(kinds))
    tx.changes.jobs = True
