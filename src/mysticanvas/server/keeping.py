"""Imports, jobs, the log, checks and backups: the library as a thing to look after."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool

from mysticanvas import __version__
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.job import JobKind
from mysticanvas.library import reparsing, sha256
from mysticanvas.server.services import Services
from mysticanvas.server.wire import ImportIn, JobsIn, ReparseIn, reply
from mysticanvas.store import backup, checks, events, generations, job_lists, jobs, roots

FAILED_SHOWN = 200
# Where generators put their images when nobody tells them otherwise, beneath the home folder.
_USUAL = (
    ("ComfyUI/output", "ComfyUI"),
    ("ComfyUI_windows_portable/ComfyUI/output", "ComfyUI"),
    ("Documents/ComfyUI/output", "ComfyUI"),
    ("stable-diffusion-webui/outputs", "Stable Diffusion WebUI"),
    ("stable-diffusion-webui-forge/outputs", "Forge"),
    ("invokeai/outputs/images", "InvokeAI"),
    ("InvokeAI/outputs/images", "InvokeAI"),
    ("Fooocus/outputs", "Fooocus"),
    ("SwarmUI/Output", "SwarmUI"),
    ("StabilityMatrix/Images", "Stability Matrix"),
)


def routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["library"])
    database, importing = services.database, services.importing

    @router.get("/status")
    def status() -> Response:
        states = database.read(job_lists.states)
        current = importing.current()
        watched = database.read(roots.states)
        return reply(
            {
                "app_version": __version__,
                "total": database.read(generations.total),
                "roots": watched,
                "import": asdict(current) if current else None,
                "jobs": {name: sum(getattr(s, name) for s in states) for name in ("waiting", "running", "failed")},
                "first_run": not watched,
                "trouble": database.trouble,
            }
        )

    @router.post("/imports")
    def start_import(asked: ImportIn) -> Response:
        return reply({"id": importing.start(asked.paths, dry_run=asked.dry_run, watch=asked.watch)})

    @router.get("/imports/{import_id}")
    async def follow_import(import_id: str, wait: Annotated[float, Query(ge=0, le=25)] = 0) -> Response:
        report = await run_in_threadpool(importing.report, import_id, wait_s=wait)
        return reply({"progress": importing.progress(import_id), "report": report})

    @router.post("/imports/{import_id}/cancel")
    def cancel_import(import_id: str) -> Response:
        importing.cancel(import_id)
        return Response(status_code=204)

    @router.post("/reparse")
    def reparse(asked: ReparseIn) -> Response:
        images = services.snapshots.open(asked.q).ids.tolist() if asked.q.strip() else None
        return reply(reparsing.start(database, images, everything=asked.everything, now_ms=now_ms()))

    @router.get("/suggestions")
    def suggestions() -> Response:
        found = [(Path.home() / folder, label) for folder, label in _USUAL]
        return reply({"folders": [{"path": str(path), "label": label} for path, label in found if path.is_dir()]})

    @router.get("/jobs")
    def list_jobs() -> Response:
        return reply(
            {
                "kinds": database.read(job_lists.states),
                "failed": database.read(job_lists.failed, limit=FAILED_SHOWN),
                "paused": database.read(jobs.paused),
                "sha256": database.read(sha256.wanted),
            }
        )

    @router.post("/jobs/{deed}")
    def steer_jobs(
        deed: Literal["retry", "discard", "cancel", "pause", "resume", "start", "stop"], asked: JobsIn
    ) -> Response:
        return reply({"changed": _steer(services, deed, asked)})

    @router.get("/log")
    def log(
        before: int | None = None,
        level: str | None = None,
        kind: str | None = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    ) -> Response:
        return reply({"events": database.read(events.newest, before=before, level=level, kind=kind, limit=limit)})

    @router.get("/doctor")
    def doctor() -> Response:
        found = checks.run_all(database)
        return reply({"ok": all(check.ok for check in found), "checks": found})

    @router.post("/backups")
    def back_up() -> Response:
        return reply(database.back_up())

    @router.get("/backups")
    def backups() -> Response:
        return reply({"backups": backup.listed(database.backups)})

    return router


def _steer(services: Services, deed: str, asked: JobsIn) -> int:
    database = services.database
    if deed in ("start", "stop"):
        if asked.kind != JobKind.SHA256:
            raise InvalidInputError("Only sha256 is started and stopped; everything else is always on.")
        if deed == "start":
            return sha256.start(database, now_ms=now_ms)
        return database.write(sha256.stop, now_ms=now_ms())
    if deed in ("pause", "resume"):
        kinds = [JobKind(asked.kind)] if asked.kind in list(JobKind) else [] if asked.kind else list(JobKind)
        if not kinds:
            raise InvalidInputError(f"There is no kind of work called “{asked.kind}”.")
        for kind in kinds:
            database.write(jobs.set_paused, kind=kind, value=deed == "pause")
        return len(kinds)
    if deed == "retry":
        return database.write(job_lists.retry, ids=asked.ids, kind=asked.kind, now_ms=now_ms())
    if deed == "discard":
        return database.write(job_lists.discard, ids=asked.ids, kind=asked.kind)
    return database.write(job_lists.cancel, ids=asked.ids, kind=asked.kind, now_ms=now_ms())
