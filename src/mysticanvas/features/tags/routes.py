"""Tags over HTTP: lists, autocomplete, relations, bulk edits, suggested tags."""

from dataclasses import asdict, replace
from typing import Annotated, NamedTuple
from urllib.parse import urlencode

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import generations
from mysticanvas.domain.tag import TagId, TagState, make_tag_key
from mysticanvas.edits.kinds import decode
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EXAMPLE_RESULT, EditResult
from mysticanvas.features.collections import queries as collection_queries
from mysticanvas.features.tags import (
    assertion_queries,
    bulk_script,
    dry_run,
    image_tag_queries,
    prompt_tags,
    queries,
    relation_queries,
    schemas,
    service,
    suggestions,
)
from mysticanvas.features.tags.queries import TagOrder
from mysticanvas.http.cancellation import run_while_connected
from mysticanvas.http.responses import link_location, link_next, reply, returns, returns_file, split_page
from mysticanvas.search.snapshots import Snapshots

SCRIPT_LIMIT_MS = 60_000
# At most this many tags of a selection are returned, those on most of its images.
MAX_SHOWN = 200
_EXPORT = returns_file("text/plain", "One command per line.", example=schemas.EXAMPLE_EXPORT)


class _TagEdit(NamedTuple):
    """`kind` is one of `features/tags/edits.py`, which has the fields of `asked`."""

    action: str
    kind: str
    asked: type[BaseModel]
    description: str


_EDITS = (
    _TagEdit("rename", "tag.rename", schemas.TagTargetRequest, "Rename a tag, also in the searches of collections."),
    _TagEdit("merge", "tag.merge", schemas.TagTargetRequest, "Merge a tag into another, and delete it."),
    _TagEdit("split", "tag.split", schemas.TagSplitRequest, "Replace a tag by several others, and delete it."),
    _TagEdit("retag", "tag.retag", schemas.TagTargetRequest, "Move the images of a tag to another, and keep the tag."),
    _TagEdit("delete", "tag.delete", schemas.TagRequest, "Delete a tag, and remove it from all images."),
    _TagEdit("alias", "tag.alias", schemas.TagAliasRequest, "Make a tag an alias of another tag."),
    _TagEdit("unalias", "tag.unalias", schemas.TagRequest, "Turn an alias into a separate tag."),
    _TagEdit("imply", "tag.imply", schemas.TagImplicationRequest, "Make a tag imply another."),
    _TagEdit("unimply", "tag.unimply", schemas.TagImplicationRequest, "Remove an implication."),
    _TagEdit("set-category", "tag.category", schemas.TagCategoryRequest, "Set the category of tags, or remove it."),
    _TagEdit("set-threshold", "tag.threshold", schemas.TagThresholdRequest, "Set or remove a minimum confidence."),
    _TagEdit("accept", "tag.accept", schemas.TagsRequest, "Turn suggested tags into tags."),
    _TagEdit("propose", "tag.propose", schemas.TagsRequest, "Turn tags into suggested tags."),
    _TagEdit("reject", "tag.refuse", schemas.TagsRequest, "Delete suggested tags. Models no longer suggest them."),
)


def routes(database: Database, snapshots: Snapshots, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["tags"])
    _add_lists(router, database)
    _add_images(router, database, snapshots)
    _add_relations(router, database)
    _add_edits(router, database, edits)
    _add_prompts(router, database)
    return router


def _add_lists(router: APIRouter, database: Database) -> None:
    @router.get(
        "/tags/completions",
        operation_id="tags.complete",
        responses=returns(schemas.TagCompletions, schemas.EXAMPLE_COMPLETIONS),
    )
    def complete(
        q: Annotated[str, Query(max_length=200)] = "", limit: Annotated[int, Query(ge=1, le=500)] = 20
    ) -> Response:
        """Autocomplete: known tags whose name contains `q`, each with the tags it implies."""
        return reply(database.read(_autocomplete, make_tag_key(q), limit))

    @router.get("/tags", operation_id="tags.list", responses=returns(schemas.TagPage, schemas.EXAMPLE_PAGE))
    def list_tags(
        request: Request,
        beginning: Annotated[str, Query(max_length=200)] = "",
        category: Annotated[str | None, Query(max_length=200)] = None,
        state: TagState | None = None,
        after: Annotated[str, Query(max_length=400)] = "",
        limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    ) -> Response:
        """List tags by name. To get the next page, pass `next` from the response as `after`."""
        found = database.read(
            queries.list_tags,
            beginning=make_tag_key(beginning),
            category=category,
            state=state,
            after=make_tag_key(after),
            limit=limit + 1,
        )
        page = schemas.TagPage(*split_page(found, limit, lambda one: one.name))
        return reply(page, headers=link_next(request, after=page.next))

    @router.get(
        "/tags/slice",
        operation_id="tags.listSlice",
        responses=returns(schemas.TagSlice, schemas.EXAMPLE_SLICE),
    )
    def list_slice(
        q: Annotated[str, Query(max_length=200)] = "",
        category: Annotated[str | None, Query(max_length=200)] = None,
        sort: TagOrder = TagOrder.NAME,
        start: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        count: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Response:
        """List part of the known tags, for a list that scrolls to any position.

        The category "" selects tags without a category.
        """
        total, found = database.read(
            queries.list_slice, containing=make_tag_key(q), category=category, order=sort, start=start, count=count
        )
        return reply(schemas.TagSlice(total, start, found))

    @router.get(
        "/tag-categories",
        operation_id="tags.listCategories",
        responses=returns(schemas.TagCategories, schemas.EXAMPLE_CATEGORIES),
    )
    def list_categories() -> Response:
        """The categories of tags, and the default thresholds."""
        return reply(database.read(_describe_categories))


def _add_images(router: APIRouter, database: Database, snapshots: Snapshots) -> None:

    @router.post(
        "/tags:count",
        operation_id="tags.countOnImages",
        responses=returns(schemas.SharedTags, schemas.EXAMPLE_SHARED),
    )
    async def count_tags_of_images(asked: schemas.TagsOfSelectionRequest, request: Request) -> Response:
        """The tags of the selected images, each with the number of these images that have it."""
        picked = snapshots.select_images(snapshots.get(asked.snapshot), asked.ranges, asked.excluded)
        counts = await run_while_connected(request, snapshots.finder.tags_of, np.array(picked, np.int64))
        most = sorted(counts, key=lambda tag: -counts[tag])[:MAX_SHOWN]
        shown = database.read(_describe_counted, {tag: counts[tag] for tag in most})
        return reply(schemas.SharedTags(len(picked), shown, len(counts)))

    @router.get(
        "/images/{uuid}/tags",
        operation_id="images.listTags",
        responses=returns(schemas.ImageTags, schemas.EXAMPLE_IMAGE),
    )
    async def list_tags_of_image(uuid: str) -> Response:
        """The tags of an image, with what each source assigned or rejected."""
        return reply(database.read(_describe_image, uuid))


def _add_relations(router: APIRouter, database: Database) -> None:
    @router.get("/tags/by-name", operation_id="tags.get", responses=returns(schemas.TagDetail, schemas.EXAMPLE_DETAIL))
    def get_tag(name: Annotated[str, Query(max_length=400)]) -> Response:
        """One tag with its relations."""
        return reply(database.read(_describe_tag, name))

    @router.get(
        "/tags/suggestions",
        operation_id="tags.listSuggestions",
        responses=returns(schemas.TagSuggestions, schemas.EXAMPLE_SUGGESTIONS),
    )
    def list_suggestions() -> Response:
        """List suggested tags, with the tags that they resemble."""
        return reply(schemas.TagSuggestions(database.read(suggestions.list_suggestions)))

    @router.get(
        "/tags/updates",
        operation_id="tags.listUpdates",
        responses=returns(schemas.TagUpdates, schemas.EXAMPLE_UPDATES),
    )
    def list_work() -> Response:
        """List the updates of images that continue after relations changed."""
        return reply(schemas.TagUpdates(database.read(image_tag_queries.list_work)))


def _add_edits(router: APIRouter, database: Database, edits: EditRunner) -> None:

    @router.post(
        "/tags:create",
        operation_id="tags.create",
        responses=returns(EditResult, EXAMPLE_RESULT, status=201),
    )
    def create(asked: schemas.TagCreationRequest) -> Response:
        """Create a tag."""
        done = edits.do(decode(("tag.create", asked.model_dump())), None)
        return reply(done, 201, link_location(f"/tags/by-name?{urlencode({'name': asked.name})}"))

    for edit in _EDITS:
        _add_edit(router, edits, edit)

    @router.post(
        "/tags:bulk-edit",
        operation_id="tags.bulkEdit",
        responses=returns(schemas.TagScriptResult, schemas.EXAMPLE_SCRIPT),
    )
    def run_bulk_edit(asked: schemas.TagScriptRequest) -> Response:
        """Run many commands for tags as one edit, or only check them."""
        lines = bulk_script.parse(asked.text)
        outcomes = dry_run.try_all(database, lines)
        done = None if asked.dry_run else edits.do_all("tag.script", bulk_script.list_edits(lines))
        return reply(schemas.TagScriptResult(not any(one.conflict for one in outcomes), outcomes, done))

    @router.get("/tags/export", operation_id="tags.export", responses=_EXPORT)
    def export_tags() -> Response:
        """All tags, categories, relations and thresholds as text, one command per line."""
        return PlainTextResponse(database.read_within(SCRIPT_LIMIT_MS, bulk_script.write_tags))


def _add_prompts(router: APIRouter, database: Database) -> None:
    @router.get(
        "/tags/prompt-tags",
        operation_id="tags.getPromptTags",
        responses=returns(schemas.PromptTags, schemas.PromptTags(on=True, waiting=False)),
    )
    def get_prompt_tags() -> Response:
        """Whether phrases of prompts become tags."""
        enabled, waiting = database.read(prompt_tags.is_enabled), database.read(prompt_tags.is_waiting)
        return reply(schemas.PromptTags(enabled, waiting))

    @router.put(
        "/tags/prompt-tags",
        operation_id="tags.setPromptTags",
        responses=returns(schemas.PromptTagsChange, schemas.PromptTagsChange(on=True, images=812)),
    )
    def switch_prompts(asked: schemas.PromptTagsRequest) -> Response:
        """Turn tags from prompts on or off. Turning them off removes all tags that came from prompts."""
        if asked.on:
            return reply(schemas.PromptTagsChange(on=True, images=prompt_tags.start(database)))
        database.write(prompt_tags.stop)
        return reply(schemas.PromptTagsChange(on=False, images=0))


def _add_edit(router: APIRouter, edits: EditRunner, edit: _TagEdit) -> None:
    asked_type = edit.asked

    def run_edit(asked: asked_type) -> Response:  # type: ignore[valid-type]
        return reply(edits.do(decode((edit.kind, asked.model_dump())), None))  # type: ignore[attr-defined]

    words = edit.action.split("-")
    router.post(
        f"/tags:{edit.action}",
        operation_id="tags." + words[0] + "".join(word.capitalize() for word in words[1:]),
        description=edit.description,
        responses=returns(EditResult, EXAMPLE_RESULT),
    )(run_edit)


def _autocomplete(tx: ReadTx, containing: str, limit: int) -> schemas.TagCompletions:
    found = queries.autocomplete(tx, containing=containing, limit=limit)
    tags = [schemas.CompletedTag(**asdict(tag), implies=queries.list_implied(tx, tag.id)) for tag in found]
    return schemas.TagCompletions(tags, queries.count_tags(tx))


def _describe_categories(tx: ReadTx) -> schemas.TagCategories:
    return schemas.TagCategories(queries.count_by_category(tx), queries.get_thresholds(tx, None))


def _describe_counted(tx: ReadTx, counts: dict[int, int]) -> list[schemas.SharedTag]:
    """Lists these tags, those with the most images first, each with the names of the other tags in this list that imply
    it."""
    implied = relation_queries.find_implied_among(tx, list(counts))
    shown = [
        schemas.SharedTag(
            **asdict(replace(queries.get(tx, TagId(tag)), images=images)), implied_by=implied.get(tag, [])
        )
        for tag, images in counts.items()
    ]
    return sorted(shown, key=lambda tag: (-tag.images, tag.name))


def _describe_tag(tx: ReadTx, name: str) -> schemas.TagDetail:
    tag = service.get_tag(tx, name)
    return schemas.TagDetail(
        tag=tag,
        thresholds=queries.get_thresholds(tx, tag.id),
        assignments=assertion_queries.count_by_source(tx, tag.id),
        also=queries.list_implied(tx, tag.id),
        **relation_queries.list_relations(tx, tag.id),
    )


def _describe_image(tx: ReadTx, uuid: str) -> schemas.ImageTags:
    image = generations.get_id(tx, uuid)
    shown = [queries.get(tx, tag) for tag in image_tag_queries.list_tags_of_image(tx, image)]
    return schemas.ImageTags(
        tags=sorted(shown, key=lambda tag: tag.name),
        assignments=assertion_queries.list_for_image(tx, image),
        collections=[schemas.CollectionName(**one) for one in collection_queries.list_for_image(tx, image)],
    )
