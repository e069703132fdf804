"""Writes sidecar files for other programs."""

from fastapi import APIRouter, Response
from pydantic import Field

from mysticanvas.db.database import Database
from mysticanvas.features.sidecars import service
from mysticanvas.features.sidecars.service import SidecarsWritten
from mysticanvas.formats.sidecars.own import SidecarFormat
from mysticanvas.http.responses import reply, returns
from mysticanvas.http.schemas import SelectionRequest
from mysticanvas.search.snapshots import Snapshots


class SidecarsRequest(SelectionRequest):
    """Images of a snapshot. To show the progress for many images, split them into several requests."""

    snapshot: str = Field(max_length=64)
    format: SidecarFormat


EXAMPLE = SidecarsWritten(written=12, unchanged=3, foreign=1, failed=0, nothing=4)


def routes(database: Database, snapshots: Snapshots) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.post("/sidecars", operation_id="sidecars.write", responses=returns(SidecarsWritten, EXAMPLE))
    def write_sidecars(asked: SidecarsRequest) -> Response:
        """Write tags and ratings to sidecar files next to the images. Returns the number of images for each outcome."""
        images = snapshots.select_images(snapshots.get(asked.snapshot), asked.ranges, asked.excluded)
        return reply(service.write_sidecars(database, images, asked.format))

    return router
