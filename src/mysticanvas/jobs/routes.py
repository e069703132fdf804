"""Work in the background: what there is, and what a person does with it (J7, J10, J11)."""

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.http.schemas import Index, reply
from mysticanvas.jobs import control, queries, queue
from mysticanvas.jobs.kinds import KINDS, find_kind
from mysticanvas.jobs.progress import JobProgress
from mysticanvas.jobs.queries import Chosen
from mysticanvas.jobs.types import JobStatus

FAILED_SHOWN = 200
REASONS_SHOWN = 100

JobAction = Literal["retry", "discard", "cancel", "prune", "pause", "resume", "start", "stop"]


class JobsIn(BaseModel):
    """None stands for all. `reason` is one that `GET /api/jobs` lists."""

    kind: str | None = Field(None, max_length=40)
    ids: list[Index] | None = Field(None, max_length=10_000)
    reason: str | None = Field(None, max_length=4_000)


def routes(database: Database, progress: JobProgress) -> APIRouter:
    router = APIRouter(prefix="/api/jobs", tags=["jobs"])

    @router.get("")
    def overview() -> Response:
        """Each kind with its progress, what is parked and why, and what is paused."""
        paused = database.read(queue.list_paused)
        kinds = progress.estimate(progress.counts(database), paused)
        return reply({"kinds": kinds, "paused": paused, **database.read(_describe_parked)})

    @router.get("/list")
    def listed(
        kind: Annotated[str | None, Query(max_length=40)] = None,
        status: JobStatus | None = None,
        before: Index | None = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Response:
        """Newest first; `before` of the reply asks for the next page, null at the end."""
        if kind is not None:
            find_kind(kind)
        rows, following = database.read(queries.list_jobs, kind=kind, status=status, before=before, limit=limit)
        return reply({"jobs": rows, "before": following})

    @router.get("/{job_id}")
    def show(job_id: Index) -> Response:
        detail = database.read(queries.find, job_id)
        return reply({**asdict(detail.job), "payload": detail.payload})

    @router.post("/{deed}")
    def steer(deed: JobAction, asked: JobsIn) -> Response:
        """`retry`: parked jobs (and cancelled ones that are named by id) start afresh. `discard`: parked
        jobs are forgotten. `cancel`: waiting jobs, and running ones within a second. `prune`: what is
        done or cancelled is forgotten. `pause`, `resume`: a kind, or everything. `start`, `stop`: a kind
        that does nothing until it is asked for."""
        return reply({"changed": _steer(database, deed, asked)})

    return router


def _describe_parked(tx: ReadTx) -> dict[str, object]:
    return {
        "failed": queries.list_failed(tx, limit=FAILED_SHOWN),
        "reasons": queries.list_reasons(tx, limit=REASONS_SHOWN),
        "all_paused": queue.are_all_paused(tx),
        **{kind.name: kind.is_on(tx) for kind in KINDS.values() if kind.is_on is not None},
    }


def _steer(database: Database, deed: JobAction, asked: JobsIn) -> int:
    kind = None if asked.kind is None else find_kind(asked.kind).name
    chosen = Chosen(asked.ids, kind, asked.reason)
    match deed:
        case "retry":
            return control.retry(database, chosen, now_ms=now_ms())
        case "discard":
            return control.discard(database, chosen)
        case "cancel":
            return control.cancel(database, chosen, now_ms=now_ms())
        case "prune":
            return control.forget_all(database)
        case "pause":
            return control.pause(database, kind)
        case "resume":
            return control.resume(database, kind)
        case "start":
            return control.start(database, kind, now_ms=now_ms)
        case "stop":
            return control.stop(database, kind, now_ms=now_ms())
