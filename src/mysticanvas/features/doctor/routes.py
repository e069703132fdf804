"""Checks and repairs: the library as a thing to look after."""

from fastapi import APIRouter, Response

from mysticanvas.db import checks
from mysticanvas.db.database import Database
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.doctor import repair, support_bundle
from mysticanvas.http.schemas import reply
from mysticanvas.imaging.thumbnail_cache import ThumbCache


def routes(database: Database, cache: ThumbCache) -> APIRouter:
    router = APIRouter(prefix="/api/doctor", tags=["library"])

    @router.get("")
    def doctor() -> Response:
        found = checks.run_all(database)
        return reply({"ok": all(check.ok for check in found), "checks": found})

    @router.get("/bundle")
    def bundle() -> Response:
        """Texts by file name that may be shown to others."""
        return reply({"files": support_bundle.bundle(database)})

    @router.get("/fix")
    def what_can_be_mended() -> Response:
        return reply({"mended": repair.look(database, cache)})

    @router.post("/fix")
    def mend() -> Response:
        return reply({"mended": repair.mend(database, cache, now_ms=now_ms())})

    return router
