"""The Trash over HTTP. `POST /api/v1/edits` moves images to it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from mysticanvas.db import settings_store
from mysticanvas.db.database import Database
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits import log as edit_log
from mysticanvas.edits.runner import EditRunner
from mysticanvas.features.trash import purge as trash_purge
from mysticanvas.features.trash import queries, service
from mysticanvas.features.trash.edits import RestoreFromTrash
from mysticanvas.fs.trash import DiscardMethod
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import Int64, SelectionRequest
from mysticanvas.search.snapshots import Snapshots

MAX_RESTORED = 10_000_000


class TrashedIn(SelectionRequest):
    """Images in the Trash: selected by UUID, all of them, those whose retention period has ended, or a selection from a
    snapshot. Images that are not in the Trash are ignored."""

    snapshot: str | None = Field(None, max_length=64)
    uuids: list[Annotated[str, Field(max_length=36)]] | None = Field(None, max_length=10_000)
    which: Literal["all", "expired"] | None = None


class PurgeIn(TrashedIn):
    """One request deletes at most 1,000 images; repeat it for the rest."""

    how: DiscardMethod = DiscardMethod.SYSTEM_TRASH
    dry_run: bool = False


class TrashSettingsIn(BaseModel):
    """`days` is the retention period of images that are moved to Trash after this change."""

    days: int | None = Field(None, ge=1, le=3_650)
    locked: list[Literal["favorites", "collected"]] | None = None


def routes(database: Database, snapshots: Snapshots, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["trash"])

    @router.get("/trash", operation_id="trash.list")
    def list_trash(after: Int64 | None = None, limit: Annotated[int, Query(ge=1, le=1_000)] = 200) -> Response:
        images, size = database.read(queries.get_totals)
        found = database.read(queries.list_trash, after=after, limit=limit)
        return reply(
            {
                "images": images,
                "bytes": size,
                "days": database.read(service.get_retention_days),
                "locked": database.read(service.list_protected),
                "items": found,
                "next": found[-1].id if len(found) == limit else None,
            }
        )

    @router.post("/trash:restore", operation_id="trash.restore")
    def restore(asked: TrashedIn) -> Response:
        images = _list_images(database, snapshots, asked, MAX_RESTORED)
        return reply(edits.do(RestoreFromTrash(), images))

    @router.post("/trash:purge", operation_id="trash.purge")
    def purge(asked: PurgeIn) -> Response:
        images = _list_images(database, snapshots, asked, trash_purge.MAX_IMAGES)
        if asked.dry_run:
            done = trash_purge.check_purge(database, images)
        else:
            done = trash_purge.purge(database, images, asked.how, now_ms=now_ms)
        return reply(asdict(done) | {"left": database.read(queries.get_totals)[0]})

    @router.patch("/trash/settings", operation_id="trash.updateSettings")
    def set_settings(asked: TrashSettingsIn) -> Response:
        if asked.days is not None:
            database.write(settings_store.put, service.RETENTION_DAYS_KEY, asked.days)
        if asked.locked is not None:
            database.write(settings_store.put, service.PROTECTED_KEY, asked.locked)
        return reply(
            {"days": database.read(service.get_retention_days), "locked": database.read(service.list_protected)}
        )

    return router


def _list_images(database: Database, snapshots: Snapshots, asked: TrashedIn, limit: int) -> Sequence[GenerationId]:
    if sum(given is not None for given in (asked.uuids, asked.which, asked.snapshot)) != 1:
        raise InvalidInputError("Set exactly one of `uuids`, `which` and `snapshot`.")
    if asked.uuids is not None:
        return database.read(queries.filter_trashed, database.read(edit_log.find_images, asked.uuids))
    if asked.snapshot is not None:
        picked = snapshots.select_images(snapshots.get(asked.snapshot), asked.ranges, asked.excluded)
        return database.read(queries.filter_trashed, picked)
    return database.read(queries.list_ids, before_ms=now_ms() if asked.which == "expired" else None, limit=limit)
