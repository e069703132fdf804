"""Settings of the WD tagger, and tagging with it."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.wd_tagger import service
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import PathText, QueryRequest
from mysticanvas.search.snapshots import Snapshots


class TaggerIn(BaseModel):
    """If `folder` is null, no tagger is used. `least_general` and `least_character` are the minimum confidence for
    general and character tags."""

    folder: PathText | None = None
    least_general: float = Field(0.35, ge=0, le=1)
    least_character: float = Field(0.85, ge=0, le=1)
    after_import: bool = True


class VisionIn(QueryRequest):
    """The images to tag. Images that the tagger has already tagged are included only with `again`."""

    again: bool = False


def routes(database: Database, snapshots: Snapshots) -> APIRouter:
    router = APIRouter(tags=["tags"])

    @router.get("/tagger", operation_id="tagger.get")
    def get_tagger() -> Response:
        """The settings of the tagger; null while none is selected."""
        return reply({"tagger": database.read(service.get_settings)})

    @router.put("/tagger", operation_id="tagger.set")
    def set_tagger(asked: TaggerIn) -> Response:
        """Select a tagger. If the folder is null, stop using the tagger. Existing tags are kept."""
        if asked.folder is None:
            service.remove_model(database, now_ms=now_ms())
            return reply({"tagger": None})
        tagger = service.select_model(
            database,
            asked.folder,
            least_general=asked.least_general,
            least_character=asked.least_character,
            after_import=asked.after_import,
        )
        return reply({"tagger": tagger})

    @router.post("/tagger:run", operation_id="tagger.run")
    def start(asked: VisionIn) -> Response:
        """Queue jobs that tag the images that match a query. Returns the number of jobs."""
        images = snapshots.open(asked.q).ids.tolist()
        return reply({"queued": service.start(database, images, again=asked.again, now_ms=now_ms())})

    return router
