"""The event log, as pages and as a JSON Lines file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.db.event_log import EntryFilter, LogEntry
from mysticanvas.http.responses import JSON_LINES, link_next, reply, returns, returns_file, split_page
from mysticanvas.http.schemas import Index

EXPORTED_AT_ONCE = 1_000
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


def _iterate_lines(database: Database, selected: EntryFilter) -> Iterator[bytes]:
    """The events as JSON Lines, one chunk per page. Each page is a separate read, so a slow client never holds a read
    transaction open."""
    before: int | None = None
    while page := database.read(event_log.list_newest, before=before, wanted=selected, limit=EXPORTED_AT_ONCE):
        before = page[-1].id
        yield b"".join(msgspec.json.encode(one) + b"\n" for one in page)
