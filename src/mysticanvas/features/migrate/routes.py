"""Migrates from other programs, and imports archives."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from mysticanvas.features.migrate.service import MigrationRunner, MigrationStatus
from mysticanvas.features.migrate.types import MigrationReport, SkippedItems
from mysticanvas.http.responses import link_location, reply, returns
from mysticanvas.http.schemas import PathText


class MigrationRequest(BaseModel):
    """`path`: the database of another program, or an archive. `images`: the image folder of the other program, if it is
    not next to the database. `folders`: maps the folders in an archive to those on this machine."""

    path: PathText
    images: PathText | None = None
    dry_run: bool = False
    folders: dict[PathText, PathText] = Field(default_factory=dict, max_length=1_000)


@dataclass(frozen=True, slots=True)
class MigrationStarted:
    """The ID of the migration."""

    id: str


EXAMPLE_STARTED = MigrationStarted("6f0c1f5e-6d0f-4f1c-9d43-0a3a8f1f2b10")
EXAMPLE = MigrationStatus(
    message="Migrating images",
    done=310,
    total=310,
    report=MigrationReport(
        gallery="Diffusion Desk",
        dry_run=False,
        images=310,
        matched=300,
        missing=10,
        ratings=41,
        tags=12,
        skipped=[SkippedItems("settings", 1, "MystiCanvas has its own settings")],
    ),
)


def routes(runner: MigrationRunner) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.post(
        "/migrations",
        operation_id="migrations.start",
        responses=returns(MigrationStarted, EXAMPLE_STARTED, status=202),
    )
    def start(asked: MigrationRequest) -> Response:
        """Start a migration from another program, or import an archive. Another one that is running finishes first."""
        started = runner.start(asked.path, images=asked.images, dry_run=asked.dry_run, folders=asked.folders)
        return reply(MigrationStarted(started), 202, link_location(f"/migrations/{started}"))

    @router.get(
        "/migrations/{migration_id}", operation_id="migrations.get", responses=returns(MigrationStatus, EXAMPLE)
    )
    async def get_status(migration_id: str, wait: Annotated[float, Query(ge=0, le=25)] = 0) -> Response:
        """The progress, and the report when the import is done. Waits up to `wait` seconds for it to finish."""
        return reply(await run_in_threadpool(runner.get_status, migration_id, wait_s=wait))

    return router
