"""Galleries of other programs that come over."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from mysticanvas.server.services import Services
from mysticanvas.server.wire import PathText, reply


class LibraryIn(BaseModel):
    """`images`: the folder of its images, if it is not beside the database."""

    path: PathText
    images: PathText | None = None
    dry_run: bool = False


def routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/api/libraries", tags=["library"])
    libraries = services.libraries

    @router.post("")
    def start(asked: LibraryIn) -> Response:
        return reply({"id": libraries.start(asked.path, images=asked.images, dry_run=asked.dry_run)})

    @router.get("/{take_over}")
    async def follow(take_over: str, wait: Annotated[float, Query(ge=0, le=25)] = 0) -> Response:
        return reply(await run_in_threadpool(libraries.follow, take_over, wait_s=wait))

    return router
