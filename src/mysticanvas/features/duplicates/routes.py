"""Duplicates over HTTP: list groups, merge a group."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.similarity import DuplicateKind
from mysticanvas.edits import log as edit_log
from mysticanvas.edits.runner import EditRunner
from mysticanvas.features.duplicates import candidate_queries, queries
from mysticanvas.features.duplicates.edits import MergeDuplicates
from mysticanvas.features.duplicates.proposal import Proposal, propose
from mysticanvas.features.duplicates.queries import GroupImage
from mysticanvas.http.cancellation import run_while_connected
from mysticanvas.http.responses import reply
from mysticanvas.search.duplicates import Duplicates, Group, Page

Uuid = Annotated[str, Field(max_length=36)]
# Only this many images of a group are returned; the rest follow once some of these are merged.
MAX_SHOWN = 100


class KeepIn(BaseModel):
    """Copies missing ratings, tags, notes and generation data from the other images to the image to keep, and moves
    the other images to Trash. If something would be lost, the request fails with status 409 unless `accept_loss` is
    true."""

    kept: Uuid
    others: list[Uuid] = Field(min_length=1, max_length=1_000)
    accept_loss: bool = False


def routes(database: Database, duplicates: Duplicates, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["duplicates"])

    @router.get("/duplicates", operation_id="duplicates.list")
    async def list_groups(
        request: Request,
        by: DuplicateKind = DuplicateKind.PICTURE,
        start: Annotated[int, Query(ge=0, le=1 << 40)] = 0,
        count: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        def answer() -> dict[str, Any]:
            return database.read(_describe_page, duplicates.page(by, start=start, count=count))

        return reply(await run_while_connected(request, answer))

    @router.post("/duplicates:merge", operation_id="duplicates.merge")
    def merge(asked: KeepIn) -> Response:
        others = database.read(edit_log.find_images, asked.others)
        return reply(edits.do(MergeDuplicates(kept=asked.kept, accept_loss=asked.accept_loss), others))

    return router


def _describe_page(tx: ReadTx, page: Page) -> dict[str, Any]:
    return {"total": page.total, "images": page.images, "groups": [_describe_group(tx, group) for group in page.groups]}


def _describe_group(tx: ReadTx, group: Group) -> dict[str, Any]:
    """`kept` is the suggested image to keep, which is listed first. It is null if merging would lose something or
    nothing can be merged."""
    shown = group.images[:MAX_SHOWN]
    images = queries.list_group_images(tx, shown)
    candidates = candidate_queries.list_candidates(tx, shown)
    kept = None
    if len(candidates) > 1:
        proposed = propose(candidates)
        known = {one.uuid: one.image for one in candidates}
        kept = next((one.uuid for one in candidates if one.image == proposed.kept), None)
        images = [_explain(one, known[one.uuid], proposed) for one in images if one.uuid in known]
        images.sort(key=lambda one: one.uuid != kept)
    return {"bits": group.bits, "size": len(group.images), "kept": kept, "images": images}


def _explain(shown: GroupImage, image: GenerationId, proposed: Proposal) -> GroupImage:
    outcome = proposed.outcomes[image]
    return replace(shown, reason=proposed.reasons[image], copied=outcome.copied, lost=outcome.lost)
