"""Migrates from other programs, and imports archives."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from mysticanvas.features.migrate.service import MigrationRunner
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import PathText


class LibraryIn(BaseModel):
    """`path`: the database of another program, or an archive. `images`: the image folder of the other program, if it is
    not next to the database. `folders`: maps the folders in an archive to those on this machine."""

    path: PathText
    images: PathText | None = None
    dry_run: bool = False
    folders: dict[PathText, PathText] = Field(default_factory=dict, max_length=1_000)


def routes(runner: MigrationRunner) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.post("/migrations", operation_id="migrations.start")
    def start(asked: LibraryIn) -> Response:
        """Queue a migration or an archive import. Returns its id."""
        started = runner.start(asked.path, images=asked.images, dry_run=asked.dry_run, folders=asked.folders)
        return reply({"id": started})

    @router.get("/migrations/{migration}", operation_id="migrations.get")
    async def get_progress(migration: str, wait: Annotated[float, Query(ge=0, le=25)] = 0) -> Response:
        """The progress, and the report when the import is done. Waits up to `wait` seconds for it to finish."""
        return reply(await run_in_threadpool(runner.get_progress, migration, wait_s=wait))

    return router
