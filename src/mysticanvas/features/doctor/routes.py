"""Checks, repairs and the support bundle."""

from dataclasses import dataclass

from fastapi import APIRouter, Response

from mysticanvas.db.database import Database
from mysticanvas.db.page_damage import Check
from mysticanvas.domain.clock import now_ms
from mysticanvas.features import repairs
from mysticanvas.features.doctor import repair, support_bundle
from mysticanvas.features.doctor.repair import RepairEntry
from mysticanvas.fs.thumbnail_cache import ThumbCache
from mysticanvas.http.responses import reply, returns


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """`ok`: every check passed. `lost` are the names of failed checks that no repair can help: restore a backup, or
    rebuild the library."""

    ok: bool
    checks: list[Check]
    lost: list[str]


@dataclass(frozen=True, slots=True)
class SupportBundle:
    """The text of each file, by file name."""

    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class RepairList:
    """The repairs that were run, or would be run."""

    repairs: list[RepairEntry]


EXAMPLE_REPORT = DoctorReport(True, [Check("word index", True, "12,480 images")], [])
EXAMPLE_BUNDLE = SupportBundle({"about.json": '{"mysticanvas": "0.1.0"}'})
EXAMPLE_REPAIRS = RepairList([RepairEntry("word index", "rebuild the word index")])


def routes(database: Database, cache: ThumbCache) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.get("/doctor", operation_id="doctor.check", responses=returns(DoctorReport, EXAMPLE_REPORT))
    def run_checks() -> Response:
        """Run all checks."""
        found = repairs.run_checks(database)
        lost = [check.name for check in repairs.list_lost(found)]
        return reply(DoctorReport(all(check.ok for check in found), found, lost))

    @router.get(
        "/doctor/bundle", operation_id="doctor.getSupportBundle", responses=returns(SupportBundle, EXAMPLE_BUNDLE)
    )
    def bundle() -> Response:
        """The files of the support bundle: text by file name. Safe to share."""
        return reply(SupportBundle(support_bundle.build_bundle(database)))

    @router.get("/doctor/repairs", operation_id="doctor.listRepairs", responses=returns(RepairList, EXAMPLE_REPAIRS))
    def find_repairs() -> Response:
        """List the repairs that `POST` would run, without changing anything."""
        return reply(RepairList(repair.find_repairs(database, cache)))

    @router.post("/doctor/repairs", operation_id="doctor.repair", responses=returns(RepairList, EXAMPLE_REPAIRS))
    def run_repairs() -> Response:
        """Run all repairs that the failed checks need."""
        return reply(RepairList(repair.run_repairs(database, cache, now_ms=now_ms())))

    return router
