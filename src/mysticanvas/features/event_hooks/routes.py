"""The hooks of this library. No route adds or changes a command or a URL."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from mysticanvas.db.database import Database
from mysticanvas.features.event_hooks import service
from mysticanvas.features.event_hooks.service import HookList, HookView
from mysticanvas.http.responses import reply


class HookIn(BaseModel):
    enabled: bool


def routes(database: Database) -> APIRouter:
    router = APIRouter(tags=["hooks"])

    @router.get("/hooks", responses={200: {"model": HookList}}, operation_id="hooks.list")
    def list_hooks() -> Response:
        """List the hooks. Commands and URLs are set on the machine itself, with `mysticanvas hook add`."""
        return reply(service.list_hooks(database))

    @router.patch("/hooks/{hook}", responses={200: {"model": HookView}}, operation_id="hooks.update")
    def update(hook: Annotated[str, Path(max_length=64)], asked: HookIn) -> Response:
        """Turn a hook off, or on again. While a hook is off, nothing is recorded for it, and waiting deliveries are
        dropped."""
        return reply(service.set_enabled(database, hook, asked.enabled))

    return router
