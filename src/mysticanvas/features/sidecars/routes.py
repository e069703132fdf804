"""Sidecars for other programs, written when a person asks for them."""

from fastapi import APIRouter, Response
from pydantic import Field

from mysticanvas.app.services import Services
from mysticanvas.features.sidecars import service
from mysticanvas.formats.sidecars.own import SidecarFormat
from mysticanvas.http.schemas import PickedIn, reply


class SidecarsIn(PickedIn):
    """Images of a snapshot; ask again for the rest of many."""

    snapshot: str = Field(max_length=64)
    format: SidecarFormat


def routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/api/sidecars", tags=["library"])

    @router.post("")
    def write(asked: SidecarsIn) -> Response:
        snapshots = services.snapshots
        images = snapshots.picked(snapshots.get(asked.snapshot), asked.ranges, asked.left_out)
        return reply(service.write(services.database, images, asked.format))

    return router
