"""The vocabulary over HTTP: looking, completing, relations, scripts, proposals."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.tag import TagId, TagState, key_of
from mysticanvas.edits.replies import wire
from mysticanvas.edits.runner import EditRunner
from mysticanvas.features.collections import queries as collection_queries
from mysticanvas.features.tags import (
    assertion_queries,
    bulk_script,
    image_tag_queries,
    prompt_tags,
    queries,
    relation_queries,
    service,
    suggestions,
)
from mysticanvas.features.tags import dry_run as tag_dry_run
from mysticanvas.features.tags.queries import TagOrder
from mysticanvas.http.cancellation import while_wanted
from mysticanvas.http.schemas import PickedIn, reply
from mysticanvas.search.snapshots import Snapshots

Name = Annotated[str, Field(max_length=400)]
SCRIPT_LIMIT_MS = 60_000
# Tags that some images have: more is no list for a person.
MOST_SHOWN = 200


class TagDeedIn(BaseModel):
    """`do` says which of the others it needs: create name category · rename tag to · category tags category ·
    threshold source value tag · alias tag of across · unalias tag · imply/unimply tag implies ·
    merge/retag tag to · split tag to · delete tag · accept/propose/refuse tags."""

    do: Literal[
        "create", "rename", "category", "threshold", "alias", "unalias", "imply", "unimply", "merge", "retag", "split",
        "delete", "accept", "propose", "refuse",
    ]  # fmt: skip
    name: Name | None = None
    tag: Name | None = None
    tags: list[Name] | None = Field(None, max_length=1_000)
    to: Name | list[Name] | None = None
    of: Name | None = None
    implies: Name | None = None
    category: Name | None = None
    source: Name | None = None
    value: float | None = Field(None, ge=0, le=1)
    across: bool | None = None


class ScriptIn(BaseModel):
    text: str = Field(max_length=1_000_000)
    dry_run: bool = False


class TagsOfIn(PickedIn):
    snapshot: str = Field(max_length=64)


class SwitchIn(BaseModel):
    on: bool


# What each kind cannot do without; None may be meant in the rest.
_NEEDED = {
    "create": ("name",),
    "rename": ("tag", "to"),
    "category": ("tags",),
    "threshold": ("source",),
    "alias": ("tag", "of"),
    "unalias": ("tag",),
    "imply": ("tag", "implies"),
    "unimply": ("tag", "implies"),
    "merge": ("tag", "to"),
    "retag": ("tag", "to"),
    "split": ("tag", "to"),
    "delete": ("tag",),
    "accept": ("tags",),
    "propose": ("tags",),
    "refuse": ("tags",),
}


def routes(database: Database, snapshots: Snapshots, edits: EditRunner) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["tags"])
    _add_lists(router, database)
    _add_images(router, database, snapshots)
    _add_relations(router, database)
    _add_deeds(router, database, edits)
    _add_prompts(router, database)
    return router


def _add_lists(router: APIRouter, database: Database) -> None:
    @router.get("/tags")
    def complete(
        q: Annotated[str, Query(max_length=200)] = "", limit: Annotated[int, Query(ge=1, le=500)] = 20
    ) -> Response:
        """Each with all that it implies."""
        return reply(database.read(_offered, key_of(q), limit))

    @router.get("/tags/all")
    def listed(
        beginning: Annotated[str, Query(max_length=200)] = "",
        category: Annotated[str | None, Query(max_length=200)] = None,
        state: TagState | None = None,
        after: Annotated[str, Query(max_length=400)] = "",
        limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    ) -> Response:
        found = database.read(
            queries.listed,
            beginning=key_of(beginning),
            category=category,
            state=state,
            after=key_of(after),
            limit=limit,
        )
        return reply({"tags": found, "next": found[-1].name if len(found) == limit else None})

    @router.get("/tags/part")
    def part(
        q: Annotated[str, Query(max_length=200)] = "",
        category: Annotated[str | None, Query(max_length=200)] = None,
        sort: TagOrder = TagOrder.NAME,
        start: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        count: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Response:
        """A slice of a list of the vocabulary; the category "" is of tags without one."""
        total, found = database.read(
            queries.part, containing=key_of(q), category=category, order=sort, start=start, count=count
        )
        return reply({"total": total, "start": start, "tags": found})

    @router.get("/tags/categories")
    def categories() -> Response:
        return reply(
            {"categories": database.read(queries.categories), "thresholds": database.read(queries.thresholds, None)}
        )


def _add_images(router: APIRouter, database: Database, snapshots: Snapshots) -> None:

    @router.post("/tags/of")
    async def of_some(asked: TagsOfIn, request: Request) -> Response:
        """The tags that some images of a view show, with how many of them do."""
        picked = snapshots.picked(snapshots.get(asked.snapshot), asked.ranges, asked.left_out)
        counts = await while_wanted(request, snapshots.finder.tags_of, np.array(picked, np.int64))
        most = sorted(counts, key=lambda tag: -counts[tag])[:MOST_SHOWN]
        shown = database.read(_counted, {tag: counts[tag] for tag in most})
        return reply({"images": len(picked), "tags": shown, "total": len(counts)})

    @router.get("/generations/{uuid}/tags")
    async def of_image(uuid: str) -> Response:
        return reply(database.read(_of_image, uuid))


def _add_relations(router: APIRouter, database: Database) -> None:
    @router.get("/tags/one")
    def one(name: Annotated[str, Query(max_length=400)]) -> Response:
        return reply(database.read(_described, name))

    @router.get("/tags/proposals")
    def proposals() -> Response:
        return reply({"proposals": database.read(suggestions.proposals)})

    @router.get("/tags/work")
    def work() -> Response:
        return reply({"work": database.read(image_tag_queries.work)})


def _add_deeds(router: APIRouter, database: Database, edits: EditRunner) -> None:

    @router.post("/tags")
    def do(asked: TagDeedIn) -> Response:
        kind, args = f"tag.{asked.do}", _args(asked)
        return reply(wire(edits.do(kind, [(kind, args)], None)))

    @router.post("/tags/script")
    def script(asked: ScriptIn) -> Response:
        lines = bulk_script.parse(asked.text)
        outcomes = database.read_within(SCRIPT_LIMIT_MS, tag_dry_run.tried, lines)
        if asked.dry_run:
            return reply({"lines": outcomes, "ok": not any(one.conflict for one in outcomes)})
        done = edits.do("tag.script", bulk_script.steps(lines), None)
        return reply(wire(done) | {"lines": outcomes})

    @router.get("/tags/export")
    def export() -> Response:
        return PlainTextResponse(database.read_within(SCRIPT_LIMIT_MS, bulk_script.write))


def _add_prompts(router: APIRouter, database: Database) -> None:
    @router.get("/tags/prompts")
    def prompts() -> Response:
        return reply({"on": database.read(prompt_tags.wanted), "waiting": database.read(prompt_tags.is_waiting)})

    @router.post("/tags/prompts")
    def switch_prompts(asked: SwitchIn) -> Response:
        if asked.on:
            return reply({"images": prompt_tags.start(database)})
        database.write(prompt_tags.stop)
        return reply({"images": 0})


def _args(asked: TagDeedIn) -> dict[str, Any]:
    given = asked.model_dump(exclude={"do"}, exclude_unset=True)
    missing = [name for name in _NEEDED[asked.do] if given.get(name) is None]
    if missing:
        raise InvalidInputError(f"Say {' and '.join(missing)} too.")
    if asked.do == "category":
        given.setdefault("category", None)
    if asked.do == "threshold":
        given.setdefault("value", None)
    return given


def _offered(tx: ReadTx, containing: str, limit: int) -> dict[str, Any]:
    found = queries.largest(tx, containing=containing, limit=limit)
    return {
        "tags": [asdict(tag) | {"implies": queries.implied_by(tx, tag.id)} for tag in found],
        "total": queries.total(tx),
    }


def _counted(tx: ReadTx, counts: dict[int, int]) -> list[dict[str, Any]]:
    """Tags by name with these counts, each with those of them that imply it."""
    implied = relation_queries.implied_among(tx, list(counts))
    shown = [
        asdict(queries.get(tx, TagId(tag))) | {"images": images, "from": implied.get(tag, [])}
        for tag, images in counts.items()
    ]
    return sorted(shown, key=lambda tag: (-tag["images"], tag["name"]))


def _described(tx: ReadTx, name: str) -> dict[str, Any]:
    tag = service.known(tx, name)
    return {
        "tag": tag,
        "thresholds": queries.thresholds(tx, tag.id),
        "said": assertion_queries.sources_of(tx, tag.id),
        "also": queries.implied_by(tx, tag.id),
        **relation_queries.of_tag(tx, tag.id),
    }


def _of_image(tx: ReadTx, uuid: str) -> dict[str, Any]:
    image = generations.id_of(tx, uuid)
    shown = [queries.get(tx, tag) for tag in image_tag_queries.of_image(tx, image)]
    return {
        "tags": sorted(shown, key=lambda tag: tag.name),
        "said": assertion_queries.of_image(tx, image),
        "collections": collection_queries.of_image(tx, image),
    }
