"""Worker processes: what waits for what, and what one bad file costs (J6, J9)."""

import json
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from tests.importing import import_all
from tests.pictures import png, write_pictures

from mysticanvas.db.database import Database
from mysticanvas.db.images import folders
from mysticanvas.domain.errors import WorkerCrashedError
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.importing.messages import ListFolder, ReadImages, ReparseTexts, StoredTexts, TextsReparsed
from mysticanvas.features.importing.types import ImportState
from mysticanvas.features.thumbnails.types import MakeThumbs
from mysticanvas.fs.scanner import FolderListing
from mysticanvas.worker.pool import WorkerPool


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(1, memory_bytes=512 * 1024 * 1024, task_limit_s=120) as running:
        yield running


def test_a_scan_does_not_wait_behind_thumbnails(pool: WorkerPool, tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(png(3000, 3000))
    folder = os.fsencode(tmp_path)
    thumbs = [pool.submit(MakeThumbs(folder, b"large.png", [256, 512])) for _ in range(12)]
    listed = pool.submit(ListFolder(folder, b""), urgent=True).result(timeout=120)
    assert isinstance(listed, FolderListing)
    assert [image.path_bytes for image in listed.images] == [b"large.png"]
    assert not thumbs[-1].done()


class CrashesOn:
    """A pool whose worker dies of one file, as a decoder's fault would kill it."""

    def __init__(self, pool: WorkerPool, poison: bytes) -> None:
        self._pool = pool
        self._poison = poison

    def submit(self, task: Task, *, urgent: bool = False) -> Future[Answer]:
        if isinstance(task, ReadImages) and any(file.path_bytes == self._poison for file in task.files):
            died: Future[Answer] = Future()
            died.set_exception(WorkerCrashedError("The worker crashed during processing (exit code -11)."))
            return died
        return self._pool.submit(task, urgent=urgent)


def test_a_file_that_crashes_its_reader_costs_no_other_file(
    pool: WorkerPool, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    write_pictures(folder, 40)
    root = database.write(folders.add, path=str(folder), watch=False, now_ms=0)
    tally = import_all(database, CrashesOn(pool, b"day-000/00017.png"), root)
    assert tally.state is not ImportState.FAILED
    assert (tally.counts.imported, tally.counts.failed) == (39, 1)
    assert tally.failures[0].path.endswith("00017.png")
    assert "crashed" in tally.failures[0].reason


def test_tasks_and_answers_larger_than_a_pipe_do_not_lock_each_other_up(pool: WorkerPool) -> None:
    text = json.dumps([["tEXt", "parameters", "a fox in the snow, " * 20_000 + "\nSteps: 20, Seed: 5, Sampler: Euler"]])
    task = ReparseTexts([StoredTexts(number, zlib.compress(text.encode(), 0), "fox.png") for number in range(4)])
    answers = [pool.submit(task) for _ in range(12)]
    for answer in answers:
        read = answer.result(timeout=120)
        assert isinstance(read, TextsReparsed)
        assert read.generations == [0, 1, 2, 3]
