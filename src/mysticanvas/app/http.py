"""The web application: all routes, protected by `Gate`, and the mapping of errors to HTTP status codes."""

import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from mysticanvas import __version__
from mysticanvas.app.parts import Parts
from mysticanvas.db.io_errors import DISK_ERRORS, DISK_FULL, build_library_error, describe_full_disk
from mysticanvas.domain.errors import (
    ConfirmationRequiredError,
    ConflictError,
    InvalidInputError,
    LibraryError,
    MystiCanvasError,
    NotFoundError,
    QueryError,
    TaskError,
    TimeLimitError,
)
from mysticanvas.domain.text import clean_text
from mysticanvas.features.base import Feature
from mysticanvas.http import pages, reference
from mysticanvas.http.binding import GalleryAddress
from mysticanvas.http.etags import ChangedError
from mysticanvas.http.gate import Gate
from mysticanvas.http.openapi import describe
from mysticanvas.http.passwords import TooManyAttemptsError
from mysticanvas.http.problems import KINDS, respond
from mysticanvas.http.responses import API
from mysticanvas.http.sessions import Sessions
from mysticanvas.jobs import routes as job_routes
from mysticanvas.search import routes as search_routes
from mysticanvas.search.snapshots import SnapshotGoneError

log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[MystiCanvasError], int], ...] = (
    (SnapshotGoneError, 410),
    (NotFoundError, 404),
    (QueryError, 400),
    (InvalidInputError, 422),
    (ChangedError, 412),
    (ConflictError, 409),
    (TimeLimitError, 503),
    (LibraryError, 503),
    (TaskError, 502),
    (TooManyAttemptsError, 429),
)


def build_app(parts: Parts, features: Sequence[Feature]) -> FastAPI:
    app = FastAPI(
        title="MystiCanvas", version=__version__, docs_url=None, redoc_url=None, openapi_url=f"{API}/openapi.json"
    )
    builders: list[Callable[..., APIRouter]] = [search_routes.routes, job_routes.routes]
    for feature in features:
        builders += feature.routes
    for routes in builders:
        app.include_router(parts.call(routes), prefix=API)
    document = partial(describe, app)
    app.include_router(reference.routes(document))
    # Last, because it matches every path that no other route does.
    app.include_router(pages.routes())
    app.openapi = document  # type: ignore[method-assign]
    app.add_exception_handler(MystiCanvasError, _refuse)
    for kind in DISK_ERRORS:
        app.add_exception_handler(kind, _refuse_disk)
    app.add_exception_handler(OSError, _refuse_full_disk)
    app.add_exception_handler(RequestValidationError, _refuse_shape)
    app.add_exception_handler(HTTPException, _refuse_http)
    app.add_middleware(Gate, sessions=parts.get(Sessions), origins=parts.get(GalleryAddress).origins)
    return app


async def _refuse(_: Request, error: Exception) -> Response:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    headers, where = {}, {}
    if isinstance(error, QueryError):
        where = {"position": error.position, "suggestion": error.suggestion}
    if isinstance(error, ConfirmationRequiredError):
        where["confirm"] = error.confirm
    if isinstance(error, TooManyAttemptsError):
        headers["retry-after"] = str(max(1, math.ceil(error.wait_s)))
    return respond(status, clean_text(str(error)), headers=headers, **where)


async def _refuse_disk(request: Request, error: Exception) -> Response:
    log.error("the database could not be used", exc_info=error)
    return await _refuse(request, build_library_error(error, "used"))


async def _refuse_full_disk(request: Request, error: Exception) -> Response:
    if not isinstance(error, OSError) or error.errno not in DISK_FULL:
        raise error
    return await _refuse(request, LibraryError(describe_full_disk(error)))


async def _refuse_shape(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = " ".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
    # Text that is not JSON has no values that could be wrong.
    status = 400 if first["type"] == "json_invalid" else 422
    return respond(status, clean_text(f"{place or 'The request'}: {first['msg']}."))


async def _refuse_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # Starlette's own errors have no sentence.
    is_bare = str(error.detail) == HTTPStatus(error.status_code).phrase and error.status_code in KINDS
    detail = KINDS[error.status_code].description if is_bare else str(error.detail)
    return respond(error.status_code, detail, headers=error.headers)
