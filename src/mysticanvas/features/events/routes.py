"""The event log, as pages and as a JSON Lines file."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.db.event_log import EntryFilter
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import Index

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


def _iterate_lines(database: Database, selected: EntryFilter) -> Iterator[bytes]:
    """The events as JSON Lines, one chunk per page. Each page is a separate read, so a slow client never holds a read
    transaction open."""
    before: int | None = None
    while page := database.read(event_log.list_newest, before=before, wanted=selected, limit=EXPORTED_AT_ONCE):
        before = page[-1].id
        yield b"".join(msgspec.json.encode(one) + b"\n" for one in page)
