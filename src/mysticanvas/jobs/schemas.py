"""The requests and responses of the routes for jobs."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from mysticanvas.http.schemas import Index
from mysticanvas.jobs.progress import KindProgress
from mysticanvas.jobs.queries import FailedJob, JobRow, Reason


class JobSelectionRequest(BaseModel):
    """Filters jobs. A field that is null does not filter. `reason` is one of the reasons that
    `GET /api/v1/jobs/summary` lists."""

    kind: str | None = Field(None, max_length=40)
    ids: list[Index] | None = Field(None, max_length=10_000)
    reason: str | None = Field(None, max_length=4_000)


@dataclass(frozen=True, slots=True)
class JobSummary:
    """`paused` are the paused kinds. `on_request` tells, for each kind that runs only on request, whether it is on.
    `failed` and `reasons` are limited; `GET /api/v1/jobs` lists all failed jobs."""

    kinds: list[KindProgress]
    paused: list[str]
    all_paused: bool
    failed: list[FailedJob]
    reasons: list[Reason]
    on_request: dict[str, bool]


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first. `next` is the `before` of the next page; null on the last page."""

    jobs: list[JobRow]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWithPayload(JobRow):
    """A job with its payload, which depends on the kind."""

    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JobsChanged:
    """The number of jobs or kinds that the action changed."""

    changed: int


_FAILED = {
    "kind": "thumb",
    "file": "2026/fox.png",
    "error": "The worker ended while it read this file.",
    "attempts": 2,
    "crashes": 2,
}
EXAMPLE_JOB = JobRow(
    id=7,
    status="error",
    priority=0,
    interruptions=0,
    progress=0.0,
    run_at=0,
    created_at=1_787_400_000_000,
    updated_at=1_787_400_002_000,
    **_FAILED,  # type: ignore[arg-type]
)
EXAMPLE_PAGE = JobPage([EXAMPLE_JOB], next=7)
EXAMPLE_SUMMARY = JobSummary(
    kinds=[
        KindProgress(
            kind="thumb",
            waiting=120,
            running=2,
            done=878,
            failed=1,
            cancelled=0,
            paused=False,
            finished=878,
            total=1_001,
            rate_per_s=41.5,
            eta_s=2.9,
        )
    ],
    paused=[],
    all_paused=False,
    failed=[FailedJob(id=7, **_FAILED)],  # type: ignore[arg-type]
    reasons=[Reason("thumb", "The worker ended while it read this file.", 1)],
    on_request={"sha256": False},
)
