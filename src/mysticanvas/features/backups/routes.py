"""Lists, creates, tests and restores backups."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mysticanvas.db import backup as db_backup
from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.features.backups import service as backup_service
from mysticanvas.features.backups.service import BackupRunner, RestoreRequest
from mysticanvas.http.schemas import reply


class BackupIn(BaseModel):
    """`name` as listed by `GET /api/v1/backups`; null selects the newest backup."""

    name: str | None = Field(None, max_length=200)


class RestoreIn(BaseModel):
    name: str = Field(max_length=200)


def routes(database: Database, backups: BackupRunner, restore_request: RestoreRequest) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.post("/backups", operation_id="backups.create")
    def back_up() -> Response:
        """Create a backup. Responds when it is created and verified; `GET` reports the progress."""
        return reply(backup_service.describe(backups.back_up()))

    @router.get("/backups", operation_id="backups.list")
    def list_backups() -> Response:
        """List backups, newest first. `running` is the backup being created; `drill` is the last restore test."""
        drill = database.read(event_log.find_last, "backup.drill")
        return reply(
            {
                "backups": [backup_service.describe(one) for one in db_backup.list_backups(database.backups)],
                "folder": str(database.backups),
                "running": backups.progress(),
                "drill": None if drill is None else {"at": drill.at, **drill.data},
            }
        )

    @router.post("/backups:drill", operation_id="backups.drill")
    def drill(asked: BackupIn) -> Response:
        """Test a backup: restore it to a temporary folder and run all checks there."""
        return reply(backups.drill(asked.name))

    @router.post("/backups:restore", operation_id="backups.restore")
    def restore(asked: RestoreIn) -> Response:
        """Restore a backup. The current state is backed up first. The server then stops, restores and starts again."""
        restore_request.ask(backups.find_by_name(asked.name))
        return reply({"name": asked.name}, 202)

    return router
