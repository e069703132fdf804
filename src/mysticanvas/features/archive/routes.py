"""The export of all that the person wrote."""

from collections.abc import Iterator

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.features.archive import export as archive_export
from mysticanvas.features.archive import service

EXPORT_LIMIT_MS = 300_000


def routes(database: Database) -> APIRouter:
    router = APIRouter(prefix="/api/export", tags=["templates"])

    @router.get("")
    def export() -> Response:
        """Lines of JSON, over one state of the library."""
        text = "\n".join(database.read_within(EXPORT_LIMIT_MS, _export))
        return StreamingResponse(_blocks(text + "\n"), media_type="application/x-ndjson")

    @router.get("/whole")
    def export_whole() -> Response:
        """The things of the journal, a line each, over one state of the library."""
        found = database.read_within(EXPORT_LIMIT_MS, lambda tx: b"\n".join(service.lines(tx)))
        return Response(found + b"\n", media_type="application/x-ndjson")

    return router


def _export(tx: ReadTx) -> list[str]:
    return list(archive_export.lines(tx))


def _blocks(text: str) -> Iterator[str]:
    for start in range(0, len(text), 1 << 18):
        yield text[start : start + (1 << 18)]
