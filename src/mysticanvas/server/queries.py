"""Snapshots and their slices, counts by field, keyset pages."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from mysticanvas.domain.job import JobKind, JobPriority
from mysticanvas.domain.query import Term, Text
from mysticanvas.search import facets, language, paging, snapshots
from mysticanvas.server.services import Services
from mysticanvas.server.wire import MAX_QUERY, QueryIn, WantedIn, reply
from mysticanvas.store import generations, jobs

Words = Annotated[str, Query(max_length=MAX_QUERY)]
Limit = Annotated[int, Query(ge=0, le=100_000)]


def routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["search"])
    database, kept = services.database, services.snapshots

    @router.post("/queries")
    def open_query(asked: QueryIn) -> Response:
        snapshot = kept.open(asked.q)
        return reply(
            {
                "snapshot": snapshot.token,
                "q": language.write(snapshot.query),
                "total": snapshot.total,
                "sections": snapshot.sections,
                "filters": [_chip(term) for term in snapshot.query.terms if not isinstance(term, Text)],
                "words": [_chip(term) for term in snapshot.query.terms if isinstance(term, Text)],
            }
        )

    @router.get("/queries/{token}/geometry")
    async def geometry(token: str, request: Request) -> Response:
        snapshot = kept.get(token)
        etag = f'"{snapshot.token}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"etag": etag})
        ratios = snapshot.ratios_milli.astype("<u2", copy=False).tobytes()
        return Response(ratios, media_type="application/octet-stream", headers={"etag": etag})

    @router.get("/queries/{token}/items")
    async def items(
        token: str, start: Annotated[int, Query(ge=0)], count: Annotated[int, Query(ge=1, le=snapshots.MAX_ITEMS)]
    ) -> Response:
        snapshot = kept.get(token)
        return reply(database.read(snapshots.items, snapshot, start, count))

    @router.get("/queries/{token}/position")
    async def position(token: str, uuid: Annotated[str, Query(max_length=64)]) -> Response:
        snapshot = kept.get(token)
        return reply({"index": snapshots.position_of(snapshot, database.read(generations.id_of, uuid))})

    @router.get("/queries/{token}/newer")
    def newer(token: str) -> Response:
        return reply({"count": kept.newer(kept.get(token))})

    @router.get("/facets")
    def facet(snapshot: str, field: str, q: Annotated[str, Query(max_length=200)] = "", limit: Limit = 20) -> Response:
        query = kept.get(snapshot).query
        found = database.read(facets.values, query, field=field, beginning=q, limit=limit)
        return reply({"values": found})

    @router.get("/search")
    def search(q: Words = "", limit: Limit = 50, after: int | None = None) -> Response:
        query = language.parse(q)
        hits = database.read_within(snapshots.BUILD_LIMIT_MS, paging.page, query, after=after, limit=limit)
        total = database.read_within(snapshots.BUILD_LIMIT_MS, paging.count, query)
        return reply({"total": total, "items": hits, "next": hits[-1].id if len(hits) == limit and hits else None})

    @router.post("/thumbs/wanted")
    async def wanted(asked: WantedIn) -> Response:
        snapshot = kept.get(asked.snapshot)
        ids = snapshot.ids[asked.start : asked.start + asked.count].tolist()
        uuids = database.read(generations.uuids_of, ids)
        database.write_later(jobs.raise_priority, kind=JobKind.THUMB, unique_keys=uuids, priority=JobPriority.IN_VIEW)
        return Response(status_code=204)

    @router.get("/generations")
    async def page(
        q: Words = "", limit: Annotated[int, Query(ge=1, le=500)] = 100, after: int | None = None
    ) -> Response:
        query = language.parse(q)
        if limit > 100 and query.terms:
            # The event loop must not wait for a filter that finds little.
            hits = await run_in_threadpool(database.read, paging.page, query, after=after, limit=limit)
        else:
            hits = database.read(paging.page, query, after=after, limit=limit)
        return reply({"items": hits, "next": hits[-1].id if len(hits) == limit else None})

    return router


def _chip(term: Term) -> dict[str, object]:
    minus = "-" if term.negated else ""
    text = minus + language.written(term)
    field, _, value = language.written(term).partition(":")
    if isinstance(term, Text):
        field, value = "text", term.text
    return {"text": text, "field": field, "value": value, "negated": term.negated}
