"""Rebuilds a library from its folders and its journal."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool

from mysticanvas.features.journal.rebuild import RebuildReport, RebuildRunner, RebuildStatus
from mysticanvas.http.responses import link_location, reply, returns

EXAMPLE = RebuildStatus(
    message="Checking the library",
    done=12_480,
    total=12_480,
    report=RebuildReport(images=12_480, absent=3, tags=410, collections=6, templates=12, folders=1),
    journals=[],
)
EXAMPLE_STARTED = RebuildStatus("Reading the journal", 0, 0, None, ["0b7e7c1c-6f9f-4f1e-8a43-6b1a2e5c9d01"])


def routes(runner: RebuildRunner) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.post(
        "/library/rebuild",
        operation_id="library.startRebuild",
        responses=returns(RebuildStatus, EXAMPLE_STARTED, status=202),
    )
    def start() -> Response:
        """Start a rebuild from the journals of other libraries in this library's folder."""
        runner.start()
        return reply(runner.get_status(), 202, link_location("/library/rebuild"))

    @router.get("/library/rebuild", operation_id="library.getRebuild", responses=returns(RebuildStatus, EXAMPLE))
    async def get_status(wait: Annotated[float, Query(ge=0, le=25)] = 0) -> Response:
        """The progress of the rebuild, its report when it is done, and the journals from which the library can be
        rebuilt. Waits up to `wait` seconds for the rebuild to finish."""
        return reply(await run_in_threadpool(runner.get_status, wait_s=wait))

    return router
