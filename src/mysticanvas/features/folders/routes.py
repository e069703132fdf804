"""Library folders: state, scans and missing files."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database
from mysticanvas.db.images import failures, generations
from mysticanvas.db.images import folders as image_folders
from mysticanvas.db.images import missing as image_missing
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.task import Executor
from mysticanvas.edits.replies import to_wire
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EditState
from mysticanvas.features.folders import excludes, service
from mysticanvas.features.importing.service import ImportService
from mysticanvas.fs.exclusions import MAX_PATTERN_LENGTH, MAX_PATTERNS
from mysticanvas.fs.watcher import FolderWatcher
from mysticanvas.http.schemas import Index, Int64, PathText, reply

UNTRACKED_SHOWN = 500


class LocateIn(BaseModel):
    """The absolute path of the file."""

    path: str = Field(min_length=1, max_length=4_000)


class ForgetIn(BaseModel):
    """IDs of missing files, or a folder for all of its missing files."""

    files: list[Index] | None = Field(None, max_length=10_000)
    root: Index | None = None


class ScanIn(BaseModel):
    """`accept`: mark all files that are not found as missing, even if there are many."""

    accept: bool = False
    dry_run: bool = False


Pattern = Annotated[str, Field(max_length=MAX_PATTERN_LENGTH)]


class ExcludesIn(BaseModel):
    """All exclude patterns of the folder, in the syntax of .gitignore and relative to the folder."""

    patterns: list[Pattern] = Field(max_length=MAX_PATTERNS)


class ExcludePreviewOut(BaseModel):
    """`hide`: the number of images that would be hidden, with some of their paths in `examples`. `show`: the number of
    excluded images that would be shown again. `kept`: the number of images with an excluded file that stay visible.
    `patterns`: the patterns without empty lines and duplicates."""

    patterns: list[Pattern]
    hide: Int64
    show: Int64
    kept: Int64
    examples: list[PathText]


class EditOut(BaseModel):
    """An edit. `trouble` is the reason why it was rejected, or null."""

    operation: Int64
    changed: Int64
    total: Int64
    state: EditState
    error: Annotated[str, Field(max_length=10_000)] | None = Field(alias="trouble")


class ExcludedOut(BaseModel):
    """`edit` hides and shows images, and can be undone; null if nothing changed. `scan` is the ID of the import that
    then scans the folder. `kept` counts the images that stay visible because another file of theirs is not excluded."""

    edit: EditOut | None
    scan: Annotated[str, Field(max_length=36)] | None
    kept: Int64


def routes(
    database: Database, workers: Executor, importing: ImportService, edits: EditRunner, watcher: FolderWatcher
) -> APIRouter:
    router = APIRouter(prefix="/api/roots", tags=["library"])

    @router.get("")
    def list_folders() -> Response:
        """List library folders. `removed` are former folders; adding one again restores it."""
        return reply(
            {
                "roots": service.list_states(database, watcher),
                "removed": database.read(image_folders.list_removed),
            }
        )

    @router.post("/{root_id}/scan")
    def scan(root_id: Int64, asked: ScanIn) -> Response:
        root = database.read(image_folders.find_folder, root_id)
        return reply({"id": importing.rescan(root, accept=asked.accept, dry_run=asked.dry_run)})

    @router.post("/{root_id}/remove")
    def remove(root_id: Index) -> Response:
        return reply({"path": service.remove(database, importing, root_id, now_ms=now_ms()).path})

    @router.get("/{root_id}/untracked")
    def untracked(root_id: Index) -> Response:
        """List files that could not be imported, with the reason."""
        found = database.read(failures.list_failures, root_id, limit=UNTRACKED_SHOWN)
        return reply({"files": [{"path": path.decode("utf-8", "replace"), "reason": why} for path, why in found]})

    @router.get("/{root_id}/missing")
    def missing(root_id: Index, after: Index = 0, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> Response:
        """List missing files. Pass `next` as `after` to get the next page; it is null on the last page."""
        found = database.read(image_missing.list_missing, root_id, after=after, limit=limit)
        return reply({"files": found, "next": found[-1].id if len(found) == limit else None})

    _add_missing(router, database, workers, edits)
    _add_excludes(router, database, importing, edits)
    return router


def _add_excludes(router: APIRouter, database: Database, importing: ImportService, edits: EditRunner) -> None:

    @router.post("/{root_id}/excludes/preview", response_model=ExcludePreviewOut)
    def preview_excludes(root_id: Index, asked: ExcludesIn) -> Response:
        """Preview the exclude patterns of a folder without applying them."""
        return reply(excludes.preview(database, root_id, asked.patterns))

    @router.post("/{root_id}/excludes", response_model=ExcludedOut)
    def set_excludes(root_id: Index, asked: ExcludesIn) -> Response:
        """Replace the exclude patterns of a folder. Images whose files are all excluded are hidden. They keep their
        ratings, tags and notes, and no file is changed. Then the folder is scanned for files that are no longer
        excluded."""
        done = excludes.set_patterns(database, edits, root_id, asked.patterns)
        if done is None:
            return reply({"edit": None, "scan": None, "kept": 0})
        root = database.read(image_folders.find_folder, root_id)
        return reply({"edit": to_wire(done.edit), "scan": importing.rescan(root), "kept": done.kept})


def _add_missing(router: APIRouter, database: Database, workers: Executor, edits: EditRunner) -> None:

    @router.post("/missing/{file_id}/locate")
    def locate(file_id: Index, asked: LocateIn) -> Response:
        known = service.locate(database, workers, file_id, asked.path, now_ms=now_ms())
        return reply({"uuid": database.read(generations.get_uuid, known.generation_id)})

    @router.post("/missing/forget")
    def forget(asked: ForgetIn) -> Response:
        """Remove missing files from the library. Images without another file are moved to Trash by the edit that
        `edit` describes; it is null if there are no such images."""
        if (asked.files is None) == (asked.root is None):
            raise InvalidInputError("Provide either `files` or `root`.")
        file_ids = (
            asked.files if asked.files is not None else database.read(image_missing.list_missing_ids, asked.root or 0)
        )
        done = service.forget(database, edits, file_ids, now_ms=now_ms())
        return reply({"places": done.places, "edit": None if done.edit is None else to_wire(done.edit)})
