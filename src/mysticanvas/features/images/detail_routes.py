"""All details of the images that a search finds, page by page, for exports and scripts."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database
from mysticanvas.features.images import detail_queries
from mysticanvas.http.cancellation import run_while_connected
from mysticanvas.http.schemas import MAX_QUERY, Int64, reply
from mysticanvas.search import language
from mysticanvas.search.snapshots import Snapshots

# A page takes a fraction of a second.
MAX_IMAGES = 1_000
READ_LIMIT_MS = 10_000


class ImageDetailsPage(BaseModel):
    """`next` continues the list as `after`; null on the last page."""

    items: list[detail_queries.ImageDetails]
    next: Int64 | None = Field(examples=[4711])


def routes(database: Database, snapshots: Snapshots) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["images"])
    finder = snapshots.finder

    @router.get("/image-details", operation_id="images.listDetails", response_model=ImageDetailsPage)
    async def list_details(
        request: Request,
        q: Annotated[str, Query(max_length=MAX_QUERY)] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_IMAGES)] = 100,
        after: Int64 | None = None,
    ) -> Response:
        """All details of the images that match a search: generation data, tags, collections and files."""
        query = language.parse(q)

        def answer() -> dict[str, Any]:
            hits = finder.page(query, after=after, limit=limit)
            items = database.read_within(READ_LIMIT_MS, detail_queries.list_details, [hit.id for hit in hits])
            return {"items": items, "next": hits[-1].id if len(hits) == limit else None}

        return reply(await run_while_connected(request, answer))

    return router
