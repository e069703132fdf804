"""Bulk edits, undo, redo and the history of edits."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits import log as edit_log
from mysticanvas.edits.kinds import Edit, decode
from mysticanvas.edits.log import Operation
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import Step
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import MAX_QUERY, Int64, SelectionRequest
from mysticanvas.search.snapshots import Snapshots

# How many images of an edit the history shows.
TOUCHED_SHOWN = 6
Names = Annotated[list[Annotated[str, Field(max_length=400)]], Field(max_length=100)]
Wait = Annotated[float, Query(ge=0, le=25)]


class TagsIn(BaseModel):
    """Tag names. `remove` removes the user's own assignment and rejects tags that another source assigned too;
    `reject` always rejects."""

    add: Names = []
    remove: Names = []
    reject: Names = []


class MarksIn(BaseModel):
    """The edit: set exactly one field. `collect` and `uncollect` take the UUID of a collection."""

    favorite: bool | None = None
    rating: int | None = Field(None, ge=0, le=5)
    notes: str | None = Field(None, max_length=100_000)
    tags: TagsIn | None = None
    collect: str | None = Field(None, max_length=64)
    uncollect: str | None = Field(None, max_length=64)
    trash: bool | None = None


class BulkIn(SelectionRequest):
    """The images: a selection from a snapshot, all current matches of a query, or UUIDs."""

    snapshot: str | None = Field(None, max_length=64)
    query: str | None = Field(None, max_length=MAX_QUERY)
    uuids: list[Annotated[str, Field(max_length=36)]] | None = Field(None, max_length=10_000)
    marks: MarksIn = Field(alias="set")


def routes(database: Database, snapshots: Snapshots, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["edits"])

    @router.post("/edits", operation_id="edits.create")
    def bulk(asked: BulkIn) -> Response:
        return reply(edits.do(_edit(asked.marks), _images(database, snapshots, asked)))

    @router.post("/edits:undo", operation_id="edits.undoLast")
    def undo_last() -> Response:
        return reply(edits.undo(None))

    @router.post("/edits:redo", operation_id="edits.redoLast")
    def redo_last() -> Response:
        return reply(edits.redo(None))

    @router.post("/edits/{operation}/undo", operation_id="edits.undo")
    def undo(operation: Int64) -> Response:
        return reply(edits.undo(operation))

    @router.post("/edits/{operation}/redo", operation_id="edits.redo")
    def redo(operation: Int64) -> Response:
        return reply(edits.redo(operation))

    @router.get("/edits", operation_id="edits.list")
    def history(before: Int64 | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> Response:
        return reply({"operations": database.read(_history, before, limit)})

    @router.get("/edits/{operation}", operation_id="edits.get")
    async def follow(operation: Int64, wait: Wait = 0) -> Response:
        result = await run_in_threadpool(edits.wait_for, operation, wait)
        return reply(result)

    return router


def _history(tx: ReadTx, before: int | None, limit: int) -> list[dict[str, Any]]:
    return [_describe_operation(tx, one) for one in edit_log.list_operations(tx, before=before, limit=limit)]


def _describe_operation(tx: ReadTx, one: Operation) -> dict[str, Any]:
    return asdict(one.result) | {
        "at": one.at,
        "kind": one.kind,
        "steps": one.steps[:20],
        "steps_total": len(one.steps),
        "images": edit_log.list_touched_images(tx, one.id, limit=TOUCHED_SHOWN),
    }


def _edit(marks: MarksIn) -> Edit:
    """The edit for the one field that is set. Raises `InvalidInputError` unless exactly one is set."""
    given = marks.model_fields_set
    if len(given) != 1:
        raise InvalidInputError("Set exactly one field: favorite, rating, notes, tags, collect, uncollect or trash.")
    [name] = given
    value = getattr(marks, name)
    if value is None and name != "notes":
        raise InvalidInputError(f"The field {name} requires a value.")
    return decode(_STEPS[name](value))


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


def _images(database: Database, snapshots: Snapshots, asked: BulkIn) -> Sequence[GenerationId]:
    if asked.uuids is not None and asked.snapshot is None and asked.query is None:
        return database.read(edit_log.find_images, asked.uuids)
    if asked.query is not None and asked.snapshot is None:
        found = snapshots.open(asked.query)
        return snapshots.select_images(found, [(0, found.total)], [])
    if asked.snapshot is not None and asked.query is None:
        return snapshots.select_images(snapshots.get(asked.snapshot), asked.ranges, asked.excluded)
    raise InvalidInputError("Select the images with exactly one of: a snapshot with ranges, a query, or uuids.")
