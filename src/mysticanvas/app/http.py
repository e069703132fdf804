"""The application: routes behind the gate, errors as replies, the gallery's files."""

import logging
from functools import partial
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse
from starlette.exceptions import HTTPException

from mysticanvas import __version__
from mysticanvas.app.services import Services
from mysticanvas.domain.errors import (
    ConflictError,
    InvalidInputError,
    LibraryError,
    MystiCanvasError,
    NotFoundError,
    QueryError,
    TaskError,
    TimeLimitError,
)
from mysticanvas.domain.text import clean
from mysticanvas.features.archive import routes as archive_routes
from mysticanvas.features.autotag import routes as autotag_routes
from mysticanvas.features.backups import routes as backup_routes
from mysticanvas.features.collections import routes as collection_routes
from mysticanvas.features.doctor import routes as doctor_routes
from mysticanvas.features.duplicates import routes as duplicate_routes
from mysticanvas.features.events import routes as event_routes
from mysticanvas.features.folders import routes as folder_routes
from mysticanvas.features.history import routes as history_routes
from mysticanvas.features.images import routes as image_routes
from mysticanvas.features.journal import routes as journal_routes
from mysticanvas.features.lineage import routes as lineage_routes
from mysticanvas.features.models import routes as model_routes
from mysticanvas.features.sidecars import routes as sidecar_routes
from mysticanvas.features.tags import routes as tag_routes
from mysticanvas.features.templates import routes as template_routes
from mysticanvas.features.trash import routes as trash_routes
from mysticanvas.features.verify import routes as verify_routes
from mysticanvas.features.vision import routes as vision_routes
from mysticanvas.features.wd_tagger import routes as wd_tagger_routes
from mysticanvas.http.gate import Gate
from mysticanvas.http.openapi import describe
from mysticanvas.http.passwords import TooManyAttemptsError
from mysticanvas.http.schemas import CodeIn, reply
from mysticanvas.jobs import routes as job_routes
from mysticanvas.search import routes as search_routes
from mysticanvas.search.snapshots import SnapshotGoneError

log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[MystiCanvasError], int], ...] = (
    (SnapshotGoneError, 410),
    (NotFoundError, 404),
    (InvalidInputError, 400),
    (ConflictError, 409),
    (TimeLimitError, 503),
    (LibraryError, 503),
    (TaskError, 502),
    (TooManyAttemptsError, 429),
)
_NOT_BUILT = "The gallery is not built yet. Run: python3 dev.py run"


def build_app(services: Services) -> FastAPI:
    app = FastAPI(
        title="MystiCanvas", version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/openapi.json"
    )
    for module in (
        search_routes,
        image_routes,
        history_routes,
        tag_routes,
        collection_routes,
        trash_routes,
        duplicate_routes,
        autotag_routes,
        template_routes,
        lineage_routes,
        model_routes,
        archive_routes,
        journal_routes,
        folder_routes,
        job_routes,
        doctor_routes,
        event_routes,
        backup_routes,
        sidecar_routes,
        verify_routes,
        wd_tagger_routes,
        vision_routes,
    ):
        app.include_router(module.routes(services))
    app.include_router(_session_routes(services))
    app.include_router(_page_routes(services))
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    app.add_exception_handler(MystiCanvasError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_shape)
    app.add_exception_handler(HTTPException, _refuse_http)
    app.add_middleware(Gate, sessions=services.sessions, origins=services.origins)
    return app


def _session_routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["session"])
    sessions = services.sessions

    @router.post("/session")
    def sign_in(asked: CodeIn, request: Request) -> Response:
        """By a code that is good once, or by the password of a library that other machines may ask."""
        cookie = sessions.redeem(asked.code)
        if cookie is None and services.passwords.is_set:
            # The address of the connection: what a header says of it may be anybody's word.
            address = request.client.host if request.client else ""
            if not services.passwords.accepts(asked.code, address=address):
                return reply({"error": "That is not the password, and no code that is still good."}, 403)
            cookie = sessions.cookie
        if cookie is None:
            return reply({"error": "This code has been used or is too old. Open MystiCanvas from the app again."}, 403)
        secure = request.headers.get("origin", "").startswith("https://")
        answer = Response(status_code=204)
        answer.set_cookie(sessions.cookie_name, cookie, httponly=True, samesite="strict", secure=secure, path="/")
        return answer

    @router.post("/session/code")
    async def new_code() -> Response:
        return reply({"url": f"{services.base_url}/#t={sessions.new_code()}"})

    @router.get("/events")
    async def follow(
        since: Annotated[str | None, Query(max_length=20)] = None,
        last_event_id: Annotated[str | None, Header(max_length=20)] = None,
    ) -> Response:
        """`since` is the number of the last message heard, for who opens another stream; the header
        is what a browser sends that opens the same one again."""
        last = last_event_id or since or ""
        seen = int(last) if last.isascii() and last.isdigit() else None
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(services.live.follow(seen), headers=headers, media_type="text/event-stream")

    return router


def _page_routes(services: Services) -> APIRouter:
    """The built gallery. Every page of it is one file; what it shows is in the address."""
    router = APIRouter(include_in_schema=False)
    static = services.static
    assets = {path.name: path for path in (static / "assets").glob("*") if path.is_file()}
    others = {path.name: path for path in static.glob("*") if path.is_file()}

    @router.get("/assets/{name}")
    async def asset(name: str) -> Response:
        if name not in assets:
            raise NotFoundError("There is no such file.")
        return FileResponse(assets[name], headers={"cache-control": "public, max-age=31536000, immutable"})

    @router.get("/{path:path}")
    async def page(path: str) -> Response:
        if path.startswith("api/"):
            raise NotFoundError("There is no such address.")
        file = others.get(path) or others.get("index.html")
        if file is None:
            return PlainTextResponse(_NOT_BUILT, 503)
        return FileResponse(file, headers={"cache-control": "no-cache"})

    return router


async def _refuse(_: Request, error: Exception) -> Response:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    body: dict[str, object] = {"error": clean(str(error))}
    if isinstance(error, QueryError):
        body |= {"position": error.position, "suggestion": error.suggestion}
    return reply(body, status)


async def _refuse_shape(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = " ".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
    return reply({"error": clean(f"{place or 'The request'}: {first['msg']}.")}, 400)


async def _refuse_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return reply({"error": str(error.detail)}, error.status_code)
