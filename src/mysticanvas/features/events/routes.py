"""The event log, as pages and as a JSON Lines file; and the stream of events."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.db.event_log import EntryFilter, LogEntry
from mysticanvas.domain.event import EventKind
from mysticanvas.features.events.schemas import StreamEvent
from mysticanvas.http.responses import JSON_LINES, Responses, link_next, reply, returns, returns_file, split_page
from mysticanvas.http.schemas import Index
from mysticanvas.http.sse import EventStream

EXPORTED_AT_ONCE = 1_000
EXAMPLE_STREAM = (
    "id: 1829\nevent: image.added\n"
    'data: {"uuids": ["4f9c0d2e-7a1b-4c58-9d0e-2f6a8b3c5d71"], "count": 1, "total": 12480}\n\n'
)
EXAMPLE_LINE = (
    '{"id":812,"at":1787400000000,"level":"info","kind":"backup","subject":"20260822T200000-000000-hourly.db",'
    '"data":{"bytes":569344,"why":"hourly"}}\n'
)
Moment = Annotated[int, Query(ge=0, le=1 << 45)]


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first. `next` is the `before` of the next page; null on the last page."""

    events: list[LogEntry]
    next: int | None


@dataclass(frozen=True, slots=True)
class EventKinds:
    """The number of events of each kind that has any."""

    kinds: dict[str, int]


EXAMPLE = EventPage(
    [
        LogEntry(
            id=812,
            at=1_787_400_000_000,
            level="info",
            kind="backup",
            subject="20260822T200000-000000-hourly.db",
            data={"bytes": 569_344, "why": "hourly"},
        )
    ],
    next=812,
)


def _get_filter(
    level: Annotated[list[Literal["info", "warning", "error"]] | None, Query(max_length=3)] = None,
    kind: Annotated[list[Annotated[str, Query(max_length=60)]] | None, Query(max_length=100)] = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> EntryFilter:
    """`level` and `kind` can be repeated. `since` (inclusive) and `until` (exclusive): Unix times in milliseconds."""
    return EntryFilter(level or (), kind or (), since, until)


Filter = Annotated[EntryFilter, Depends(_get_filter)]


def routes(database: Database) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.get("/events", operation_id="events.list", responses=returns(EventPage, EXAMPLE))
    def list_events(
        request: Request,
        selected: Filter,
        before: Index | None = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    ) -> Response:
        """List events, newest first. To get the next page, pass `next` from the response as `before`."""
        found = database.read(event_log.list_newest, before=before, wanted=selected, limit=limit + 1)
        page = EventPage(*split_page(found, limit, lambda one: one.id))
        return reply(page, headers=link_next(request, before=page.next))

    @router.get(
        "/events/kinds",
        operation_id="events.listKinds",
        responses=returns(EventKinds, EventKinds({"backup": 24, "import": 3})),
    )
    def list_kinds() -> Response:
        """The number of events of each kind."""
        return reply(EventKinds(database.read(event_log.count_by_kind)))

    @router.get(
        "/events/export",
        operation_id="events.export",
        responses=returns_file(JSON_LINES, "One event per line, with the fields of `LogEntry`.", example=EXAMPLE_LINE),
    )
    def export(selected: Filter) -> Response:
        """Download all matching events as JSON Lines, newest first."""
        headers = {"content-disposition": 'attachment; filename="mysticanvas-events.jsonl"'}
        return StreamingResponse(_iterate_lines(database, selected), headers=headers, media_type=JSON_LINES)

    return router


class _EventStreamResponse(StreamingResponse):
    media_type = "text/event-stream"


_STREAM: Responses = {
    200: {
        "model": StreamEvent,
        "description": "Events, until you close the connection.",
        "content": {"text/event-stream": {"example": EXAMPLE_STREAM}},
    }
}


def stream_routes(stream: EventStream) -> APIRouter:
    router = APIRouter(tags=["events"])

    @router.get(
        "/events/stream",
        response_class=_EventStreamResponse,
        responses=_STREAM,
        operation_id="events.stream",
    )
    async def follow(
        types: Annotated[
            list[EventKind] | None,
            Query(max_length=20, description="Only events of these types. Without it, also events for the gallery."),
        ] = None,
        since: Annotated[str | None, Query(max_length=20)] = None,
        last_event_id: Annotated[str | None, Header(max_length=20)] = None,
    ) -> Response:
        """Stream events as they happen (server-sent events). Each event has an ID. To continue after an event, send its
        ID in the `Last-Event-ID` header, as browsers do when they reconnect, or as `since`. Events that were missed are
        sent first. If they are no longer available, or the server was restarted, a `reset` event is sent instead."""
        last = last_event_id or since or ""
        seen = int(last) if last.isascii() and last.isdigit() else None
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        kinds = None if types is None else frozenset(kind.value for kind in types)
        return _EventStreamResponse(stream.follow(seen, kinds), headers=headers)

    return router


def _iterate_lines(database: Database, selected: EntryFilter) -> Iterator[bytes]:
    """The events as JSON Lines, one chunk per page. Each page is a separate read, so a slow client never holds a read
    transaction open."""
    before: int | None = None
    while page := database.read(event_log.list_newest, before=before, wanted=selected, limit=EXPORTED_AT_ONCE):
        before = page[-1].id
        yield b"".join(msgspec.json.encode(one) + b"\n" for one in page)
