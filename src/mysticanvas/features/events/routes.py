"""What happened in the library: listed by pages, and as a file of JSON lines."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.db.event_log import Wanted
from mysticanvas.http.schemas import Index, reply

EXPORTED_AT_ONCE = 1_000
Moment = Annotated[int, Query(ge=0, le=1 << 45)]


def _wanted(
    level: Annotated[list[Literal["info", "warning", "error"]] | None, Query(max_length=3)] = None,
    kind: Annotated[list[Annotated[str, Query(max_length=60)]] | None, Query(max_length=100)] = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Wanted:
    """Levels and kinds may be given several times; times are Unix milliseconds."""
    return Wanted(level or (), kind or (), since, until)


Asked = Annotated[Wanted, Depends(_wanted)]


def routes(database: Database) -> APIRouter:
    router = APIRouter(prefix="/api/log", tags=["library"])

    @router.get("")
    def listed(
        wanted: Asked, before: Index | None = None, limit: Annotated[int, Query(ge=1, le=10_000)] = 100
    ) -> Response:
        """Newest first; `before` of the reply asks for the next page, null at the end."""
        found = database.read(event_log.newest, before=before, wanted=wanted, limit=limit)
        return reply({"events": found, "before": found[-1].id if len(found) == limit else None})

    @router.get("/kinds")
    def kinds() -> Response:
        return reply({"kinds": database.read(event_log.kinds)})

    @router.get("/export")
    def export(wanted: Asked) -> Response:
        """One entry a line, newest first."""
        headers = {"content-disposition": 'attachment; filename="mysticanvas-events.jsonl"'}
        return StreamingResponse(_lines(database, wanted), headers=headers, media_type="application/x-ndjson")

    return router


def _lines(database: Database, wanted: Wanted) -> Iterator[bytes]:
    """Page by page, so that no read of the database waits for the network."""
    before: int | None = None
    while page := database.read(event_log.newest, before=before, wanted=wanted, limit=EXPORTED_AT_ONCE):
        before = page[-1].id
        yield b"".join(msgspec.json.encode(one) + b"\n" for one in page)
