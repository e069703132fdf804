"""Sends the tasks of an import to workers and receives their answers through one queue."""

import os
from concurrent.futures import Future
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from mysticanvas.domain.errors import TaskError, WorkerCrashedError
from mysticanvas.domain.task import Answer, Executor, Task
from mysticanvas.features.importing.messages import FileToRead, ListFolder, ReadImages
from mysticanvas.features.importing.tally import Folder, PendingFile

TASKS_IN_FLIGHT = 12


@dataclass(frozen=True, slots=True)
class Files:
    """Files of one root that one task reads. `again`: this is a retry after a worker crash."""

    pending: list[PendingFile]
    again: bool = False


Request = Folder | Files


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A task that failed permanently."""

    reason: str


class Reader:
    def __init__(self, executor: Executor) -> None:
        self.in_flight = 0
        self._executor = executor
        self._answers: SimpleQueue[tuple[Request, Future[Answer]]] = SimpleQueue()

    @property
    def has_room(self) -> bool:
        return self.in_flight < TASKS_IN_FLIGHT

    def submit(self, origin: Request) -> None:
        self.in_flight += 1
        future = self._executor.submit(_build_task(origin), urgent=True)
        future.add_done_callback(lambda done: self._answers.put((origin, done)))

    def next_answer(self) -> tuple[Request, Answer | ReadFailure] | None:
        """Wait briefly for the next answer. None when there is none yet, or when a failed request is retried."""
        try:
            origin, future = self._answers.get(timeout=0.1)
        except Empty:
            return None
        self.in_flight -= 1
        try:
            return origin, future.result()
        except TaskError as error:
            return None if self._retry(origin, error) else (origin, ReadFailure(str(error)))

    def _retry(self, origin: Request, error: TaskError) -> bool:
        if isinstance(origin, Files) and len(origin.pending) > 1:
            # Read each file alone, to find the one that failed.
            for pending in origin.pending:
                self.submit(Files([pending]))
            return True
        if isinstance(error, WorkerCrashedError) and not origin.again:
            # A worker may be killed from outside or run out of memory, so the crash may not be caused by this request.
            self.submit(replace(origin, again=True))
            return True
        return False


def _build_task(origin: Request) -> Task:
    if isinstance(origin, Folder):
        return ListFolder(os.fsencode(origin.root.path), origin.path_bytes, origin.excludes)
    asked = [FileToRead(pending.stat.path_bytes, pending.sidecars) for pending in origin.pending]
    return ReadImages(os.fsencode(origin.pending[0].root.path), asked)
