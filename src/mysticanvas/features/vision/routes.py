"""Settings, progress and NSFW scores of image analysis."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.vision import service
from mysticanvas.features.vision.service import AnalysisProgress
from mysticanvas.http.responses import reply, returns
from mysticanvas.ml.image_model_settings import BUNDLED_SPACE, ImageAnalysisSettings
from mysticanvas.search import image_vectors


class ImageAnalysisRequest(BaseModel):
    """Absent or null fields are not changed. An empty `clip_folder` removes the CLIP model. `least_explicit` is the
    minimum NSFW score of images that are blurred."""

    is_on: bool | None = None
    clip_folder: str | None = Field(None, max_length=4_000)
    least_explicit: float | None = Field(None, ge=0, le=1)


class ScoresRequest(BaseModel):
    """Images, identified by the names of their thumbnails."""

    thumbs: list[Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]{64}$")]] = Field(max_length=500)


@dataclass(frozen=True, slots=True)
class ImageAnalysis:
    """`installed`: the packages that image analysis requires are installed. `progress` has one item for each active
    model, the fastest first."""

    installed: bool
    settings: ImageAnalysisSettings
    progress: list[AnalysisProgress]


@dataclass(frozen=True, slots=True)
class NsfwScores:
    """NSFW scores (0 to 1) by the name of the thumbnail, of the images that have been analyzed."""

    explicit: dict[str, float]


EXAMPLE = ImageAnalysis(True, ImageAnalysisSettings(is_on=True), [AnalysisProgress(BUNDLED_SPACE, 12_480)])


def routes(database: Database) -> APIRouter:
    router = APIRouter(tags=["images"])

    @router.get("/vision", operation_id="vision.get", responses=returns(ImageAnalysis, EXAMPLE))
    def get_state() -> Response:
        """Whether image analysis is available and on, its settings, and the progress of each model."""
        return reply(database.read(_read_state))

    @router.patch("/vision", operation_id="vision.update", responses=returns(ImageAnalysis, EXAMPLE))
    def change_settings(asked: ImageAnalysisRequest) -> Response:
        """Change settings of image analysis. Returns the new state."""
        if asked.clip_folder is not None:
            service.set_clip_folder(database, asked.clip_folder or None, now_ms=now_ms)
        if asked.least_explicit is not None:
            service.set_nsfw_threshold(database, asked.least_explicit)
        if asked.is_on is not None:
            service.set_enabled(database, is_on=asked.is_on, now_ms=now_ms)
        return reply(database.read(_read_state))

    @router.post(
        "/vision/scores",
        operation_id="vision.listScores",
        responses=returns(NsfwScores, NsfwScores({"9f" * 32: 0.03})),
    )
    def list_scores(asked: ScoresRequest) -> Response:
        """NSFW scores by thumbnail name. Images that have not been analyzed are omitted."""
        return reply(NsfwScores(database.read(image_vectors.get_nsfw_scores, asked.thumbs)))

    return router


def _read_state(tx: ReadTx) -> ImageAnalysis:
    return ImageAnalysis(service.is_installed(), image_vectors.get_image_model_settings(tx), service.list_progress(tx))
