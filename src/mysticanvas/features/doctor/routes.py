"""Checks, repairs and the support bundle."""

from fastapi import APIRouter, Response

from mysticanvas.db.database import Database
from mysticanvas.domain.clock import now_ms
from mysticanvas.features import repairs
from mysticanvas.features.doctor import repair, support_bundle
from mysticanvas.fs.thumbnail_cache import ThumbCache
from mysticanvas.http.schemas import reply


def routes(database: Database, cache: ThumbCache) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.get("/doctor", operation_id="doctor.check")
    def run_checks() -> Response:
        """Run all checks. `ok` is whether every check passed, and `lost` are the names of failed checks that no repair
        can help: restore a backup, or rebuild the library."""
        found = repairs.run_checks(database)
        lost = [check.name for check in repairs.list_lost(found)]
        return reply({"ok": all(check.ok for check in found), "checks": found, "lost": lost})

    @router.get("/doctor/bundle", operation_id="doctor.getSupportBundle")
    def bundle() -> Response:
        """The files of the support bundle: text by file name. Safe to share."""
        return reply({"files": support_bundle.build_bundle(database)})

    @router.get("/doctor/repairs", operation_id="doctor.listRepairs")
    def find_repairs() -> Response:
        """List the repairs that `POST` would run, without changing anything."""
        return reply({"mended": repair.find_repairs(database, cache)})

    @router.post("/doctor/repairs", operation_id="doctor.repair")
    def run_repairs() -> Response:
        """Run all repairs that the failed checks need."""
        return reply({"mended": repair.run_repairs(database, cache, now_ms=now_ms())})

    return router
