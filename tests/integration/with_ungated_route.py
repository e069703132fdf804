"""`mysticanvas` with a planted bug: a route that stands before the gate."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from mysticanvas.app import orchestrator
from mysticanvas.app.cli import main
from mysticanvas.app.http import build_app
from mysticanvas.app.parts import Parts
from mysticanvas.features.base import Feature

UNGATED = "/api/v1/hello"


def build_with_ungated_route(parts: Parts, features: Sequence[Feature]) -> Starlette:
    async def hello(_: Request) -> JSONResponse:
        return JSONResponse({"hello": "whoever you are"})

    return Starlette(routes=[Route(UNGATED, hello), Mount("/", app=build_app(parts, features))])


if __name__ == "__main__":
    orchestrator.build_app = build_with_ungated_route  # type: ignore[assignment]
    main()
