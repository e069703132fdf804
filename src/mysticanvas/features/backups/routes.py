"""Lists, creates, tests and restores backups."""

from dataclasses import asdict, dataclass
from pathlib import Path

from fastapi import APIRouter, Response

from mysticanvas.db import backup as db_backup
from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.db.event_log import LogEntry
from mysticanvas.features.backups import service as backup_service
from mysticanvas.features.backups.service import (
    BackupProgress,
    BackupRunner,
    ListedBackup,
    RestoreRequest,
    RestoreTest,
)
from mysticanvas.http.responses import link_location, reply, returns


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRestoreTest(RestoreTest):
    """The last restore test."""

    at: int


@dataclass(frozen=True, slots=True)
class BackupList:
    """Backups in `folder`, newest first. `running` is the backup being created, null if there is none. `drill` is the
    last restore test, null before the first."""

    backups: list[ListedBackup]
    folder: str
    running: BackupProgress | None
    drill: LastRestoreTest | None


@dataclass(frozen=True, slots=True)
class RestoreStarted:
    """The name of the backup."""

    name: str


_NAME = "20260822T200000-000000-hourly.db"
EXAMPLE = ListedBackup(
    name=_NAME,
    path=f"/home/you/library/backups/{_NAME}",
    bytes=48_569_344,
    made_at=1_787_400_000_000,
    why="hourly",
    verified=True,
)
EXAMPLE_TEST = RestoreTest(_NAME, images=12_480, error=None)
EXAMPLE_LIST = BackupList(
    [EXAMPLE],
    folder="/home/you/library/backups",
    running=None,
    drill=LastRestoreTest(**asdict(EXAMPLE_TEST), at=1_787_400_060_000),
)


def routes(database: Database, backups: BackupRunner, restore_request: RestoreRequest) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.post("/backups", operation_id="backups.create", responses=returns(ListedBackup, EXAMPLE, status=201))
    def create() -> Response:
        """Create a backup. Responds when it is created and verified; `GET` reports the progress."""
        made = backup_service.describe(backups.back_up())
        return reply(made, 201, link_location(f"/backups/{made.name}"))

    @router.get("/backups", operation_id="backups.list", responses=returns(BackupList, EXAMPLE_LIST))
    def list_backups() -> Response:
        """List backups, newest first."""
        found = [backup_service.describe(one) for one in db_backup.list_backups(database.backups)]
        drill = database.read(event_log.find_last, "backup.drill")
        last = None if drill is None else _describe_test(drill)
        return reply(BackupList(found, str(database.backups), backups.progress(), last))

    @router.get("/backups/{name}", operation_id="backups.get", responses=returns(ListedBackup, EXAMPLE))
    def show(name: str) -> Response:
        """One backup."""
        return reply(backup_service.describe(backups.find_by_name(name)))

    @router.post("/backups/{name}:drill", operation_id="backups.drill", responses=returns(RestoreTest, EXAMPLE_TEST))
    def drill(name: str) -> Response:
        """Test a backup: restore it to a temporary folder and run all checks there. Responds when it is done."""
        return reply(backups.drill(name))

    @router.post(
        "/backups/{name}:restore",
        operation_id="backups.restore",
        responses=returns(
            RestoreStarted,
            RestoreStarted(_NAME),
            status=202,
            description="The server stops, restores and starts again.",
        ),
    )
    def restore(name: str) -> Response:
        """Restore a backup. The current state is backed up first. The server then stops, restores and starts again."""
        restore_request.ask(Path(backups.find_by_name(name).path))
        return reply(RestoreStarted(name), 202)

    return router


def _describe_test(event: LogEntry) -> LastRestoreTest:
    """Events of older versions have another name for the error."""
    error = event.data.get("error", event.data.get("trouble"))
    return LastRestoreTest(name=event.data["name"], images=event.data["images"], error=error, at=event.at)
