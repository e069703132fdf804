"""Collections over HTTP. `POST /api/v1/edits` adds and removes images."""

import uuid as uuids
from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import InvalidInputError, TimeLimitError
from mysticanvas.domain.query import Field as Searched
from mysticanvas.domain.query import NamedValue, Order, Query, Sort
from mysticanvas.domain.tag import make_tag_key
from mysticanvas.edits import log as edit_log
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import CreationResult
from mysticanvas.features.collections import queries
from mysticanvas.features.collections.edits import (
    ConvertToManual,
    CreateCollection,
    DeleteCollection,
    EditCollection,
    ReorderCollection,
)
from mysticanvas.features.collections.queries import Collection
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import MAX_QUERY
from mysticanvas.search import language
from mysticanvas.search.snapshots import Snapshots

Uuid = Annotated[str, Field(max_length=64)]


class CollectionIn(BaseModel):
    """A collection with a `query` is a smart collection."""

    name: str = Field(max_length=400)
    query: str | None = Field(None, max_length=MAX_QUERY)
    notes: str | None = Field(None, max_length=20_000)
    parent: Uuid | None = None


class CollectionEditIn(BaseModel):
    """Omitted fields are not changed; null removes the parent or the cover."""

    name: str = Field("", max_length=400)
    query: str = Field("", max_length=MAX_QUERY)
    notes: str | None = Field(None, max_length=20_000)
    parent: Uuid | None = None
    cover: Uuid | None = None
    position: float | None = Field(None, ge=-1e9, le=1e9)


class ReorderIn(BaseModel):
    """Move `images`, in this order, before the image with the UUID `before`, or to the end if `before` is null."""

    images: list[Uuid] = Field(min_length=1, max_length=1_000)
    before: Uuid | None = None


def routes(database: Database, snapshots: Snapshots, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["collections"])

    @router.get("/collections", operation_id="collections.list")
    def list_collections() -> Response:
        found = database.read(queries.list_collections)
        keys = Counter(make_tag_key(one.name) for one in found)
        # A name that several collections share finds all of them, and an asterisk in a name is a wildcard.
        alone = {one.uuid for one in found if keys[make_tag_key(one.name)] == 1 and "*" not in one.name}
        names = {one.uuid: one.name if one.uuid in alone else one.uuid for one in found}
        return reply({"collections": [_describe(snapshots, one, names[one.uuid]) for one in found]})

    @router.post("/collections", operation_id="collections.create")
    def create(asked: CollectionIn) -> Response:
        uuid = str(uuids.uuid4())
        edit = CreateCollection(uuid=uuid, **asked.model_dump(exclude_none=True))
        return reply(CreationResult(**asdict(edits.do(edit)), uuid=uuid))

    @router.patch("/collections/{uuid}", operation_id="collections.update")
    def edit(uuid: str, asked: CollectionEditIn) -> Response:
        given = asked.model_dump(exclude_unset=True)
        if not given:
            raise InvalidInputError("Nothing to change: set at least one field.")
        return reply(edits.do(EditCollection(collection=uuid, **given)))

    @router.delete("/collections/{uuid}", operation_id="collections.delete")
    def delete(uuid: str) -> Response:
        database.read(queries.find, uuid)
        return reply(edits.do(DeleteCollection(collection=uuid), None))

    @router.post("/collections/{uuid}:convert-to-manual", operation_id="collections.convertToManual")
    def freeze(uuid: str) -> Response:
        found = database.read(queries.find, uuid)
        view = snapshots.open(found.query or "")
        images = snapshots.select_images(view, [(0, view.total)], [])
        return reply(edits.do(ConvertToManual(collection=uuid), images))

    @router.post("/collections/{uuid}:reorder", operation_id="collections.reorder")
    def reorder(uuid: str, asked: ReorderIn) -> Response:
        found = database.read(edit_log.find_images, asked.images)
        return reply(edits.do(ReorderCollection(collection=uuid, before=asked.before), found))

    @router.get("/collections/{uuid}/items", operation_id="collections.listItems")
    def list_items(uuid: str) -> Response:
        found = database.read(queries.find, uuid)
        return reply(
            {"uuids": database.read(generations.list_uuids_in_order, database.read(queries.list_items, found.id))}
        )

    return router


def _describe(snapshots: Snapshots, one: Collection, name: str) -> dict[str, Any]:
    """The collection as JSON. For a smart collection, `images` and `thumb` come from its search; `images` is null if
    the search is invalid or takes too long. `text` is the search that opens the collection."""
    shown = asdict(one)
    opening = Query(NamedValue(Searched.COLLECTION, name), Sort(Order.MANUAL))
    if one.query is not None:
        try:
            query = language.parse(one.query)
            # A search by similarity cannot be nested in another search, so the collection opens as its own search.
            opening = query if query.similar is not None else Query(opening.where, query.sort)
            shown["images"] = snapshots.finder.count(query)
            if one.thumb is None:
                first = snapshots.finder.page(query, after=None, limit=1)
                shown["thumb"] = first[0].thumb if first else None
        except (InvalidInputError, TimeLimitError):
            shown["images"] = None
    return shown | {"text": language.write(opening)}
