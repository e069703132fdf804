"""Background jobs: state, lists and actions."""

from dataclasses import asdict
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Query, Request, Response

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.http.responses import link_next, reply, returns
from mysticanvas.http.schemas import Index
from mysticanvas.jobs import control, queries, queue
from mysticanvas.jobs.kinds import KINDS, find_kind
from mysticanvas.jobs.progress import JobProgress, KindProgress
from mysticanvas.jobs.queries import JobSelection
from mysticanvas.jobs.schemas import (
    EXAMPLE_JOB,
    EXAMPLE_PAGE,
    EXAMPLE_SUMMARY,
    JobPage,
    JobsChanged,
    JobSelectionRequest,
    JobSummary,
    JobWithPayload,
)
from mysticanvas.jobs.types import JobStatus

FAILED_SHOWN = 200
REASONS_SHOWN = 100

EXAMPLE_DETAIL = JobWithPayload(**asdict(EXAMPLE_JOB), payload={"generation": 457_574_400_000})
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


def routes(database: Database, progress: JobProgress) -> APIRouter:
    router = APIRouter(tags=["jobs"])

    @router.get("/jobs/summary", operation_id="jobs.getSummary", responses=returns(JobSummary, EXAMPLE_SUMMARY))
    def overview() -> Response:
        """The progress of each job kind, failed jobs with their reasons, and paused kinds."""
        paused = database.read(queue.list_paused)
        kinds = progress.estimate(progress.counts(database), paused)
        return reply(database.read(_summarize, kinds, paused))

    @router.get("/jobs", operation_id="jobs.list", responses=returns(JobPage, EXAMPLE_PAGE))
    def list_jobs(
        request: Request,
        kind: Annotated[str | None, Query(max_length=40)] = None,
        status: JobStatus | None = None,
        before: Index | None = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Response:
        """List jobs, newest first. To get the next page, pass `next` from the response as `before`."""
        if kind is not None:
            find_kind(kind)
        page = JobPage(*database.read(queries.list_jobs, kind=kind, status=status, before=before, limit=limit))
        return reply(page, headers=link_next(request, before=page.next))

    @router.get("/jobs/{job_id}", operation_id="jobs.get", responses=returns(JobWithPayload, EXAMPLE_DETAIL))
    def show(job_id: Index) -> Response:
        """One job with its payload."""
        detail = database.read(queries.find, job_id)
        return reply(JobWithPayload(**asdict(detail.job), payload=detail.payload))

    for action in get_args(JobAction):
        _add_action(router, database, action)
    return router


def _add_action(router: APIRouter, database: Database, action: JobAction) -> None:
    @router.post(
        f"/jobs:{action}",
        operation_id=f"jobs.{action}",
        description=_ACTIONS[action],
        responses=returns(JobsChanged, JobsChanged(3)),
    )
    def run_action(asked: JobSelectionRequest) -> Response:
        return reply(JobsChanged(_run_action(database, action, asked)))


def _summarize(tx: ReadTx, kinds: list[KindProgress], paused: list[str]) -> JobSummary:
    return JobSummary(
        kinds=kinds,
        paused=paused,
        all_paused=queue.are_all_paused(tx),
        failed=queries.list_failed(tx, limit=FAILED_SHOWN),
        reasons=queries.list_reasons(tx, limit=REASONS_SHOWN),
        on_request={kind.name: kind.is_on(tx) for kind in KINDS.values() if kind.is_on is not None},
    )


def _run_action(database: Database, action: JobAction, asked: JobSelectionRequest) -> int:
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
