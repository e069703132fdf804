"""The Trash over HTTP. `POST /api/v1/edits` moves images to it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from mysticanvas.db import settings_store
from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits import log as edit_log
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EXAMPLE_RESULT, EditResult
from mysticanvas.features.trash import purge as trash_purge
from mysticanvas.features.trash import queries, schemas, service
from mysticanvas.features.trash.edits import RestoreFromTrash
from mysticanvas.features.trash.schemas import PurgeResult, TrashPage, TrashSettings
from mysticanvas.http.responses import link_next, reply, returns, split_page
from mysticanvas.http.schemas import Int64
from mysticanvas.search.snapshots import Snapshots

MAX_RESTORED = 10_000_000


def routes(database: Database, snapshots: Snapshots, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["trash"])

    @router.get("/trash", operation_id="trash.list", responses=returns(TrashPage, schemas.EXAMPLE_PAGE))
    def list_trash(
        request: Request, after: Int64 | None = None, limit: Annotated[int, Query(ge=1, le=1_000)] = 200
    ) -> Response:
        """List images in the Trash. To get the next page, pass `next` from the response as `after`."""
        page = database.read(_load_page, after, limit)
        return reply(page, headers=link_next(request, after=page.next))

    @router.post("/trash:restore", operation_id="trash.restore", responses=returns(EditResult, EXAMPLE_RESULT))
    def restore(asked: schemas.TrashSelectionRequest) -> Response:
        """Restore images from the Trash."""
        images = _list_images(database, snapshots, asked, MAX_RESTORED)
        return reply(edits.do(RestoreFromTrash(), images))

    @router.post("/trash:purge", operation_id="trash.purge", responses=returns(PurgeResult, schemas.EXAMPLE_PURGE))
    def purge(asked: schemas.PurgeRequest) -> Response:
        """Delete images in the Trash permanently. This cannot be undone."""
        images = _list_images(database, snapshots, asked, trash_purge.MAX_IMAGES)
        if asked.dry_run:
            done = trash_purge.check_purge(database, images)
        else:
            done = trash_purge.purge(database, images, asked.how, now_ms=now_ms)
        return reply(PurgeResult(**asdict(done), left=database.read(queries.get_totals)[0]))

    @router.patch(
        "/trash/settings",
        operation_id="trash.updateSettings",
        responses=returns(TrashSettings, schemas.EXAMPLE_SETTINGS),
    )
    def set_settings(asked: schemas.TrashSettingsRequest) -> Response:
        """Change the retention period, or what cannot be moved to Trash."""
        if asked.days is not None:
            database.write(settings_store.put, service.RETENTION_DAYS_KEY, asked.days)
        if asked.locked is not None:
            database.write(settings_store.put, service.PROTECTED_KEY, asked.locked)
        return reply(database.read(_load_settings))

    return router


def _load_page(tx: ReadTx, after: int | None, limit: int) -> TrashPage:
    images, size = queries.get_totals(tx)
    found = queries.list_trash(tx, after=after, limit=limit + 1)
    settings = _load_settings(tx)
    return TrashPage(images, size, settings.days, settings.locked, *split_page(found, limit, lambda one: one.id))


def _load_settings(tx: ReadTx) -> TrashSettings:
    return TrashSettings(service.get_retention_days(tx), service.list_protected(tx))


def _list_images(
    database: Database, snapshots: Snapshots, asked: schemas.TrashSelectionRequest, limit: int
) -> Sequence[GenerationId]:
    if sum(given is not None for given in (asked.uuids, asked.which, asked.snapshot)) != 1:
        raise InvalidInputError("Set exactly one of `uuids`, `which` and `snapshot`.")
    if asked.uuids is not None:
        return database.read(queries.filter_trashed, database.read(edit_log.find_images, asked.uuids))
    if asked.snapshot is not None:
        picked = snapshots.select_images(snapshots.get(asked.snapshot), asked.ranges, asked.excluded)
        return database.read(queries.filter_trashed, picked)
    return database.read(queries.list_ids, before_ms=now_ms() if asked.which == "expired" else None, limit=limit)
