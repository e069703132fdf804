"""Tags by a tagger that looks at the pictures (A3)."""

from fastapi import APIRouter, Response

from mysticanvas.domain.clock import now_ms
from mysticanvas.library import vision
from mysticanvas.server.services import Services
from mysticanvas.server.wire import TaggerIn, VisionIn, reply


def routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/api/vision", tags=["tags"])
    database = services.database

    @router.get("")
    def chosen() -> Response:
        return reply({"tagger": database.read(vision.wishes)})

    @router.post("/tagger")
    def choose(asked: TaggerIn) -> Response:
        """No folder: no tagger any more; what it said stays."""
        if asked.folder is None:
            vision.forget(database, now_ms=now_ms())
            return reply({"tagger": None})
        tagger = vision.choose(
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
        images = services.snapshots.open(asked.q).ids.tolist()
        return reply({"queued": vision.start(database, images, again=asked.again, now_ms=now_ms())})

    return router
