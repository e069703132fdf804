"""Sidecars for other programs, written when a person asks for them."""

from fastapi import APIRouter, Response
from pydantic import Field

from mysticanvas.db.database import Database
from mysticanvas.features.sidecars import service
from mysticanvas.formats.sidecars.own import SidecarFormat
from mysticanvas.http.schemas import PickedIn, reply
from mysticanvas.search.snapshots import Snapshots


class SidecarsIn(PickedIn):
    """Images of a snapshot; ask again for the rest of many."""

    snapshot: str = Field(max_length=64)
    format: SidecarFormat


def routes(database: Database, snapshots: Snapshots) -> APIRouter:
    router = APIRouter(prefix="/api/sidecars", tags=["library"])

    @router.post("")
    def write(asked: SidecarsIn) -> Response:
        images = snapshots.picked(snapshots.get(asked.snapshot), asked.ranges, asked.left_out)
        return reply(service.write(database, images, asked.format))

    return router
