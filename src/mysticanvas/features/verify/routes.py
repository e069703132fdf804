"""Verification of all files: start, stop, findings."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from mysticanvas.db.database import Database
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.verify import queries, service
from mysticanvas.features.verify.schemas import (
    EXAMPLE_FINDINGS,
    EXAMPLE_STATUS,
    FindingPage,
    FindingsChanged,
    FindingsRequest,
    VerifyRequest,
)
from mysticanvas.features.verify.service import VerifyStatus
from mysticanvas.features.verify.types import Finding
from mysticanvas.http.responses import link_location, link_next, reply, returns, split_page
from mysticanvas.http.schemas import Index

Limit = Annotated[int, Query(ge=1, le=1_000)]


def routes(database: Database) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.get("/verify", operation_id="verify.get", responses=returns(VerifyStatus, EXAMPLE_STATUS))
    def get_status() -> Response:
        """The progress and the number of findings."""
        return reply(database.read(service.get_status))

    @router.post(
        "/verify:start", operation_id="verify.start", responses=returns(VerifyStatus, EXAMPLE_STATUS, status=202)
    )
    def start(asked: VerifyRequest) -> Response:
        """Start to verify all files, or continue. If it is running, only the limits are changed."""
        service.start(database, bytes_per_s=asked.bytes_per_s, bytes_per_day=asked.bytes_per_day, now_ms=now_ms())
        return reply(database.read(service.get_status), 202, link_location("/verify"))

    @router.post("/verify:stop", operation_id="verify.stop", responses=returns(VerifyStatus, EXAMPLE_STATUS))
    def stop() -> Response:
        """Stop the verification. The next start continues it."""
        service.stop(database, now_ms=now_ms())
        return reply(database.read(service.get_status))

    _add_findings(router, database)
    return router


def _add_findings(router: APIRouter, database: Database) -> None:

    @router.get(
        "/verify/findings", operation_id="verify.listFindings", responses=returns(FindingPage, EXAMPLE_FINDINGS)
    )
    def list_findings(
        request: Request, finding: Finding | None = None, after: Index = 0, limit: Limit = 200
    ) -> Response:
        """List findings by file. To get the next page, pass `next` from the response as `after`."""
        found = database.read(queries.list_findings, finding=finding, after=after, limit=limit + 1)
        page = FindingPage(*split_page(found, limit, lambda one: one.id))
        return reply(page, headers=link_next(request, after=page.next))

    @router.post(
        "/verify/findings:accept",
        operation_id="verify.acceptFindings",
        responses=returns(FindingsChanged, FindingsChanged(1)),
    )
    def accept(asked: FindingsRequest) -> Response:
        """Accept findings: a scan reads the changed files again and looks for the missing ones."""
        return reply(FindingsChanged(service.accept(database, ids=asked.ids, finding=asked.finding)))

    @router.post(
        "/verify/findings:dismiss",
        operation_id="verify.dismissFindings",
        responses=returns(FindingsChanged, FindingsChanged(1)),
    )
    def dismiss(asked: FindingsRequest) -> Response:
        """Delete findings. The next verification reports them again if the problems persist."""
        return reply(FindingsChanged(service.dismiss(database, ids=asked.ids, finding=asked.finding)))
