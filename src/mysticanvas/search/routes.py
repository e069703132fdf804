"""Snapshots of search results, facets, autocomplete, statistics, keyset pages."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from mysticanvas.db.database import Database
from mysticanvas.db.images import generations
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.query import (
    Field,
    LooksLikeImage,
    LooksLikeText,
    Node,
    Not,
    Similar,
    SimilarMeaning,
    Sort,
    Text,
)
from mysticanvas.domain.query import Query as Tree
from mysticanvas.edits import log as edit_log
from mysticanvas.http.cancellation import run_while_connected
from mysticanvas.http.schemas import MAX_QUERY, Index, Int64, NarrowIn, QueryIn, reply
from mysticanvas.search import autocomplete, facets, highlight, language, query_json, resolve, snapshots, statistics
from mysticanvas.search.snapshots import Snapshot, Snapshots

Words = Annotated[str, Query(max_length=MAX_QUERY)]
Limit = Annotated[int, Query(ge=0, le=100_000)]
Fields = Annotated[list[str], Query(max_length=20)]
Uuid = Annotated[str, Query(max_length=64)]


def routes(database: Database, store: Snapshots) -> APIRouter:
    router = APIRouter(tags=["search"])
    _add_views(router, database, store)
    _add_snapshots(router, database, store)
    _add_counts(router, database, store)
    _add_pages(router, store)
    return router


def _add_views(router: APIRouter, database: Database, store: Snapshots) -> None:
    """Adds the routes that open a snapshot."""

    @router.post("/snapshots", operation_id="snapshots.open")
    async def open_query(asked: QueryIn, request: Request) -> Response:
        return reply(await run_while_connected(request, lambda: _describe_snapshot(database, store.open(asked.q))))

    @router.post("/trash/snapshots", operation_id="trash.openSnapshot")
    async def open_trash(request: Request) -> Response:
        return reply(await run_while_connected(request, lambda: _describe_snapshot(database, store.open_trash())))

    @router.post("/snapshots/{token}:narrow", operation_id="snapshots.narrow")
    async def narrow(token: str, asked: NarrowIn, request: Request) -> Response:
        """Open a new snapshot with the selected images of this snapshot that match `q`."""
        found = await run_while_connected(
            request, store.narrow, store.get(token), asked.ranges, asked.excluded, asked.q
        )
        return reply(_describe_snapshot(database, found))


def _add_snapshots(router: APIRouter, database: Database, store: Snapshots) -> None:

    @router.get("/snapshots/{token}/geometry", operation_id="snapshots.getGeometry")
    async def geometry(token: str, request: Request) -> Response:
        snapshot = store.get(token)
        etag = f'"{snapshot.token}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"etag": etag})
        ratios = await run_while_connected(request, store.geometry, snapshot)
        return Response(ratios, media_type="application/octet-stream", headers={"etag": etag})

    @router.get("/snapshots/{token}/items", operation_id="snapshots.listItems")
    async def items(token: str, start: Index, count: Annotated[int, Query(ge=1, le=snapshots.MAX_ITEMS)]) -> Response:
        return reply(database.read(snapshots.read_items, store.get(token), start, count))

    @router.get("/snapshots/{token}/position", operation_id="snapshots.findPosition")
    async def position(token: str, uuid: Uuid) -> Response:
        """The index of an image in the snapshot; null if it is not in the snapshot or does not exist."""
        snapshot = store.get(token)
        found = database.read(edit_log.find_images, [uuid])
        return reply({"index": snapshots.find_position(snapshot, found[0]) if found else None})

    @router.get("/snapshots/{token}/newer", operation_id="snapshots.countNewer")
    async def newer(token: str, request: Request) -> Response:
        return reply({"count": await run_while_connected(request, store.count_newer, store.get(token))})

    @router.get("/snapshots/{token}/highlights", operation_id="snapshots.getHighlights")
    async def highlights(token: str, uuid: Uuid) -> Response:
        """Where the words of the query occur in the image's text fields, as half-open character ranges [from, to)."""
        return reply(database.read(highlight.highlight_image, store.get(token).query, uuid))


def _add_counts(router: APIRouter, database: Database, store: Snapshots) -> None:
    finder = store.finder

    @router.get("/facets/one", operation_id="snapshots.listFacetValues")
    async def facet(
        request: Request, snapshot: str, field: str, q: Annotated[str, Query(max_length=200)] = "", limit: Limit = 20
    ) -> Response:
        query, one = store.get(snapshot).query, facets.find_field(field)
        found = await run_while_connected(request, finder.facets, query, [one], containing=q, limit=limit)
        return reply({"values": found[one]})

    @router.get("/snapshots/{token}/facets", operation_id="snapshots.listFacets")
    async def all_facets(token: str, request: Request, field: Fields = [], limit: Limit = 20) -> Response:  # noqa: B006
        """The facets of several fields. Without `field`, those of all fields."""
        fields = [facets.find_field(name) for name in field] or list(facets.FIELDS)
        found = await run_while_connected(request, finder.facets, store.get(token).query, fields, limit=limit)
        return reply({"facets": {one.written: values for one, values in found.items()}})

    @router.get("/completions", operation_id="search.complete")
    async def complete(request: Request, q: Words = "", at: Index = MAX_QUERY) -> Response:
        return reply(await run_while_connected(request, autocomplete.complete, finder, q, at))

    @router.get("/stats", operation_id="search.getStatistics")
    async def stats(request: Request, q: Words = "") -> Response:
        return reply(
            await run_while_connected(request, statistics.compute_statistics, database, finder, language.parse(q))
        )


def _add_pages(router: APIRouter, store: Snapshots) -> None:
    finder = store.finder

    @router.get("/images", operation_id="images.list")
    async def search(request: Request, q: Words = "", limit: Limit = 50, after: Int64 | None = None) -> Response:
        query = language.parse(q)

        def answer() -> dict[str, Any]:
            hits = finder.page(query, after=after, limit=limit) if limit else []
            total = finder.count(query)
            return {"total": total, "items": hits, "next": hits[-1].id if hits and len(hits) == limit else None}

        return reply(await run_while_connected(request, answer))

    @router.get("/facets", operation_id="search.listFacets")
    async def search_facets(request: Request, q: Words = "", field: Fields = [], limit: Limit = 20) -> Response:  # noqa: B006
        fields = [facets.find_field(name) for name in field] or list(facets.FIELDS)
        found = await run_while_connected(request, finder.facets, language.parse(q), fields, limit=limit)
        return reply({"facets": {one.written: values for one, values in found.items()}})


def _describe_snapshot(database: Database, snapshot: Snapshot) -> dict[str, Any]:
    query = snapshot.query
    parts = language.format_parts(query)
    filters = [
        *_build_similar_chip(database, query.similar),
        *(_build_chip(node, text) for node, text in parts if not _is_text(node)),
        *([_build_sort_chip(query.sort)] if query.sort else []),
    ]
    return {
        "snapshot": snapshot.token,
        "q": language.write(query),
        "total": snapshot.total,
        "sections": snapshot.sections,
        "filters": filters,
        "words": [_build_chip(node, text) for node, text in parts if _is_text(node)],
        "sort": query.order.by,
        "query": query_json.write(query),
        "unknown": _describe_unknown(database, query),
    }


def _is_text(node: Node) -> bool:
    inner = node.part if isinstance(node, Not) else node
    return isinstance(inner, Text) and inner.field is None


def _build_chip(node: Node, text: str) -> dict[str, object]:
    """`field` is "text" for words and "any" for a group; `value` is the text after the colon."""
    negated = isinstance(node, Not)
    plain = text.removeprefix("-") if negated else text
    inner = node.part if isinstance(node, Not) else node
    if isinstance(inner, Text) and inner.field is None:
        return {"text": text, "field": "text", "value": inner.text, "negated": negated}
    field, colon, value = plain.partition(":")
    if language.find_field(field) is None or plain.startswith("("):
        return {"text": text, "field": "any", "value": plain, "negated": negated}
    return {"text": text, "field": field, "value": value.strip('"') if colon else plain, "negated": negated}


def _build_similar_chip(database: Database, similar: Similar | None) -> list[dict[str, object]]:
    """`value` is the text, or the prompt of the image (for visual search, its ID if it has no prompt). `field` is
    "looks" for visual search."""
    if similar is None:
        return []
    value = (
        similar.text if isinstance(similar, SimilarMeaning | LooksLikeText) else _read_prompt(database, similar.uuid)
    )
    if isinstance(similar, LooksLikeImage):
        value = value or similar.uuid[:8]
    field = "looks" if isinstance(similar, LooksLikeText | LooksLikeImage) else "similar"
    return [{"text": language.format_similar(similar), "field": field, "value": value, "negated": False}]


def _read_prompt(database: Database, uuid: str) -> str:
    images = database.read(resolve.find_by_uuid, uuid)
    return (database.read(generations.get_detail, GenerationId(images[0])).prompt or "") if images else ""


def _build_sort_chip(sort: Sort) -> dict[str, object]:
    text = language.format_sort(sort)
    return {"text": text, "field": Field.SORT.written, "value": text.partition(":")[2], "negated": False}


def _describe_unknown(database: Database, query: Tree) -> list[dict[str, object]]:
    """The names that do not exist, each with the most similar existing name as a suggested term."""
    return [
        {
            "field": unknown.field.written,
            "value": unknown.value,
            "text": language.format_node(facets.build_term(unknown.field, unknown.value)),
            "suggestion": unknown.nearest and language.format_node(facets.build_term(unknown.field, unknown.nearest)),
        }
        for unknown in database.read(resolve.find_unknown_names, query)
    ]
