"""Settings of the WD tagger, and tagging with it."""

from dataclasses import dataclass

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.wd_tagger import service
from mysticanvas.features.wd_tagger.service import TaggerSettings
from mysticanvas.features.wd_tagger.types import JOB_KIND
from mysticanvas.http.responses import link_location, reply, returns
from mysticanvas.http.schemas import PathText, QueryRequest
from mysticanvas.search.snapshots import Snapshots


class TaggerRequest(BaseModel):
    """If `folder` is null, no tagger is used. `least_general` and `least_character` are the minimum confidence for
    general and character tags."""

    folder: PathText | None = None
    least_general: float = Field(0.35, ge=0, le=1)
    least_character: float = Field(0.85, ge=0, le=1)
    after_import: bool = True


class TaggerRunRequest(QueryRequest):
    """The images to tag. Images that the tagger has already tagged are included only with `again`."""

    again: bool = False


@dataclass(frozen=True, slots=True)
class TaggerState:
    """The settings of the tagger; null while none is selected."""

    tagger: TaggerSettings | None


@dataclass(frozen=True, slots=True)
class TaggerStarted:
    """The number of images that will be tagged, each by a job."""

    queued: int


EXAMPLE = TaggerState(TaggerSettings("/home/you/models/wd-vit-tagger-v3", "wd/wd-vit-tagger-v3/1f0c9a2b"))


def routes(database: Database, snapshots: Snapshots) -> APIRouter:
    router = APIRouter(tags=["tags"])

    @router.get("/tagger", operation_id="tagger.get", responses=returns(TaggerState, EXAMPLE))
    def get_tagger() -> Response:
        """The settings of the tagger; null while none is selected."""
        return reply(TaggerState(database.read(service.get_settings)))

    @router.put("/tagger", operation_id="tagger.set", responses=returns(TaggerState, EXAMPLE))
    def set_tagger(asked: TaggerRequest) -> Response:
        """Select a tagger. If the folder is null, stop using the tagger. Existing tags are kept."""
        if asked.folder is None:
            service.remove_model(database, now_ms=now_ms())
            return reply(TaggerState(None))
        tagger = service.select_model(
            database,
            asked.folder,
            least_general=asked.least_general,
            least_character=asked.least_character,
            after_import=asked.after_import,
        )
        return reply(TaggerState(tagger))

    @router.post(
        "/tagger:run", operation_id="tagger.run", responses=returns(TaggerStarted, TaggerStarted(310), status=202)
    )
    def start(asked: TaggerRunRequest) -> Response:
        """Queue jobs that tag the images that match a query. Returns the number of jobs."""
        images = snapshots.open(asked.q).ids.tolist()
        queued = service.start(database, images, again=asked.again, now_ms=now_ms())
        return reply(TaggerStarted(queued), 202, link_location(f"/jobs?kind={JOB_KIND}"))

    return router
