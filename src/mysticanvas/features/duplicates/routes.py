"""Duplicates over HTTP: list groups, merge a group."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.similarity import DuplicateKind
from mysticanvas.edits import log as edit_log
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EXAMPLE_RESULT, EditResult
from mysticanvas.features.duplicates import candidate_queries, queries, schemas
from mysticanvas.features.duplicates.edits import MergeDuplicates
from mysticanvas.features.duplicates.proposal import Proposal, propose
from mysticanvas.features.duplicates.queries import GroupImage
from mysticanvas.features.duplicates.schemas import DuplicateGroup, DuplicatePage
from mysticanvas.http.cancellation import run_while_connected
from mysticanvas.http.responses import link_next, reply, returns
from mysticanvas.search.duplicates import Duplicates, Group, Page

# Only this many images of a group are returned; the rest follow once some of these are merged.
MAX_SHOWN = 100


def routes(database: Database, duplicates: Duplicates, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["duplicates"])

    @router.get("/duplicates", operation_id="duplicates.list", responses=returns(DuplicatePage, schemas.EXAMPLE_PAGE))
    async def list_groups(
        request: Request,
        by: DuplicateKind = DuplicateKind.PICTURE,
        start: Annotated[int, Query(ge=0, le=1 << 40)] = 0,
        count: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        """List groups of duplicates, the one with the newest image first."""

        def load_page() -> DuplicatePage:
            return database.read(_describe_page, duplicates.page(by, start=start, count=count), start)

        page = await run_while_connected(request, load_page)
        return reply(page, headers=link_next(request, start=page.next))

    @router.post("/duplicates:merge", operation_id="duplicates.merge", responses=returns(EditResult, EXAMPLE_RESULT))
    def merge(asked: schemas.MergeDuplicatesRequest) -> Response:
        """Merge duplicates: keep an image of a group, and move the others to Trash."""
        others = database.read(edit_log.find_images, asked.others)
        return reply(edits.do(MergeDuplicates(kept=asked.kept, accept_loss=asked.accept_loss), others))

    return router


def _describe_page(tx: ReadTx, page: Page, start: int) -> DuplicatePage:
    end = start + len(page.groups)
    groups = [_describe_group(tx, group) for group in page.groups]
    return DuplicatePage(page.total, page.images, groups, end if end < page.total and page.groups else None)


def _describe_group(tx: ReadTx, group: Group) -> DuplicateGroup:
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
    return DuplicateGroup(group.bits, len(group.images), kept, images)


def _explain(shown: GroupImage, image: GenerationId, proposed: Proposal) -> GroupImage:
    outcome = proposed.outcomes[image]
    return replace(shown, reason=proposed.reasons[image], copied=outcome.copied, lost=outcome.lost)
