"""Bulk edits, undo, redo and the history of edits."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits import log as edit_log
from mysticanvas.edits.kinds import Edit, decode
from mysticanvas.edits.log import Operation
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EXAMPLE_RESULT, EditResult, Step
from mysticanvas.features.history import schemas
from mysticanvas.features.history.edits import ChangeImage
from mysticanvas.features.history.schemas import EditPage, EditRecord, ImageChangeRequest, ImagesChangeRequest
from mysticanvas.http.etags import IfMatch, unchanged
from mysticanvas.http.responses import link_location, link_next, reply, returns, split_page
from mysticanvas.http.schemas import Int64
from mysticanvas.search.image_records import read_user_data
from mysticanvas.search.snapshots import Snapshots

# How many images of an edit the history shows.
TOUCHED_SHOWN = 6
_EDITED = returns(EditResult, EXAMPLE_RESULT)
Wait = Annotated[float, Query(ge=0, le=25)]


def routes(database: Database, snapshots: Snapshots, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["edits"])
    _add_edits(router, database, snapshots, edits)
    _add_history(router, database, edits)
    _add_image(router, database, edits)
    return router


def _add_edits(router: APIRouter, database: Database, snapshots: Snapshots, edits: EditRunner) -> None:
    @router.post("/edits", operation_id="edits.create", responses=returns(EditResult, EXAMPLE_RESULT, status=201))
    def bulk(asked: schemas.EditRequest) -> Response:
        """Change many images with one edit.

        A large edit continues after the response; `GET /api/v1/edits/{operation}` follows it.
        """
        done = edits.do(_edit(asked.change), _images(database, snapshots, asked))
        return reply(done, 201, link_location(f"/edits/{done.operation}"))

    @router.post("/edits:undo", operation_id="edits.undoLast", responses=_EDITED)
    def undo_last() -> Response:
        """Undo the last edit."""
        return reply(edits.undo(None))

    @router.post("/edits:redo", operation_id="edits.redoLast", responses=_EDITED)
    def redo_last() -> Response:
        """Redo the edit that was undone last."""
        return reply(edits.redo(None))

    @router.post("/edits/{operation}/undo", operation_id="edits.undo", responses=_EDITED)
    def undo(operation: Int64) -> Response:
        """Undo an edit."""
        return reply(edits.undo(operation))

    @router.post("/edits/{operation}/redo", operation_id="edits.redo", responses=_EDITED)
    def redo(operation: Int64) -> Response:
        """Redo an edit that was undone."""
        return reply(edits.redo(operation))


def _add_history(router: APIRouter, database: Database, edits: EditRunner) -> None:
    @router.get("/edits", operation_id="edits.list", responses=returns(EditPage, schemas.EXAMPLE_PAGE))
    def history(
        request: Request, before: Int64 | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 50
    ) -> Response:
        """List edits, newest first. To get the next page, pass `next` from the response as `before`."""
        page = database.read(_load_page, before, limit)
        return reply(page, headers=link_next(request, before=page.next))

    @router.get("/edits/{operation}", operation_id="edits.get", responses=_EDITED)
    async def follow(operation: Int64, wait: Wait = 0) -> Response:
        """The state of an edit, once it is finished or after `wait` seconds."""
        return reply(await run_in_threadpool(edits.wait_for, operation, wait))


def _add_image(router: APIRouter, database: Database, edits: EditRunner) -> None:
    @router.patch("/images/{uuid}", operation_id="images.update", tags=["images"], responses=_EDITED)
    def change(uuid: str, asked: schemas.ImageChangeRequest, if_match: IfMatch = None) -> Response:
        """Change the rating, favorite, notes or tags of an image with one edit."""
        image = database.read(generations.get_id, uuid)
        with unchanged(if_match, partial(database.read, read_user_data, image)):
            return reply(edits.do(_change(asked), [image]))

    @router.delete("/images/{uuid}", operation_id="images.delete", tags=["images"], responses=_EDITED)
    def delete(uuid: str, if_match: IfMatch = None) -> Response:
        """Move an image to Trash."""
        image = database.read(generations.get_id, uuid)
        with unchanged(if_match, partial(database.read, read_user_data, image)):
            return reply(edits.do(decode(("trash", {})), [image]))


def _load_page(tx: ReadTx, before: int | None, limit: int) -> EditPage:
    found = edit_log.list_operations(tx, before=before, limit=limit + 1)
    shown, next_before = split_page(found, limit, lambda one: one.id)
    return EditPage([_describe_operation(tx, one) for one in shown], next_before)


def _describe_operation(tx: ReadTx, one: Operation) -> EditRecord:
    return EditRecord(
        **asdict(one.result),
        at=one.at,
        kind=one.kind,
        steps=one.steps[:20],
        steps_total=len(one.steps),
        images=edit_log.list_touched_images(tx, one.id, limit=TOUCHED_SHOWN),
    )


def _change(asked: ImageChangeRequest) -> Edit:
    """The edit for all fields that are set."""
    steps = [_build_step(asked, name) for name in asked.model_fields_set]
    if not steps:
        raise InvalidInputError("Nothing to change: set at least one field.")
    return decode(steps[0]) if len(steps) == 1 else ChangeImage(steps=steps)


def _edit(asked: ImagesChangeRequest) -> Edit:
    """The edit for the one field that is set. Raises `InvalidInputError` unless exactly one is set."""
    given = asked.model_fields_set
    if len(given) != 1:
        raise InvalidInputError("Set exactly one field: favorite, rating, notes, tags, collect, uncollect or trash.")
    [name] = given
    return decode(_build_step(asked, name))


def _build_step(asked: ImageChangeRequest, name: str) -> Step:
    value = getattr(asked, name)
    if value is None and name != "notes":
        raise InvalidInputError(f"The field {name} requires a value.")
    return _STEPS[name](value)


# The kind of edit for each field. The features register the kinds.
_STEPS: dict[str, Callable[[Any], Step]] = {
    "favorite": lambda value: ("favorite", {"value": value}),
    "rating": lambda value: ("rating", {"value": value}),
    "notes": lambda value: ("notes", {"value": value or ""}),
    "tags": lambda value: ("tag", value.model_dump()),
    "collect": lambda value: ("collect", {"collection": value}),
    "uncollect": lambda value: ("uncollect", {"collection": value}),
    "trash": lambda value: ("trash" if value else "restore", {}),
}


def _images(database: Database, snapshots: Snapshots, asked: schemas.EditRequest) -> Sequence[GenerationId]:
    if asked.uuids is not None and asked.snapshot is None and asked.query is None:
        return database.read(edit_log.find_images, asked.uuids)
    if asked.query is not None and asked.snapshot is None:
        found = snapshots.open(asked.query)
        return snapshots.select_images(found, [(0, found.total)], [])
    if asked.snapshot is not None and asked.query is None:
        return snapshots.select_images(snapshots.get(asked.snapshot), asked.ranges, asked.excluded)
    raise InvalidInputError("Select the images with exactly one of: a snapshot with ranges, a query, or uuids.")
