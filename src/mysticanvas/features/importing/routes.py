"""Routes for imports, reparsing, and the library status that every page shows."""

import os
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool

from mysticanvas import __version__
from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.db.images import folders, generations
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.importing import reparse as import_reparse
from mysticanvas.features.importing.reparse import ReparseQueued
from mysticanvas.features.importing.schemas import (
    EXAMPLE_IMPORT,
    EXAMPLE_STARTED,
    EXAMPLE_STATUS,
    EXAMPLE_SUGGESTIONS,
    FolderSuggestion,
    FolderSuggestions,
    ImportRequest,
    ImportStarted,
    ImportStatus,
    JobCounts,
    LibraryStatus,
    Notice,
    ReparseRequest,
)
from mysticanvas.features.importing.service import ImportService
from mysticanvas.http.responses import link_location, reply, returns, returns_nothing
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


def routes(database: Database, snapshots: Snapshots, importing: ImportService, progress: JobProgress) -> APIRouter:
    router = APIRouter(tags=["library"])
    _add_status(router, database, importing, progress)
    _add_imports(router, database, snapshots, importing)
    return router


def _add_status(router: APIRouter, database: Database, importing: ImportService, progress: JobProgress) -> None:

    @router.get("/status", operation_id="library.getStatus", responses=returns(LibraryStatus, EXAMPLE_STATUS))
    def get_status() -> Response:
        """The library at a glance: images, folders, the current import, jobs and warnings."""
        return reply(_get_status(database, importing, progress))


def _get_status(database: Database, importing: ImportService, progress: JobProgress) -> LibraryStatus:
    states = progress.counts(database)
    watched = database.read(folders.list_states)
    notice = database.read(event_log.find_notice, since_ms=now_ms() - NOTICE_MS)
    return LibraryStatus(
        app_version=__version__,
        total=database.read(generations.count_images),
        folders=watched,
        current_import=importing.current(),
        jobs=JobCounts(*(sum(getattr(one, name) for one in states) for name in ("waiting", "running", "failed"))),
        first_run=not watched,
        error=database.problems.current,
        notice=Notice(notice.id, notice.data["why"]) if notice is not None else None,
    )


def _add_imports(router: APIRouter, database: Database, snapshots: Snapshots, importing: ImportService) -> None:

    @router.post(
        "/imports",
        operation_id="imports.start",
        responses=returns(ImportStarted, EXAMPLE_STARTED, status=202),
    )
    def start_import(asked: ImportRequest) -> Response:
        """Start an import of folders. Files are never changed. A dry run counts what an import would change."""
        started = ImportStarted(importing.start(asked.paths, dry_run=asked.dry_run, watch=asked.watch))
        return reply(started, 202, link_location(f"/imports/{started.id}"))

    @router.get("/imports/{import_id}", operation_id="imports.get", responses=returns(ImportStatus, EXAMPLE_IMPORT))
    async def wait_for_import(import_id: str, wait: Annotated[float, Query(ge=0, le=25)] = 0) -> Response:
        """The progress of an import or a scan, and its report when it has ended. Waits up to `wait` seconds for it to
        end."""
        report = await run_in_threadpool(importing.report, import_id, wait_s=wait)
        return reply(ImportStatus(importing.progress(import_id), report))

    @router.post("/imports/{import_id}:cancel", operation_id="imports.cancel", responses=returns_nothing())
    def cancel_import(import_id: str) -> Response:
        """Cancel an import or a scan. Images that are already imported stay; the next import continues with the
        rest."""
        importing.cancel(import_id)
        return Response(status_code=204)

    @router.post(
        "/images:reparse",
        operation_id="images.reparse",
        responses=returns(ReparseQueued, ReparseQueued(images=1_200, jobs=48), status=202),
    )
    def reparse(asked: ReparseRequest) -> Response:
        """Parse the stored metadata of images again with the current parsers. Ratings, tags and notes stay."""
        images = snapshots.open(asked.q).ids.tolist() if asked.q.strip() else None
        queued = import_reparse.start(database, images, everything=asked.everything, now_ms=now_ms())
        return reply(queued, 202, link_location("/jobs?kind=reparse"))

    @router.get(
        "/folders/suggestions",
        operation_id="folders.listSuggestions",
        responses=returns(FolderSuggestions, EXAMPLE_SUGGESTIONS),
    )
    def list_suggestions() -> Response:
        """List the folders on this machine where programs write images by default."""
        home = os.path.expanduser("~")
        found = [(Path(home, folder), label) for folder, label in _DEFAULT_FOLDERS] if home != "~" else []
        return reply(FolderSuggestions([FolderSuggestion(str(path), label) for path, label in found if path.is_dir()]))
