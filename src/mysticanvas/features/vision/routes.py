"""Pictures that models look at: whether they do, which, and from which score on one counts as explicit (A4)."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.vision import service
from mysticanvas.http.schemas import reply
from mysticanvas.search import image_vectors


class LookingIn(BaseModel):
    is_on: bool | None = None
    clip_folder: str | None = Field(None, max_length=4_000)
    least_explicit: float | None = Field(None, ge=0, le=1)


class ScoresIn(BaseModel):
    """Pictures by the names of their thumbnails."""

    thumbs: list[Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]{64}$")]] = Field(max_length=500)


def routes(database: Database) -> APIRouter:
    router = APIRouter(prefix="/api/looking", tags=["images"])

    @router.get("")
    def state() -> Response:
        return reply(database.read(_state))

    @router.post("")
    def change(asked: LookingIn) -> Response:
        """Only what is given is changed. `clip_folder` "": no model of the person's own any more."""
        if asked.clip_folder is not None:
            service.choose_clip(database, asked.clip_folder or None, now_ms=now_ms)
        if asked.least_explicit is not None:
            service.set_least_explicit(database, asked.least_explicit)
        if asked.is_on is not None:
            service.switch(database, is_on=asked.is_on, now_ms=now_ms)
        return reply(database.read(_state))

    @router.post("/scores")
    def scores(asked: ScoresIn) -> Response:
        """For places that show thumbnails alone; a picture that no model has looked at is left out."""
        return reply({"explicit": database.read(image_vectors.explicit_by_hash, asked.thumbs)})

    return router


def _state(tx: ReadTx) -> dict[str, Any]:
    return {"installed": service.is_installed(), "sight": image_vectors.sight(tx), "progress": service.progress(tx)}
