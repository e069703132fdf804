"""Sidecars for other programs, written when a person asks for them."""

from fastapi import APIRouter, Response
from pydantic import Field

from mysticanvas.formats.own_sidecars import SidecarFormat
from mysticanvas.library import sidecars_out
from mysticanvas.server.services import Services
from mysticanvas.server.wire import PickedIn, reply


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
        return reply(sidecars_out.write(services.database, images, asked.format))

    return router
