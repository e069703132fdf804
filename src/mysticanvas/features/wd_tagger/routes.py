"""Tags by a tagger that looks at the pictures (A3)."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.wd_tagger import service
from mysticanvas.http.schemas import PathText, QueryIn, reply
from mysticanvas.search.snapshots import Snapshots


class TaggerIn(BaseModel):
    """No folder: no tagger."""

    folder: PathText | None = None
    least_general: float = Field(0.35, ge=0, le=1)
    least_character: float = Field(0.85, ge=0, le=1)
    after_import: bool = True


class VisionIn(QueryIn):
    again: bool = False


def routes(database: Database, snapshots: Snapshots) -> APIRouter:
    router = APIRouter(prefix="/api/vision", tags=["tags"])

    @router.get("")
    def chosen() -> Response:
        return reply({"tagger": database.read(service.wishes)})

    @router.post("/tagger")
    def choose(asked: TaggerIn) -> Response:
        """No folder: no tagger any more; what it said stays."""
        if asked.folder is None:
            service.forget(database, now_ms=now_ms())
            return reply({"tagger": None})
        tagger = service.choose(
            database,
            asked.folder,
            least_general=asked.least_general,
            least_character=asked.least_character,
            after_import=asked.after_import,
        )
        return reply({"tagger": tagger})

    @router.post("/start")
    def start(asked: VisionIn) -> Response:
        """Look at what the query finds; at images that the tagger has spoken of only with `again`."""
        images = snapshots.open(asked.q).ids.tolist()
        return reply({"queued": service.start(database, images, again=asked.again, now_ms=now_ms())})

    return router
