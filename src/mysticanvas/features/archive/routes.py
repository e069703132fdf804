"""Routes that export all user data, as text or for an archive."""

from collections.abc import Iterator

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.features.archive import export as archive_export
from mysticanvas.features.archive import service
from mysticanvas.http.responses import JSON_LINES, returns_file

EXPORT_LIMIT_MS = 300_000
EXAMPLE_EXPORT = (
    '{"mysticanvas": 1, "refused_tags": [], "vocabulary": ["tag storm : weather"]}\n'
    '{"favorite": true, "rating": 5, "uuid": "0b7e7c1c-6f9f-4f1e-8a43-6b1a2e5c9d01"}\n'
)
EXAMPLE_ARCHIVE = '{"kind":"wildcard","key":"light","content":"dawn","updated_at":1787400000000}\n'


def routes(database: Database) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.get(
        "/library/export",
        operation_id="library.export",
        responses=returns_file(JSON_LINES, "One JSON object per line.", example=EXAMPLE_EXPORT),
    )
    def export() -> Response:
        """All user data, one JSON object per line, from one snapshot of the database."""
        text = "\n".join(database.read_within(EXPORT_LIMIT_MS, _list_lines))
        return StreamingResponse(_split_into_chunks(text + "\n" if text else ""), media_type=JSON_LINES)

    @router.get(
        "/library/archive",
        operation_id="library.exportArchive",
        responses=returns_file(JSON_LINES, "One entry per line.", example=EXAMPLE_ARCHIVE),
    )
    def export_archive() -> Response:
        """The entries of an archive, one JSON object per line, from one snapshot of the database."""
        found = database.read_within(
            EXPORT_LIMIT_MS, lambda tx: b"".join(line + b"\n" for line in service.generate_lines(tx))
        )
        return Response(found, media_type=JSON_LINES)

    return router


def _list_lines(tx: ReadTx) -> list[str]:
    return list(archive_export.generate_lines(tx))


def _split_into_chunks(text: str) -> Iterator[str]:
    for start in range(0, len(text), 1 << 18):
        yield text[start : start + (1 << 18)]
