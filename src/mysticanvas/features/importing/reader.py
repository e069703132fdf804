"""The workers of an import: what they are asked, and what they answer, through one queue."""

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
    """Files of one root that are read by one task. `again`: a worker crashed when they were read."""

    pending: list[PendingFile]
    again: bool = False


Request = Folder | Files


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """What could not be done, for good."""

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
        """The next answer; None when there is none for a moment, or what failed is asked for again."""
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
            # One of them is to blame: each is asked for alone.
            for pending in origin.pending:
                self.submit(Files([pending]))
            return True
        if isinstance(error, WorkerCrashedError) and not origin.again:
            # A worker that was killed, for want of memory or by hand, says nothing of what it was at.
            self.submit(replace(origin, again=True))
            return True
        return False


def _build_task(origin: Request) -> Task:
    if isinstance(origin, Folder):
        return ListFolder(os.fsencode(origin.root.path), origin.path_bytes)
    asked = [FileToRead(pending.stat.path_bytes, pending.sidecars) for pending in origin.pending]
    return ReadImages(os.fsencode(origin.pending[0].root.path), asked)
