"""Collections over HTTP. `POST /api/v1/edits` adds and removes many images at once."""

import uuid as uuids
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from fastapi import APIRouter, Response

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import InvalidInputError, TimeLimitError
from mysticanvas.domain.query import Field as Searched
from mysticanvas.domain.query import NamedValue, Order, Query, Sort
from mysticanvas.domain.tag import make_tag_key
from mysticanvas.edits import log as edit_log
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EXAMPLE_CREATION, EXAMPLE_RESULT, CreationResult, EditResult
from mysticanvas.features.collections import queries, schemas
from mysticanvas.features.collections.edits import (
    AddToCollection,
    ConvertToManual,
    CreateCollection,
    DeleteCollection,
    EditCollection,
    RemoveFromCollection,
    ReorderCollection,
)
from mysticanvas.features.collections.queries import Collection
from mysticanvas.features.collections.schemas import CollectionDetail, CollectionItems, CollectionList
from mysticanvas.http.etags import IfMatch, make_etag, unchanged
from mysticanvas.http.responses import link_location, reply, returns
from mysticanvas.search import language
from mysticanvas.search.snapshots import Snapshots

_EDITED = returns(EditResult, EXAMPLE_RESULT)


def routes(database: Database, snapshots: Snapshots, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["collections"])
    _add_collections(router, database, snapshots)
    _add_changes(router, database, edits)
    _add_items(router, database, edits)
    _add_conversion(router, database, snapshots, edits)
    return router


def _add_collections(router: APIRouter, database: Database, snapshots: Snapshots) -> None:
    @router.get(
        "/collections",
        operation_id="collections.list",
        responses=returns(CollectionList, CollectionList([schemas.EXAMPLE])),
    )
    def list_collections() -> Response:
        """List all collections."""
        found = database.read(queries.list_collections)
        names = _find_search_names(found)
        return reply(CollectionList([_describe(snapshots, one, names[one.uuid]) for one in found]))

    @router.get(
        "/collections/{uuid}", operation_id="collections.get", responses=returns(CollectionDetail, schemas.EXAMPLE)
    )
    def get(uuid: str) -> Response:
        """One collection. Send its ETag as If-Match with a change, so that it does not undo another one."""
        found = database.read(queries.find, uuid)
        name = _find_search_names(database.read(queries.list_collections)).get(uuid, uuid)
        etag = make_etag(schemas.get_editable_fields(found))
        return reply(_describe(snapshots, found, name), headers={"etag": etag})


def _add_changes(router: APIRouter, database: Database, edits: EditRunner) -> None:
    @router.post(
        "/collections",
        operation_id="collections.create",
        responses=returns(CreationResult, EXAMPLE_CREATION, status=201),
    )
    def create(asked: schemas.CollectionCreationRequest) -> Response:
        """Create a collection."""
        uuid = str(uuids.uuid4())
        done = edits.do(CreateCollection(uuid=uuid, **asked.model_dump(exclude_none=True)))
        return reply(CreationResult(**asdict(done), uuid=uuid), 201, link_location(f"/collections/{uuid}"))

    @router.patch("/collections/{uuid}", operation_id="collections.update", responses=_EDITED)
    def edit(uuid: str, asked: schemas.CollectionEditRequest, if_match: IfMatch = None) -> Response:
        """Change a collection."""
        given = asked.model_dump(exclude_unset=True)
        if not given:
            raise InvalidInputError("Nothing to change: set at least one field.")
        with unchanged(if_match, partial(_read_editable, database, uuid)):
            return reply(edits.do(EditCollection(collection=uuid, **given)))

    @router.delete("/collections/{uuid}", operation_id="collections.delete", responses=_EDITED)
    def delete(uuid: str, if_match: IfMatch = None) -> Response:
        """Delete a collection. Its images stay in the library."""
        database.read(queries.find, uuid)
        with unchanged(if_match, partial(_read_editable, database, uuid)):
            return reply(edits.do(DeleteCollection(collection=uuid), None))


def _add_items(router: APIRouter, database: Database, edits: EditRunner) -> None:
    @router.get(
        "/collections/{uuid}/items",
        operation_id="collections.listItems",
        responses=returns(CollectionItems, schemas.EXAMPLE_ITEMS),
    )
    def list_items(uuid: str) -> Response:
        """List the images of a manual collection, in order."""
        return reply(database.read(_list_items, uuid))

    @router.put("/collections/{uuid}/items/{image}", operation_id="collections.addItem", responses=_EDITED)
    def add(uuid: str, image: str) -> Response:
        """Add an image to the end of a manual collection."""
        found = database.read(generations.get_id, image)
        return reply(edits.do(AddToCollection(collection=uuid), [found]))

    @router.delete("/collections/{uuid}/items/{image}", operation_id="collections.removeItem", responses=_EDITED)
    def remove(uuid: str, image: str) -> Response:
        """Remove an image from a manual collection."""
        found = database.read(generations.get_id, image)
        return reply(edits.do(RemoveFromCollection(collection=uuid), [found]))

    @router.post("/collections/{uuid}:reorder", operation_id="collections.reorder", responses=_EDITED)
    def reorder(uuid: str, asked: schemas.ReorderRequest) -> Response:
        """Move images to another position in a manual collection."""
        found = database.read(edit_log.find_images, asked.images)
        return reply(edits.do(ReorderCollection(collection=uuid, before=asked.before), found))


def _add_conversion(router: APIRouter, database: Database, snapshots: Snapshots, edits: EditRunner) -> None:
    @router.post("/collections/{uuid}:convert-to-manual", operation_id="collections.convertToManual", responses=_EDITED)
    def convert(uuid: str) -> Response:
        """Convert a smart collection to a manual one that contains the current results of its search."""
        found = database.read(queries.find, uuid)
        view = snapshots.open(found.query or "")
        images = snapshots.select_images(view, [(0, view.total)], [])
        return reply(edits.do(ConvertToManual(collection=uuid), images))


def _read_editable(database: Database, uuid: str) -> list[object]:
    return schemas.get_editable_fields(database.read(queries.find, uuid))


def _list_items(tx: ReadTx, uuid: str) -> CollectionItems:
    items = queries.list_items(tx, queries.find(tx, uuid).id)
    return CollectionItems(generations.list_uuids_in_order(tx, items))


def _find_search_names(found: Sequence[Collection]) -> dict[str, str]:
    """Maps each UUID to the name or UUID by which a search finds exactly this collection. A name that several
    collections share finds all of them, and an asterisk in a name is a wildcard."""
    keys = Counter(make_tag_key(one.name) for one in found)
    return {
        one.uuid: one.name if keys[make_tag_key(one.name)] == 1 and "*" not in one.name else one.uuid for one in found
    }


def _describe(snapshots: Snapshots, one: Collection, name: str) -> CollectionDetail:
    """For a smart collection, `images` and `thumb` come from its search."""
    shown: dict[str, Any] = asdict(one)
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
    return CollectionDetail(**shown, text=language.write(opening))
