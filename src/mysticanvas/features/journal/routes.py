"""Rebuilds a library from its folders and its journal."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool

from mysticanvas.features.journal.rebuild import RebuildRunner
from mysticanvas.http.responses import reply


def routes(runner: RebuildRunner) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.post("/library/rebuild", operation_id="library.startRebuild")
    def start() -> Response:
        """Start a rebuild from the journals of other libraries in this library's folder. Returns its progress."""
        runner.start()
        return reply(runner.get_progress())

    @router.get("/library/rebuild", operation_id="library.getRebuild")
    async def get_progress(wait: Annotated[float, Query(ge=0, le=25)] = 0) -> Response:
        """Returns the progress of the rebuild, its report when it is done, and the `journals` from which the library
        can be rebuilt.

        Waits up to `wait` seconds for the rebuild to finish.
        """
        progress = await run_in_threadpool(runner.get_progress, wait_s=wait)
        return reply(progress | {"journals": await run_in_threadpool(runner.list_journals)})

    return router
