"""Routes that export all user data, as text or for an archive."""

from collections.abc import Iterator

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.features.archive import export as archive_export
from mysticanvas.features.archive import service

EXPORT_LIMIT_MS = 300_000


def routes(database: Database) -> APIRouter:
    router = APIRouter(tags=["templates"])

    @router.get("/library/export", operation_id="library.export")
    def export() -> Response:
        """All user data, one JSON object per line, from one snapshot of the database."""
        text = "\n".join(database.read_within(EXPORT_LIMIT_MS, _list_lines))
        return StreamingResponse(_split_into_chunks(text + "\n" if text else ""), media_type="application/x-ndjson")

    @router.get("/library/archive", operation_id="library.exportArchive")
    def export_archive() -> Response:
        """The entries of an archive, one JSON object per line, from one snapshot of the database."""
        found = database.read_within(
            EXPORT_LIMIT_MS, lambda tx: b"".join(line + b"\n" for line in service.generate_lines(tx))
        )
        return Response(found, media_type="application/x-ndjson")

    return router


def _list_lines(tx: ReadTx) -> list[str]:
    return list(archive_export.generate_lines(tx))


def _split_into_chunks(text: str) -> Iterator[str]:
    for start in range(0, len(text), 1 << 18):
        yield text[start : start + (1 << 18)]
