"""The event log, as pages and as a JSON Lines file; and the stream of events."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse

from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.db.event_log import EntryFilter
from mysticanvas.domain.event import EventKind
from mysticanvas.features.events.schemas import StreamEvent
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import Index
from mysticanvas.http.sse import EventStream

EXPORTED_AT_ONCE = 1_000
Moment = Annotated[int, Query(ge=0, le=1 << 45)]


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

    @router.get("/events", operation_id="events.list")
    def list_events(
        selected: Filter, before: Index | None = None, limit: Annotated[int, Query(ge=1, le=10_000)] = 100
    ) -> Response:
        """List events, newest first. Pass `before` from the response to get the next page; it is null on the last
        page."""
        found = database.read(event_log.list_newest, before=before, wanted=selected, limit=limit)
        return reply({"events": found, "before": found[-1].id if len(found) == limit else None})

    @router.get("/events/kinds", operation_id="events.listKinds")
    def list_kinds() -> Response:
        return reply({"kinds": database.read(event_log.count_by_kind)})

    @router.get("/events/export", operation_id="events.export")
    def export(selected: Filter) -> Response:
        """Download all matching events as JSON Lines, newest first."""
        headers = {"content-disposition": 'attachment; filename="mysticanvas-events.jsonl"'}
        return StreamingResponse(_iterate_lines(database, selected), headers=headers, media_type="application/x-ndjson")

    return router


class _EventStreamResponse(StreamingResponse):
    media_type = "text/event-stream"


def stream_routes(stream: EventStream) -> APIRouter:
    router = APIRouter(tags=["events"])

    @router.get(
        "/events/stream",
        response_class=_EventStreamResponse,
        responses={200: {"model": StreamEvent, "description": "Events, until you close the connection."}},
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
