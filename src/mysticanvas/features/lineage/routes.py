"""Routes for the lineage of an image and for setting its parent."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database
from mysticanvas.db.images import generations
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EXAMPLE_RESULT, EditResult
from mysticanvas.features.lineage import view
from mysticanvas.features.lineage.edits import SetParent
from mysticanvas.features.lineage.types import EXAMPLE_LINEAGE, Lineage
from mysticanvas.http.responses import reply, returns


class ParentRequest(BaseModel):
    """`parent`: a UUID, or null to remove the parent. `relation`: null keeps the current relation."""

    parent: str | None = Field(max_length=64)
    relation: str | None = Field(None, max_length=40)


def routes(database: Database, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["lineage"])

    @router.get("/images/{uuid}/lineage", operation_id="images.getLineage", responses=returns(Lineage, EXAMPLE_LINEAGE))
    def get_lineage(uuid: str) -> Response:
        """The images from which an image was made, and those made from it."""
        return reply(database.read(view.load_lineage, uuid))

    @router.put("/images/{uuid}/parent", operation_id="images.setParent", responses=returns(EditResult, EXAMPLE_RESULT))
    def set_parent(uuid: str, asked: ParentRequest) -> Response:
        """Set or remove the image from which an image was made."""
        image = database.read(generations.get_id, uuid)
        return reply(edits.do(SetParent(parent=asked.parent, relation=asked.relation), [image]))

    return router
