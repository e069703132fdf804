"""Library folders: state, scans and missing files."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from mysticanvas.db.database import Database
from mysticanvas.db.images import failures, generations
from mysticanvas.db.images import folders as image_folders
from mysticanvas.db.images import missing as image_missing
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.file import Failure
from mysticanvas.domain.task import Executor
from mysticanvas.edits.runner import EditRunner
from mysticanvas.features.folders import excludes, schemas, service
from mysticanvas.features.folders.excludes import ExcludePreview
from mysticanvas.features.folders.schemas import (
    ExcludesChanged,
    ExcludesRequest,
    FileLocated,
    FilesForgotten,
    Folder,
    FolderAdded,
    FolderList,
    FolderRemoved,
    FolderRequest,
    ForgetRequest,
    LocateRequest,
    MissingFilePage,
    ScanRequest,
    UntrackedFiles,
)
from mysticanvas.features.importing.schemas import EXAMPLE_STARTED, ImportStarted
from mysticanvas.features.importing.service import ImportService
from mysticanvas.fs.watcher import FolderWatcher
from mysticanvas.http.responses import link_location, link_next, reply, returns, split_page
from mysticanvas.http.schemas import Index

UNTRACKED_SHOWN = 500


def routes(
    database: Database, workers: Executor, importing: ImportService, edits: EditRunner, watcher: FolderWatcher
) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.get("/folders", operation_id="folders.list", responses=returns(FolderList, schemas.EXAMPLE_FOLDERS))
    def list_folders() -> Response:
        """List library folders, and former ones."""
        return reply(FolderList(service.list_states(database, watcher), database.read(image_folders.list_removed)))

    @router.post(
        "/folders",
        operation_id="folders.add",
        responses=returns(FolderAdded, schemas.EXAMPLE_ADDED, status=201)
        | returns(FolderAdded, schemas.EXAMPLE_ADDED, description="The path is already in a library folder."),
    )
    def add(asked: FolderRequest) -> Response:
        """Add a folder to the library and import its images. Its files are never changed. Adding a former folder again
        restores it. To import several folders, or to see what an import would change, use `POST /api/v1/imports`."""
        folder_id, scan, is_new = service.add(database, importing, asked.path, watch=asked.watch)
        folder = service.get_state(database, watcher, folder_id)
        return reply(FolderAdded(folder, scan), 201 if is_new else 200, link_location(f"/folders/{folder_id}"))

    @router.get("/folders/{folder_id}", operation_id="folders.get", responses=returns(Folder, schemas.EXAMPLE_FOLDER))
    def show(folder_id: Index) -> Response:
        """One library folder."""
        return reply(service.get_state(database, watcher, folder_id))

    @router.post(
        "/folders/{folder_id}:scan",
        operation_id="folders.scan",
        responses=returns(ImportStarted, EXAMPLE_STARTED, status=202),
    )
    def scan(folder_id: Index, asked: ScanRequest) -> Response:
        """Start a scan of a folder for new, changed, moved and missing files. `GET /api/v1/imports/{id}` has the
        progress."""
        folder = database.read(image_folders.find_folder, folder_id)
        started = ImportStarted(importing.rescan(folder, accept=asked.accept, dry_run=asked.dry_run))
        return reply(started, 202, link_location(f"/imports/{started.id}"))

    @router.delete(
        "/folders/{folder_id}",
        operation_id="folders.remove",
        responses=returns(FolderRemoved, FolderRemoved("/home/you/ComfyUI/output")),
    )
    def remove(folder_id: Index) -> Response:
        """Remove a folder from the library. Its files are not changed, and its images stay in the library."""
        return reply(FolderRemoved(service.remove(database, importing, folder_id, now_ms=now_ms()).path))

    @router.get(
        "/folders/{folder_id}/untracked",
        operation_id="folders.listUntracked",
        responses=returns(UntrackedFiles, schemas.EXAMPLE_UNTRACKED),
    )
    def list_untracked(folder_id: Index) -> Response:
        """List files that could not be imported, with the reason."""
        found = database.read(failures.list_failures, folder_id, limit=UNTRACKED_SHOWN)
        return reply(UntrackedFiles([Failure(path.decode("utf-8", "replace"), why) for path, why in found]))

    _add_missing(router, database, workers, edits)
    _add_excludes(router, database, importing, edits)
    return router


def _add_excludes(router: APIRouter, database: Database, importing: ImportService, edits: EditRunner) -> None:

    @router.post(
        "/folders/{folder_id}/excludes:preview",
        operation_id="folders.previewExcludes",
        responses=returns(ExcludePreview, schemas.EXAMPLE_PREVIEW),
    )
    def preview_excludes(folder_id: Index, asked: ExcludesRequest) -> Response:
        """Preview the exclude patterns of a folder without applying them."""
        return reply(excludes.preview(database, folder_id, asked.patterns))

    @router.put(
        "/folders/{folder_id}/excludes",
        operation_id="folders.setExcludes",
        responses=returns(ExcludesChanged, schemas.EXAMPLE_EXCLUDES),
    )
    def set_excludes(folder_id: Index, asked: ExcludesRequest) -> Response:
        """Replace the exclude patterns of a folder. Images whose files are all excluded are hidden. They keep their
        ratings, tags and notes, and no file is changed. Then the folder is scanned for files that are no longer
        excluded."""
        done = excludes.set_patterns(database, edits, folder_id, asked.patterns)
        if done is None:
            return reply(ExcludesChanged(None, None, 0))
        folder = database.read(image_folders.find_folder, folder_id)
        return reply(ExcludesChanged(done.edit, importing.rescan(folder), done.kept))


def _add_missing(router: APIRouter, database: Database, workers: Executor, edits: EditRunner) -> None:

    @router.get(
        "/folders/{folder_id}/missing",
        operation_id="folders.listMissing",
        responses=returns(MissingFilePage, schemas.EXAMPLE_MISSING),
    )
    def list_missing(
        request: Request, folder_id: Index, after: Index = 0, limit: Annotated[int, Query(ge=1, le=1_000)] = 100
    ) -> Response:
        """List missing files of a folder. To get the next page, pass `next` from the response as `after`."""
        found = database.read(image_missing.list_missing, folder_id, after=after, limit=limit + 1)
        page = MissingFilePage(*split_page(found, limit, lambda one: one.id))
        return reply(page, headers=link_next(request, after=page.next))

    @router.post(
        "/missing-files/{file_id}:locate",
        operation_id="missingFiles.locate",
        responses=returns(FileLocated, schemas.EXAMPLE_LOCATED),
    )
    def locate(file_id: Index, asked: LocateRequest) -> Response:
        """Set the new path of a missing file. The file must be in a library folder and have the same content."""
        known = service.locate(database, workers, file_id, asked.path, now_ms=now_ms())
        return reply(FileLocated(database.read(generations.get_uuid, known.generation_id)))

    @router.post(
        "/missing-files:forget",
        operation_id="missingFiles.forget",
        responses=returns(FilesForgotten, schemas.EXAMPLE_FORGOTTEN),
    )
    def forget(asked: ForgetRequest) -> Response:
        """Remove missing files from the library. Images without another file are moved to Trash."""
        if (asked.files is None) == (asked.folder is None):
            raise InvalidInputError("Provide either `files` or `folder`.")
        file_ids = (
            asked.files if asked.files is not None else database.read(image_missing.list_missing_ids, asked.folder or 0)
        )
        return reply(service.forget(database, edits, file_ids, now_ms=now_ms()))
