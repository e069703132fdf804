"""Routes for imports, reparsing, and the library status that every page shows."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from mysticanvas import __version__
from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.db.images import folders, generations
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.importing import reparse as import_reparse
from mysticanvas.features.importing.service import ImportService
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import MAX_QUERY, PathText
from mysticanvas.jobs.progress import JobProgress
from mysticanvas.search.snapshots import Snapshots

# Default output folders of generators, relative to the home folder.
_DEFAULT_FOLDERS = (
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


NOTICE_MS = 7 * 86_400_000


class ImportIn(BaseModel):
    paths: list[PathText] = Field(min_length=1, max_length=100)
    dry_run: bool = False
    watch: bool = True


class ReparseIn(BaseModel):
    """`q`: a search. If empty, it selects all images, including those in Trash. `all`: include images that the current
    parsers have already parsed."""

    q: str = Field("", max_length=MAX_QUERY)
    everything: bool = Field(False, alias="all")


def routes(database: Database, snapshots: Snapshots, importing: ImportService, progress: JobProgress) -> APIRouter:
    router = APIRouter(tags=["library"])
    _add_status(router, database, importing, progress)
    _add_imports(router, database, snapshots, importing)
    return router


def _add_status(router: APIRouter, database: Database, importing: ImportService, progress: JobProgress) -> None:

    @router.get("/status", operation_id="library.getStatus")
    def status() -> Response:
        states = progress.counts(database)
        current = importing.current()
        watched = database.read(folders.list_states)
        notice = database.read(event_log.find_notice, since_ms=now_ms() - NOTICE_MS)
        return reply(
            {
                "app_version": __version__,
                "total": database.read(generations.count_images),
                "roots": watched,
                "import": asdict(current) if current else None,
                "jobs": {name: sum(getattr(s, name) for s in states) for name in ("waiting", "running", "failed")},
                "first_run": not watched,
                "trouble": database.problems.current,
                "notice": {"id": notice.id, "sentence": notice.data["why"]} if notice is not None else None,
            }
        )


def _add_imports(router: APIRouter, database: Database, snapshots: Snapshots, importing: ImportService) -> None:

    @router.post("/imports", operation_id="imports.start")
    def start_import(asked: ImportIn) -> Response:
        return reply({"id": importing.start(asked.paths, dry_run=asked.dry_run, watch=asked.watch)})

    @router.get("/imports/{import_id}", operation_id="imports.get")
    async def wait_for_import(import_id: str, wait: Annotated[float, Query(ge=0, le=25)] = 0) -> Response:
        report = await run_in_threadpool(importing.report, import_id, wait_s=wait)
        return reply({"progress": importing.progress(import_id), "report": report})

    @router.post("/imports/{import_id}:cancel", operation_id="imports.cancel")
    def cancel_import(import_id: str) -> Response:
        importing.cancel(import_id)
        return Response(status_code=204)

    @router.post("/images:reparse", operation_id="images.reparse")
    def reparse(asked: ReparseIn) -> Response:
        images = snapshots.open(asked.q).ids.tolist() if asked.q.strip() else None
        return reply(import_reparse.start(database, images, everything=asked.everything, now_ms=now_ms()))

    @router.get("/folders/suggestions", operation_id="folders.listSuggestions")
    def suggestions() -> Response:
        home = os.path.expanduser("~")
        found = [(Path(home, folder), label) for folder, label in _DEFAULT_FOLDERS] if home != "~" else []
        return reply({"folders": [{"path": str(path), "label": label} for path, label in found if path.is_dir()]})
