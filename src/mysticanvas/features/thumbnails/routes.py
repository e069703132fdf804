"""Prioritizes the thumbnails that are on screen."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database
from mysticanvas.db.images import generations
from mysticanvas.features.thumbnails.types import JOB_KIND
from mysticanvas.http.responses import returns_nothing
from mysticanvas.http.schemas import Index
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.types import JobPriority
from mysticanvas.search.snapshots import Snapshots


class PrioritizeRequest(BaseModel):
    snapshot: str = Field(max_length=64)
    start: Index
    count: int = Field(ge=0, le=2_048)


def routes(database: Database, snapshots: Snapshots) -> APIRouter:
    router = APIRouter(tags=["images"])

    @router.post(
        "/thumbnails:prioritize",
        operation_id="thumbnails.prioritize",
        responses=returns_nothing("The thumbnails come first now."),
        status_code=204,
    )
    async def prioritize(asked: PrioritizeRequest) -> Response:
        """Create the thumbnails at these positions of a snapshot first, because they are on screen."""
        snapshot = snapshots.get(asked.snapshot)
        ids = snapshot.ids[asked.start : asked.start + asked.count].tolist()
        uuids = database.read(generations.list_uuids, ids)
        database.write_later(job_queue.raise_priority, kind=JOB_KIND, unique_keys=uuids, priority=JobPriority.IN_VIEW)
        return Response(status_code=204)

    return router
