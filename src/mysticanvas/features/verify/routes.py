"""Verification of all files: start, stop, findings."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.verify import queries, service
from mysticanvas.features.verify.types import Finding
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import Index

Limit = Annotated[int, Query(ge=1, le=1_000)]


class VerifyIn(BaseModel):
    """The maximum number of bytes to read per second and per day. Null means no limit."""

    bytes_per_s: int | None = Field(None, ge=1_024, le=1 << 50)
    bytes_per_day: int | None = Field(None, ge=1 << 20, le=1 << 50)


class FindingsIn(BaseModel):
    """Filters findings. A field that is null does not filter. `ids` are from `GET /api/v1/verify/findings`."""

    ids: list[Index] | None = Field(None, max_length=10_000)
    finding: Finding | None = None


def routes(database: Database) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.get("/verify", operation_id="verify.get")
    def get_report() -> Response:
        """The progress and the number of findings."""
        return reply(database.read(service.get_report))

    @router.get("/verify/findings", operation_id="verify.listFindings")
    def list_findings(finding: Finding | None = None, after: Index = 0, limit: Limit = 200) -> Response:
        """List findings by file. Pass `after` from the response to get the next page; it is null on the last page."""
        found = database.read(queries.list_findings, finding=finding, after=after, limit=limit)
        return reply({"findings": found, "after": found[-1].id if len(found) == limit else None})

    @router.post("/verify:start", operation_id="verify.start")
    def start(asked: VerifyIn) -> Response:
        service.start(database, bytes_per_s=asked.bytes_per_s, bytes_per_day=asked.bytes_per_day, now_ms=now_ms())
        return reply(asdict(database.read(service.get_report)))

    @router.post("/verify:stop", operation_id="verify.stop")
    def stop() -> Response:
        service.stop(database, now_ms=now_ms())
        return reply(asdict(database.read(service.get_report)))

    @router.post("/verify/findings:accept", operation_id="verify.acceptFindings")
    def accept(asked: FindingsIn) -> Response:
        """Accept findings: a scan reads the changed files again and looks for the missing ones."""
        return reply({"changed": service.accept(database, ids=asked.ids, finding=asked.finding)})

    @router.post("/verify/findings:dismiss", operation_id="verify.dismissFindings")
    def dismiss(asked: FindingsIn) -> Response:
        """Delete findings. The next verification reports them again if the problems persist."""
        return reply({"changed": service.dismiss(database, ids=asked.ids, finding=asked.finding)})

    return router
