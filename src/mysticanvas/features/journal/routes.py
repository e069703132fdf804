"""A library is made again from its folders and its journal."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool

from mysticanvas.features.journal.rebuild import Rebuilding
from mysticanvas.http.schemas import reply


def routes(rebuilding: Rebuilding) -> APIRouter:
    router = APIRouter(prefix="/api/rebuild", tags=["library"])

    @router.post("")
    def start() -> Response:
        rebuilding.start()
        return reply(rebuilding.follow())

    @router.get("")
    async def follow(wait: Annotated[float, Query(ge=0, le=25)] = 0) -> Response:
        """`journals`: the libraries whose journals are here and wait to be given back."""
        progress = await run_in_threadpool(rebuilding.follow, wait_s=wait)
        return reply(progress | {"journals": await run_in_threadpool(rebuilding.waiting)})

    return router
