"""Background jobs: state, lists and actions."""

from dataclasses import asdict
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.http.schemas import Index, reply
from mysticanvas.jobs import control, queries, queue
from mysticanvas.jobs.kinds import KINDS, find_kind
from mysticanvas.jobs.progress import JobProgress
from mysticanvas.jobs.queries import JobSelection
from mysticanvas.jobs.types import JobStatus

FAILED_SHOWN = 200
REASONS_SHOWN = 100

JobAction = Literal["retry", "discard", "cancel", "prune", "pause", "resume", "start", "stop"]
_ACTIONS: dict[JobAction, str] = {
    "retry": "Queue failed jobs again, and cancelled ones that are selected by id.",
    "discard": "Remove failed jobs.",
    "cancel": "Cancel waiting jobs, and running ones within a second.",
    "prune": "Remove done and cancelled jobs.",
    "pause": "Pause a job kind, or all of them.",
    "resume": "Resume a job kind, or all of them.",
    "start": "Start a job kind that runs only on request.",
    "stop": "Stop a job kind that runs only on request.",
}


class JobsIn(BaseModel):
    """Filters jobs. A field that is null does not filter. `reason` is one of the reasons that
    `GET /api/v1/jobs/summary` lists."""

    kind: str | None = Field(None, max_length=40)
    ids: list[Index] | None = Field(None, max_length=10_000)
    reason: str | None = Field(None, max_length=4_000)


def routes(database: Database, progress: JobProgress) -> APIRouter:
    router = APIRouter(tags=["jobs"])

    @router.get("/jobs/summary", operation_id="jobs.getSummary")
    def overview() -> Response:
        """The progress of each job kind, failed jobs with their reasons, and paused kinds."""
        paused = database.read(queue.list_paused)
        kinds = progress.estimate(progress.counts(database), paused)
        return reply({"kinds": kinds, "paused": paused, **database.read(_describe_parked)})

    @router.get("/jobs", operation_id="jobs.list")
    def list_jobs(
        kind: Annotated[str | None, Query(max_length=40)] = None,
        status: JobStatus | None = None,
        before: Index | None = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Response:
        """List jobs, newest first. Pass `before` from the response to get the next page; it is null on the last
        page."""
        if kind is not None:
            find_kind(kind)
        rows, next_before = database.read(queries.list_jobs, kind=kind, status=status, before=before, limit=limit)
        return reply({"jobs": rows, "before": next_before})

    @router.get("/jobs/{job_id}", operation_id="jobs.get")
    def show(job_id: Index) -> Response:
        """One job with its payload."""
        detail = database.read(queries.find, job_id)
        return reply({**asdict(detail.job), "payload": detail.payload})

    for action in get_args(JobAction):
        _add_action(router, database, action)
    return router


def _add_action(router: APIRouter, database: Database, action: JobAction) -> None:
    @router.post(f"/jobs:{action}", operation_id=f"jobs.{action}", description=_ACTIONS[action])
    def run_action(asked: JobsIn) -> Response:
        return reply({"changed": _run_action(database, action, asked)})


def _describe_parked(tx: ReadTx) -> dict[str, object]:
    return {
        "failed": queries.list_failed(tx, limit=FAILED_SHOWN),
        "reasons": queries.list_reasons(tx, limit=REASONS_SHOWN),
        "all_paused": queue.are_all_paused(tx),
        **{kind.name: kind.is_on(tx) for kind in KINDS.values() if kind.is_on is not None},
    }


def _run_action(database: Database, action: JobAction, asked: JobsIn) -> int:
    kind = None if asked.kind is None else find_kind(asked.kind).name
    chosen = JobSelection(asked.ids, kind, asked.reason)
    match action:
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
