"""Serves the built gallery: a single-page app with the same index.html for every path."""

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, PlainTextResponse

from mysticanvas.domain.errors import NotFoundError

STATIC = Path(__file__).parent / "static"
_NOT_BUILT = "The gallery is not built yet. Run: python3 dev.py run"


def routes() -> APIRouter:
    router = APIRouter(include_in_schema=False)
    assets = {path.name: path for path in (STATIC / "assets").glob("*") if path.is_file()}
    others = {path.name: path for path in STATIC.glob("*") if path.is_file()}

    @router.get("/assets/{name}")
    async def asset(name: str) -> Response:
        if name not in assets:
            raise NotFoundError("This file does not exist.")
        return FileResponse(assets[name], headers={"cache-control": "public, max-age=31536000, immutable"})

    @router.get("/{path:path}")
    async def page(path: str) -> Response:
        if path.startswith("api/"):
            raise NotFoundError("This API route does not exist.")
        file = others.get(path) or others.get("index.html")
        if file is None:
            return PlainTextResponse(_NOT_BUILT, 503)
        return FileResponse(file, headers={"cache-control": "no-cache"})

    return router
