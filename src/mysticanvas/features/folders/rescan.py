"""Runs scan jobs through the import service, which runs one import at a time."""

from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

from mysticanvas.db.database import Database
from mysticanvas.db.images import folders
from mysticanvas.domain.errors import NotFoundError, TaskFailedError
from mysticanvas.domain.task import Answer
from mysticanvas.features.folders.types import RescanRoot, RootRescanned
from mysticanvas.features.importing.service import ImportService
from mysticanvas.features.importing.types import ImportProgress, ImportState

Rescan = Callable[[RescanRoot], Future[Answer]]


def build_rescan(database: Database, importing: ImportService) -> Rescan:
    def rescan(task: RescanRoot) -> Future[Answer]:
        """Start a scan. If the future is canceled, the scan stops and keeps what it has committed."""
        answer: Future[Answer] = Future()
        try:
            root = database.read(folders.find_folder, task.root_id)
        except NotFoundError as error:
            answer.set_exception(TaskFailedError(str(error)))
            return answer
        scan = importing.rescan(root, on_end=lambda progress: _set_result(answer, progress))
        answer.add_done_callback(lambda done: importing.cancel(scan) if done.cancelled() else None)
        return answer

    return rescan


def _set_result(answer: Future[Answer], progress: ImportProgress) -> None:
    with suppress(InvalidStateError):
        if progress.state is ImportState.FAILED:
            answer.set_exception(TaskFailedError(progress.message))
        else:
            # A scan that the user canceled is done, so that it does not start over.
            answer.set_result(RootRescanned(progress.message))
