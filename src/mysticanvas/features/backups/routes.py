"""Backups: listed, made, tried out, restored (I1)."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mysticanvas.db import backup as db_backup
from mysticanvas.db import event_log
from mysticanvas.db.backup import Backup
from mysticanvas.db.database import Database
from mysticanvas.features.backups.service import BackingUp, RestoreRequest
from mysticanvas.http.schemas import reply


class BackupIn(BaseModel):
    """A backup by the name that the list gives it; for a drill, none is the newest."""

    name: str | None = Field(None, max_length=200)


class RestoreIn(BaseModel):
    name: str = Field(max_length=200)


def routes(database: Database, backups: BackingUp, restore_request: RestoreRequest) -> APIRouter:
    router = APIRouter(prefix="/api/backups", tags=["library"])

    @router.post("")
    def back_up() -> Response:
        """Answers when it is made and checked; `GET` says meanwhile how far it is."""
        return reply(_shown(backups.back_up()))

    @router.get("")
    def list_backups() -> Response:
        """Newest first. `running`: the one that is being made. `drill`: the last one that was tried out."""
        drill = database.read(event_log.last_of, "backup.drill")
        return reply(
            {
                "backups": [_shown(one) for one in db_backup.listed(database.backups)],
                "folder": str(database.backups),
                "running": backups.progress(),
                "drill": None if drill is None else {"at": drill.at, **drill.data},
            }
        )

    @router.post("/drill")
    def drill(asked: BackupIn) -> Response:
        return reply(backups.drill(asked.name))

    @router.post("/restore")
    def restore(asked: RestoreIn) -> Response:
        """The gallery stops, restores, and is back a moment later. What is in the library until now becomes a
        backup of its own first."""
        restore_request.ask(backups.named(asked.name))
        return reply({"name": asked.name}, 202)

    return router


def _shown(one: Backup) -> dict[str, Any]:
    return asdict(one) | {"name": Path(one.path).name, "why": one.why, "verified": one.verified}
