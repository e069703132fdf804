"""Galleries of other programs, and whole libraries of our own, that come over."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from mysticanvas.features.migrate.service import LibraryImporting
from mysticanvas.http.schemas import PathText, reply


class LibraryIn(BaseModel):
    """`images`: the folder of its images, if it is not beside the database. `folders`: for an export of a
    whole library, from its folders to where they are now."""

    path: PathText
    images: PathText | None = None
    dry_run: bool = False
    folders: dict[PathText, PathText] = Field(default_factory=dict, max_length=1_000)


def routes(libraries: LibraryImporting) -> APIRouter:
    router = APIRouter(prefix="/api/libraries", tags=["library"])

    @router.post("")
    def start(asked: LibraryIn) -> Response:
        started = libraries.start(asked.path, images=asked.images, dry_run=asked.dry_run, folders=asked.folders)
        return reply({"id": started})

    @router.get("/{take_over}")
    async def follow(take_over: str, wait: Annotated[float, Query(ge=0, le=25)] = 0) -> Response:
        return reply(await run_in_threadpool(libraries.follow, take_over, wait_s=wait))

    return router
