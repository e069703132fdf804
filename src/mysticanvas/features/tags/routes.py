"""Tags over HTTP: lists, autocomplete, relations, bulk edits, suggested tags."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import generations
from mysticanvas.domain.tag import TagId, TagState, make_tag_key
from mysticanvas.edits.kinds import decode
from mysticanvas.edits.runner import EditRunner
from mysticanvas.features.collections import queries as collection_queries
from mysticanvas.features.tags import (
    assertion_queries,
    bulk_script,
    dry_run,
    image_tag_queries,
    prompt_tags,
    queries,
    relation_queries,
    service,
    suggestions,
)
from mysticanvas.features.tags.queries import TagOrder
from mysticanvas.http.cancellation import run_while_connected
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import SelectionRequest
from mysticanvas.search.snapshots import Snapshots

Name = Annotated[str, Field(max_length=400)]
Names = Annotated[list[Name], Field(max_length=1_000)]
SCRIPT_LIMIT_MS = 60_000
# At most this many tags of a selection are returned, those on most of its images.
MAX_SHOWN = 200


class CreateIn(BaseModel):
    do: Literal["create"]
    name: Name
    category: Name | None = None


class RenameIn(BaseModel):
    do: Literal["rename"]
    tag: Name
    to: Name


class CategoryIn(BaseModel):
    do: Literal["category"]
    tags: Names
    category: Name | None = None


class ThresholdIn(BaseModel):
    do: Literal["threshold"]
    source: Name
    value: float | None = Field(None, ge=0, le=1)
    tag: Name | None = None


class AliasIn(BaseModel):
    do: Literal["alias"]
    tag: Name
    of: Name
    across: bool = False


class UnaliasIn(BaseModel):
    do: Literal["unalias"]
    tag: Name


class ImplyIn(BaseModel):
    do: Literal["imply"]
    tag: Name
    implies: Name


class UnimplyIn(BaseModel):
    do: Literal["unimply"]
    tag: Name
    implies: Name


class MergeIn(BaseModel):
    do: Literal["merge"]
    tag: Name
    to: Name


class RetagIn(BaseModel):
    do: Literal["retag"]
    tag: Name
    to: Name


class SplitIn(BaseModel):
    do: Literal["split"]
    tag: Name
    to: list[Name]


class DeleteIn(BaseModel):
    do: Literal["delete"]
    tag: Name


class AcceptIn(BaseModel):
    do: Literal["accept"]
    tags: Names


class ProposeIn(BaseModel):
    do: Literal["propose"]
    tags: Names


class RefuseIn(BaseModel):
    do: Literal["refuse"]
    tags: Names


# One model per edit kind of `features/tags/edits.py`.
TagEditIn = Annotated[
    CreateIn
    | RenameIn
    | CategoryIn
    | ThresholdIn
    | AliasIn
    | UnaliasIn
    | ImplyIn
    | UnimplyIn
    | MergeIn
    | RetagIn
    | SplitIn
    | DeleteIn
    | AcceptIn
    | ProposeIn
    | RefuseIn,
    Field(discriminator="do"),
]


class ScriptIn(BaseModel):
    text: str = Field(max_length=1_000_000)
    dry_run: bool = False


class TagsOfIn(SelectionRequest):
    snapshot: str = Field(max_length=64)


class SwitchIn(BaseModel):
    on: bool


def routes(database: Database, snapshots: Snapshots, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["tags"])
    _add_lists(router, database)
    _add_images(router, database, snapshots)
    _add_relations(router, database)
    _add_edits(router, database, edits)
    _add_prompts(router, database)
    return router


def _add_lists(router: APIRouter, database: Database) -> None:
    @router.get("/tags/completions", operation_id="tags.complete")
    def complete(
        q: Annotated[str, Query(max_length=200)] = "", limit: Annotated[int, Query(ge=1, le=500)] = 20
    ) -> Response:
        """Autocomplete: known tags whose name contains `q`, each with the tags it implies."""
        return reply(database.read(_autocomplete, make_tag_key(q), limit))

    @router.get("/tags", operation_id="tags.list")
    def list_tags(
        beginning: Annotated[str, Query(max_length=200)] = "",
        category: Annotated[str | None, Query(max_length=200)] = None,
        state: TagState | None = None,
        after: Annotated[str, Query(max_length=400)] = "",
        limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    ) -> Response:
        found = database.read(
            queries.list_tags,
            beginning=make_tag_key(beginning),
            category=category,
            state=state,
            after=make_tag_key(after),
            limit=limit,
        )
        return reply({"tags": found, "next": found[-1].name if len(found) == limit else None})

    @router.get("/tags/slice", operation_id="tags.listSlice")
    def list_slice(
        q: Annotated[str, Query(max_length=200)] = "",
        category: Annotated[str | None, Query(max_length=200)] = None,
        sort: TagOrder = TagOrder.NAME,
        start: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        count: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Response:
        """Part of the list of known tags. The category "" selects tags without a category."""
        total, found = database.read(
            queries.list_slice, containing=make_tag_key(q), category=category, order=sort, start=start, count=count
        )
        return reply({"total": total, "start": start, "tags": found})

    @router.get("/tag-categories", operation_id="tags.listCategories")
    def list_categories() -> Response:
        return reply(
            {
                "categories": database.read(queries.count_by_category),
                "thresholds": database.read(queries.get_thresholds, None),
            }
        )


def _add_images(router: APIRouter, database: Database, snapshots: Snapshots) -> None:

    @router.post("/tags:count", operation_id="tags.countOnImages")
    async def count_tags_of_images(asked: TagsOfIn, request: Request) -> Response:
        """The tags of the selected images, each with the number of these images that have it."""
        picked = snapshots.select_images(snapshots.get(asked.snapshot), asked.ranges, asked.excluded)
        counts = await run_while_connected(request, snapshots.finder.tags_of, np.array(picked, np.int64))
        most = sorted(counts, key=lambda tag: -counts[tag])[:MAX_SHOWN]
        shown = database.read(_describe_counted, {tag: counts[tag] for tag in most})
        return reply({"images": len(picked), "tags": shown, "total": len(counts)})

    @router.get("/images/{uuid}/tags", operation_id="images.listTags")
    async def list_tags_of_image(uuid: str) -> Response:
        return reply(database.read(_describe_image, uuid))


def _add_relations(router: APIRouter, database: Database) -> None:
    @router.get("/tags/by-name", operation_id="tags.get")
    def get_tag(name: Annotated[str, Query(max_length=400)]) -> Response:
        return reply(database.read(_describe_tag, name))

    @router.get("/tags/suggestions", operation_id="tags.listSuggestions")
    def list_suggestions() -> Response:
        return reply({"proposals": database.read(suggestions.list_suggestions)})

    @router.get("/tags/updates", operation_id="tags.listUpdates")
    def list_work() -> Response:
        return reply({"work": database.read(image_tag_queries.list_work)})


def _add_edits(router: APIRouter, database: Database, edits: EditRunner) -> None:

    @router.post("/tags/edits", operation_id="tags.edit")
    def edit_tags(asked: TagEditIn) -> Response:
        edit = decode((f"tag.{asked.do}", asked.model_dump(exclude={"do"})))
        return reply(edits.do(edit, None))

    @router.post("/tags:bulk-edit", operation_id="tags.bulkEdit")
    def run_bulk_edit(asked: ScriptIn) -> Response:
        lines = bulk_script.parse(asked.text)
        outcomes = dry_run.try_all(database, lines)
        if asked.dry_run:
            return reply({"lines": outcomes, "ok": not any(one.conflict for one in outcomes)})
        result = edits.do_all("tag.script", bulk_script.list_edits(lines))
        return reply(asdict(result) | {"lines": outcomes})

    @router.get("/tags/export", operation_id="tags.export")
    def export_tags() -> Response:
        return PlainTextResponse(database.read_within(SCRIPT_LIMIT_MS, bulk_script.write_tags))


def _add_prompts(router: APIRouter, database: Database) -> None:
    @router.get("/tags/prompt-tags", operation_id="tags.getPromptTags")
    def get_prompt_tags() -> Response:
        return reply({"on": database.read(prompt_tags.is_enabled), "waiting": database.read(prompt_tags.is_waiting)})

    @router.put("/tags/prompt-tags", operation_id="tags.setPromptTags")
    def switch_prompts(asked: SwitchIn) -> Response:
        if asked.on:
            return reply({"images": prompt_tags.start(database)})
        database.write(prompt_tags.stop)
        return reply({"images": 0})


def _autocomplete(tx: ReadTx, containing: str, limit: int) -> dict[str, Any]:
    found = queries.autocomplete(tx, containing=containing, limit=limit)
    return {
        "tags": [asdict(tag) | {"implies": queries.list_implied(tx, tag.id)} for tag in found],
        "total": queries.count_tags(tx),
    }


def _describe_counted(tx: ReadTx, counts: dict[int, int]) -> list[dict[str, Any]]:
    """Lists these tags, those with the most images first, each with the names of the other tags in this list that imply
    it."""
    implied = relation_queries.find_implied_among(tx, list(counts))
    shown = [
        asdict(queries.get(tx, TagId(tag))) | {"images": images, "from": implied.get(tag, [])}
        for tag, images in counts.items()
    ]
    return sorted(shown, key=lambda tag: (-tag["images"], tag["name"]))


def _describe_tag(tx: ReadTx, name: str) -> dict[str, Any]:
    tag = service.get_tag(tx, name)
    return {
        "tag": tag,
        "thresholds": queries.get_thresholds(tx, tag.id),
        "said": assertion_queries.count_by_source(tx, tag.id),
        "also": queries.list_implied(tx, tag.id),
        **relation_queries.list_relations(tx, tag.id),
    }


def _describe_image(tx: ReadTx, uuid: str) -> dict[str, Any]:
    image = generations.get_id(tx, uuid)
    shown = [queries.get(tx, tag) for tag in image_tag_queries.list_tags_of_image(tx, image)]
    return {
        "tags": sorted(shown, key=lambda tag: tag.name),
        "said": assertion_queries.list_for_image(tx, image),
        "collections": collection_queries.list_for_image(tx, image),
    }
