"""Work in the background: what there is, and what a person does with it (J7, J10, J11)."""

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.job import JobKind, JobStatus
from mysticanvas.library import job_steering, sha256
from mysticanvas.server.services import Services
from mysticanvas.server.wire import Index, JobsIn, reply
from mysticanvas.store import job_lists, jobs
from mysticanvas.store.database import Database, ReadTx
from mysticanvas.store.job_lists import Chosen

FAILED_SHOWN = 200
REASONS_SHOWN = 100

Deed = Literal["retry", "discard", "cancel", "prune", "pause", "resume", "start", "stop"]


def routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/api/jobs", tags=["jobs"])
    database = services.database

    @router.get("")
    def overview() -> Response:
        """Each kind with its progress, what is parked and why, and what is paused."""
        states, paused = database.read(lambda tx: (job_lists.states(tx), jobs.paused(tx)))
        return reply({"kinds": services.progress.of(states, paused), "paused": paused, **database.read(_parked)})

    @router.get("/list")
    def listed(
        kind: JobKind | None = None,
        status: JobStatus | None = None,
        before: Index | None = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Response:
        """Newest first; `before` of the reply asks for the next page, null at the end."""
        rows, following = database.read(job_lists.listed, kind=kind, status=status, before=before, limit=limit)
        return reply({"jobs": rows, "before": following})

    @router.get("/{job_id}")
    def show(job_id: Index) -> Response:
        detail = database.read(job_lists.find, job_id)
        return reply({**asdict(detail.job), "payload": detail.payload})

    @router.post("/{deed}")
    def steer(deed: Deed, asked: JobsIn) -> Response:
        """`retry`: parked jobs (and cancelled ones that are named by id) start afresh. `discard`: parked
        jobs are forgotten. `cancel`: waiting jobs, and running ones within a second. `prune`: what is
        done or cancelled is forgotten. `pause`, `resume`: a kind, or everything. `start`, `stop`: a kind
        that does nothing until it is asked for."""
        return reply({"changed": _steer(database, deed, asked)})

    return router


def _parked(tx: ReadTx) -> dict[str, object]:
    return {
        "failed": job_lists.failed(tx, limit=FAILED_SHOWN),
        "reasons": job_lists.reasons(tx, limit=REASONS_SHOWN),
        "all_paused": jobs.all_paused(tx),
        "sha256": sha256.wanted(tx),
    }


def _steer(database: Database, deed: Deed, asked: JobsIn) -> int:
    kind = job_steering.kind_named(asked.kind)
    chosen = Chosen(asked.ids, kind, asked.reason)
    match deed:
        case "retry":
            return job_steering.retry(database, chosen, now_ms=now_ms())
        case "discard":
            return job_steering.discard(database, chosen)
        case "cancel":
            return job_steering.cancel(database, chosen, now_ms=now_ms())
        case "prune":
            return job_steering.forget_all(database)
        case "pause":
            return job_steering.pause(database, kind)
        case "resume":
            return job_steering.resume(database, kind)
        case "start":
            return job_steering.start(database, kind, now_ms=now_ms)
        case "stop":
            return job_steering.stop(database, kind, now_ms=now_ms())
