"""The hooks of this library. No route adds or changes a command or a URL."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from mysticanvas.db.database import Database
from mysticanvas.domain.event import EventKind
from mysticanvas.features.event_hooks import service
from mysticanvas.features.event_hooks.service import HookList, HookView
from mysticanvas.http.responses import reply, returns


class HookUpdateRequest(BaseModel):
    """`enabled`: false turns the hook off."""

    enabled: bool


EXAMPLE = HookView(
    id="3f9a1c20",
    event=EventKind.IMAGE_ADDED,
    command=["python3", "react.py"],
    url=None,
    enabled=True,
    created_at=1_787_400_000_000,
)
EXAMPLE_LIST = HookList([EXAMPLE], problem=None, file="/home/you/library/hooks.json")


def routes(database: Database) -> APIRouter:
    router = APIRouter(tags=["hooks"])

    @router.get("/hooks", operation_id="hooks.list", responses=returns(HookList, EXAMPLE_LIST))
    def list_hooks() -> Response:
        """List the hooks. Commands and URLs are set on the machine itself, with `mysticanvas hook add`."""
        return reply(service.list_hooks(database))

    @router.patch("/hooks/{hook}", operation_id="hooks.update", responses=returns(HookView, EXAMPLE))
    def update(hook: Annotated[str, Path(max_length=64)], asked: HookUpdateRequest) -> Response:
        """Turn a hook off, or on again. While a hook is off, nothing is recorded for it, and waiting deliveries are
        dropped."""
        return reply(service.set_enabled(database, hook, asked.enabled))

    return router
