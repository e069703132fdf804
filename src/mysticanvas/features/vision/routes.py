"""Settings, progress and NSFW scores of image analysis."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.vision import service
from mysticanvas.http.responses import reply
from mysticanvas.search import image_vectors


class ImageAnalysisIn(BaseModel):
    """Absent or null fields are not changed. An empty `clip_folder` removes the CLIP model. `least_explicit` is the
    minimum NSFW score of images that are blurred."""

    is_on: bool | None = None
    clip_folder: str | None = Field(None, max_length=4_000)
    least_explicit: float | None = Field(None, ge=0, le=1)


class ScoresIn(BaseModel):
    """Images, identified by the names of their thumbnails."""

    thumbs: list[Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]{64}$")]] = Field(max_length=500)


def routes(database: Database) -> APIRouter:
    router = APIRouter(tags=["images"])

    @router.get("/vision", operation_id="vision.get")
    def get_state() -> Response:
        """Whether image analysis is available and on, its settings, and the progress of each model."""
        return reply(database.read(_read_state))

    @router.patch("/vision", operation_id="vision.update")
    def change_settings(asked: ImageAnalysisIn) -> Response:
        """Change settings of image analysis. Returns the new state."""
        if asked.clip_folder is not None:
            service.set_clip_folder(database, asked.clip_folder or None, now_ms=now_ms)
        if asked.least_explicit is not None:
            service.set_nsfw_threshold(database, asked.least_explicit)
        if asked.is_on is not None:
            service.set_enabled(database, is_on=asked.is_on, now_ms=now_ms)
        return reply(database.read(_read_state))

    @router.post("/vision/scores", operation_id="vision.listScores")
    def list_scores(asked: ScoresIn) -> Response:
        """NSFW scores by thumbnail name. Images that have not been analyzed are omitted."""
        return reply({"explicit": database.read(image_vectors.get_nsfw_scores, asked.thumbs)})

    return router


def _read_state(tx: ReadTx) -> dict[str, Any]:
    return {
        "installed": service.is_installed(),
        "sight": image_vectors.get_image_model_settings(tx),
        "progress": service.list_progress(tx),
    }
