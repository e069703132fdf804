"""Files that the database refuses fail alone, and an import that fails does not stop the next one."""

import time
from pathlib import Path

import pytest
from tests.importing import import_all
from tests.pictures import a1111_png, write_pictures

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import failures, folders
from mysticanvas.features.importing.service import ImportService
from mysticanvas.features.importing.tally import Tally
from mysticanvas.fs.watcher import FolderWatcher
from mysticanvas.worker.pool import WorkerPool


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


def plant_refusal(tx: WriteTx, event: str) -> None:
    """The database refuses every row of a file with "bad" in its path."""
    tx.run(
        f"CREATE TRIGGER planted BEFORE {event} ON generation_files WHEN new.path LIKE '%bad%' "
        "BEGIN SELECT RAISE(ABORT, 'planted'); END"
    )


def refuse_events(tx: WriteTx) -> None:
    tx.run("CREATE TRIGGER planted BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'planted'); END")


def run_import(database: Database, folder: Path) -> Tally:
    root = database.write(folders.add, path=str(folder), watch=False, now_ms=0)
    with WorkerPool(1, memory_bytes=512 * 1024 * 1024, task_limit_s=600) as workers:
        return import_all(database, workers, root)


def test_one_file_that_the_database_refuses_fails_alone(database: Database, folder: Path) -> None:
    write_pictures(folder, 20)
    (folder / "bad.png").write_bytes(a1111_png(900))
    database.write(plant_refusal, "INSERT")
    tally = run_import(database, folder)
    assert (tally.counts.imported, tally.counts.failed, tally.counts.seen) == (20, 1, 21)
    [failure] = tally.failures
    assert failure.path == str(folder / "bad.png")
    assert "planted" in failure.reason
    [(path, reason)] = database.read(failures.list_failures, 1, limit=10)
    assert (path, reason) == (b"bad.png", failure.reason)


def test_a_moved_file_that_the_database_refuses_fails_alone(database: Database, folder: Path) -> None:
    paths = write_pictures(folder, 4)
    run_import(database, folder)
    for number, path in enumerate(paths):
        path.rename(folder / ("bad.png" if number == 2 else f"there {number}.png"))
    database.write(plant_refusal, "UPDATE")
    tally = run_import(database, folder)
    assert (tally.counts.moved, tally.counts.failed) == (3, 1)
    assert "planted" in tally.failures[0].reason


def test_an_import_whose_end_cannot_be_recorded_does_not_stop_the_next_one(database: Database, folder: Path) -> None:
    write_pictures(folder, 2)
    database.write(refuse_events)
    with (
        WorkerPool(1, memory_bytes=512 * 1024 * 1024, task_limit_s=600) as workers,
        FolderWatcher() as watcher,
        ImportService(
            database,
            workers,
            settle_s=0.1,
            now_ms=lambda: int(time.time() * 1000),
            on_progress=lambda _: None,
            watcher=watcher,
        ) as importing,
    ):
        assert importing.report(importing.start([str(folder)], watch=False), wait_s=600) is not None
        database.write(lambda tx: tx.run("DROP TRIGGER planted"))
        (folder / "late.png").write_bytes(a1111_png(500))
        second = importing.report(importing.start([str(folder)], watch=False), wait_s=600)
    assert second is not None
    assert second.imported == 1
