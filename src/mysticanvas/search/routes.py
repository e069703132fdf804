"""Snapshots of search results, facets, autocomplete, statistics, keyset pages."""

from typing import Annotated

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
from mysticanvas.http.responses import link_next, reply, returns, returns_file, split_page
from mysticanvas.http.schemas import MAX_QUERY, Index, Int64, NarrowRequest, QueryRequest
from mysticanvas.search import autocomplete, facets, highlight, language, query_json, resolve, snapshots
from mysticanvas.search.autocomplete import Completion
from mysticanvas.search.schemas import (
    EXAMPLE_COMPLETION,
    EXAMPLE_FACETS,
    EXAMPLE_HIGHLIGHTS,
    EXAMPLE_ITEMS,
    EXAMPLE_PAGE,
    EXAMPLE_SNAPSHOT,
    EXAMPLE_STATISTICS,
    EXAMPLE_VALUES,
    Facets,
    FacetValues,
    Highlights,
    ImageCount,
    ImagePage,
    QueryTerm,
    SearchSnapshot,
    SnapshotItems,
    SnapshotPosition,
    UnknownName,
)
from mysticanvas.search.snapshots import Snapshot, Snapshots
from mysticanvas.search.statistics import Statistics, compute_statistics

Words = Annotated[str, Query(max_length=MAX_QUERY)]
Limit = Annotated[int, Query(ge=0, le=100_000)]
Fields = Annotated[list[str], Query(max_length=20)]
GEOMETRY = returns_file("application/octet-stream", "The aspect ratios, 2 bytes each.") | {
    304: {"description": "The aspect ratios have the ETag in If-None-Match."}
}
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

    @router.post("/snapshots", operation_id="snapshots.open", responses=returns(SearchSnapshot, EXAMPLE_SNAPSHOT))
    async def open_query(asked: QueryRequest, request: Request) -> Response:
        """Search, and keep the result as a snapshot.

        A snapshot expires when newer ones replace it. Requests for it then fail with status 410.
        """
        return reply(await run_while_connected(request, lambda: _describe_snapshot(database, store.open(asked.q))))

    @router.post(
        "/trash/snapshots", operation_id="trash.openSnapshot", responses=returns(SearchSnapshot, EXAMPLE_SNAPSHOT)
    )
    async def open_trash(request: Request) -> Response:
        """Open a snapshot of the images in Trash."""
        return reply(await run_while_connected(request, lambda: _describe_snapshot(database, store.open_trash())))

    @router.post(
        "/snapshots/{token}:narrow",
        operation_id="snapshots.narrow",
        responses=returns(SearchSnapshot, EXAMPLE_SNAPSHOT),
    )
    async def narrow(token: str, asked: NarrowRequest, request: Request) -> Response:
        """Open a new snapshot with the selected images of this snapshot that match `q`."""
        found = await run_while_connected(
            request, store.narrow, store.get(token), asked.ranges, asked.excluded, asked.q
        )
        return reply(_describe_snapshot(database, found))


def _add_snapshots(router: APIRouter, database: Database, store: Snapshots) -> None:

    @router.get("/snapshots/{token}/geometry", operation_id="snapshots.getGeometry", responses=GEOMETRY)
    async def geometry(token: str, request: Request) -> Response:
        """The aspect ratios of all images of a snapshot.

        One unsigned 16-bit little-endian number for each image: its width divided by its height, times 1,000.
        """
        snapshot = store.get(token)
        etag = f'"{snapshot.token}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"etag": etag})
        ratios = await run_while_connected(request, store.geometry, snapshot)
        return Response(ratios, media_type="application/octet-stream", headers={"etag": etag})

    @router.get(
        "/snapshots/{token}/items", operation_id="snapshots.listItems", responses=returns(SnapshotItems, EXAMPLE_ITEMS)
    )
    async def items(token: str, start: Index, count: Annotated[int, Query(ge=1, le=snapshots.MAX_ITEMS)]) -> Response:
        """List images of a snapshot as columns."""
        return reply(database.read(snapshots.read_items, store.get(token), start, count))

    @router.get(
        "/snapshots/{token}/position",
        operation_id="snapshots.findPosition",
        responses=returns(SnapshotPosition, SnapshotPosition(41)),
    )
    async def position(token: str, uuid: Uuid) -> Response:
        """The index of an image in the snapshot; null if it is not in the snapshot or does not exist."""
        snapshot = store.get(token)
        found = database.read(edit_log.find_images, [uuid])
        return reply(SnapshotPosition(snapshots.find_position(snapshot, found[0]) if found else None))

    @router.get(
        "/snapshots/{token}/newer", operation_id="snapshots.countNewer", responses=returns(ImageCount, ImageCount(3))
    )
    async def newer(token: str, request: Request) -> Response:
        """Count the images that match the search and were added after the snapshot was opened."""
        return reply(ImageCount(await run_while_connected(request, store.count_newer, store.get(token))))

    @router.get(
        "/snapshots/{token}/highlights",
        operation_id="snapshots.getHighlights",
        responses=returns(Highlights, EXAMPLE_HIGHLIGHTS),
    )
    async def highlights(token: str, uuid: Uuid) -> Response:
        """Where the words of the query occur in the image's text fields, as half-open character ranges [from, to)."""
        return reply(Highlights(**database.read(highlight.highlight_image, store.get(token).query, uuid)))


def _add_counts(router: APIRouter, database: Database, store: Snapshots) -> None:
    finder = store.finder

    @router.get(
        "/snapshots/{token}/facets/{field}",
        operation_id="snapshots.listFacetValues",
        responses=returns(FacetValues, EXAMPLE_VALUES),
    )
    async def facet(
        token: str, field: str, request: Request, q: Annotated[str, Query(max_length=200)] = "", limit: Limit = 20
    ) -> Response:
        """List the values of one field among the images of a snapshot, also those that contain `q`."""
        query, one = store.get(token).query, facets.find_field(field)
        found = await run_while_connected(request, finder.facets, query, [one], containing=q, limit=limit)
        return reply(FacetValues(found[one]))

    @router.get(
        "/snapshots/{token}/facets", operation_id="snapshots.listFacets", responses=returns(Facets, EXAMPLE_FACETS)
    )
    async def all_facets(token: str, request: Request, field: Fields = [], limit: Limit = 20) -> Response:  # noqa: B006
        """List the values of several fields among the images of a snapshot. Without `field`, those of all fields."""
        fields = [facets.find_field(name) for name in field] or list(facets.FIELDS)
        found = await run_while_connected(request, finder.facets, store.get(token).query, fields, limit=limit)
        return reply(Facets({one.written: values for one, values in found.items()}))

    @router.get("/completions", operation_id="search.complete", responses=returns(Completion, EXAMPLE_COMPLETION))
    async def complete(request: Request, q: Words = "", at: Index = MAX_QUERY) -> Response:
        """Complete the term of a search at the cursor, which is before the character `at`."""
        return reply(await run_while_connected(request, autocomplete.complete, finder, q, at))

    @router.get("/stats", operation_id="search.getStatistics", responses=returns(Statistics, EXAMPLE_STATISTICS))
    async def stats(request: Request, q: Words = "") -> Response:
        """Statistics of the images that match a search."""
        return reply(await run_while_connected(request, compute_statistics, database, finder, language.parse(q)))


def _add_pages(router: APIRouter, store: Snapshots) -> None:
    finder = store.finder

    @router.get("/images", operation_id="images.list", tags=["images"], responses=returns(ImagePage, EXAMPLE_PAGE))
    async def search(request: Request, q: Words = "", limit: Limit = 50, after: Int64 | None = None) -> Response:
        """Search images. To get the next page, pass `next` from the response as `after`."""
        query = language.parse(q)

        def load_page() -> ImagePage:
            found = finder.page(query, after=after, limit=limit + 1) if limit else []
            return ImagePage(finder.count(query), *split_page(found, limit, lambda one: one.id))

        page = await run_while_connected(request, load_page)
        return reply(page, headers=link_next(request, after=page.next))

    @router.get("/facets", operation_id="search.listFacets", responses=returns(Facets, EXAMPLE_FACETS))
    async def search_facets(request: Request, q: Words = "", field: Fields = [], limit: Limit = 20) -> Response:  # noqa: B006
        """List the values of several fields among the images that match a search. Without `field`, those of all
        fields."""
        fields = [facets.find_field(name) for name in field] or list(facets.FIELDS)
        found = await run_while_connected(request, finder.facets, language.parse(q), fields, limit=limit)
        return reply(Facets({one.written: values for one, values in found.items()}))


def _describe_snapshot(database: Database, snapshot: Snapshot) -> SearchSnapshot:
    query = snapshot.query
    parts = language.format_parts(query)
    filters = [
        *_build_similar_term(database, query.similar),
        *(_build_term(node, text) for node, text in parts if not _is_text(node)),
        *([_build_sort_term(query.sort)] if query.sort else []),
    ]
    return SearchSnapshot(
        snapshot=snapshot.token,
        q=language.write(query),
        total=snapshot.total,
        sections=snapshot.sections,
        filters=filters,
        words=[_build_term(node, text) for node, text in parts if _is_text(node)],
        sort=query.order.by,
        query=query_json.write(query),
        unknown=_describe_unknown(database, query),
    )


def _is_text(node: Node) -> bool:
    inner = node.part if isinstance(node, Not) else node
    return isinstance(inner, Text) and inner.field is None


def _build_term(node: Node, text: str) -> QueryTerm:
    negated = isinstance(node, Not)
    plain = text.removeprefix("-") if negated else text
    inner = node.part if isinstance(node, Not) else node
    if isinstance(inner, Text) and inner.field is None:
        return QueryTerm(text, "text", inner.text, negated)
    field, colon, value = plain.partition(":")
    if language.find_field(field) is None or plain.startswith("("):
        return QueryTerm(text, "any", plain, negated)
    return QueryTerm(text, field, value.strip('"') if colon else plain, negated)


def _build_similar_term(database: Database, similar: Similar | None) -> list[QueryTerm]:
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
    return [QueryTerm(language.format_similar(similar), field, value, negated=False)]


def _read_prompt(database: Database, uuid: str) -> str:
    images = database.read(resolve.find_by_uuid, uuid)
    return (database.read(generations.get_detail, GenerationId(images[0])).prompt or "") if images else ""


def _build_sort_term(sort: Sort) -> QueryTerm:
    text = language.format_sort(sort)
    return QueryTerm(text, Field.SORT.written, text.partition(":")[2], negated=False)


def _describe_unknown(database: Database, query: Tree) -> list[UnknownName]:
    """The names that do not exist, each with the most similar existing name as a suggested term."""
    return [
        UnknownName(
            unknown.field.written,
            unknown.value,
            language.format_node(facets.build_term(unknown.field, unknown.value)),
            unknown.nearest and language.format_node(facets.build_term(unknown.field, unknown.nearest)),
        )
        for unknown in database.read(resolve.find_unknown_names, query)
    ]
