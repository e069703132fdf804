"""Files that crash, hang or starve a worker: parked with the reason, while all others are done (J6)."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.db.images import folders
from mysticanvas.features.importing import reparse
from mysticanvas.jobs import control as job_control
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.dispatcher import Dispatcher
from mysticanvas.jobs.lanes import Executors
from mysticanvas.jobs.queries import FailedJob, JobSelection
from mysticanvas.worker.pool import WorkerPool
from tests.faults.other_systems import environment
from tests.importing import import_all
from tests.pictures import a1111_png, write_pictures

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows reports a segmentation fault as an exception")

PROGRAM = Path(__file__).parent / "poisoned_worker.py"
POISON = ("segfault", "hang", "memory")
IMAGES = 200
LIMIT_S = 300.0
# What the file that hangs is given; all others are done long before, also on a slow machine.
TASK_LIMIT_S = 5


class PoisonedPool(WorkerPool):
    def _start(self, *, in_background: bool) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, str(PROGRAM), str(self._memory_bytes), str(int(in_background))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )


def take_in(database: Database, folder: Path) -> None:
    root = database.write(folders.add, path=str(folder), watch=False, now_ms=0)
    with WorkerPool(1, memory_bytes=1 << 29, task_limit_s=30) as pool:
        import_all(database, pool, root)


def work_off(database: Database, tmp_path: Path) -> None:
    """By poisoned workers, until nothing is left."""
    with (
        PoisonedPool(2, memory_bytes=256 * 1024 * 1024, task_limit_s=TASK_LIMIT_S) as pool,
        Dispatcher(database, Executors(workers=pool, slow=pool, in_flight=8), now_ms=lambda: int(time.time() * 1000)),
    ):
        until_s = time.monotonic() + LIMIT_S
        while any(state.waiting or state.running for state in database.read(job_queries.list_states)):
            assert time.monotonic() < until_s, database.read(job_queries.list_states)
            time.sleep(0.05)


def failed_of(database: Database, word: str) -> FailedJob:
    [one] = [one for one in database.read(job_queries.list_failed, limit=50) if word in one.file]
    return one


@pytest.fixture(params=["limited by the system", "limited by the pool"])
def memory_limit(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS and Windows do not limit the memory of a process; there, the pool does."""
    if request.param == "limited by the pool":
        for name, value in environment(tmp_path, ("limits_no_address_space",)).items():
            monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("memory_limit")
def test_poison_is_parked_with_its_reason_and_everything_else_is_done(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_queue, "FIRST_RETRY_MS", 10)
    folder = tmp_path / "pictures"
    write_pictures(folder, IMAGES)
    for number, name in enumerate(POISON):
        (folder / f"{name}.png").write_bytes(a1111_png(10_000 + number))
    take_in(database, folder)
    work_off(database, tmp_path)

    [thumbs] = [state for state in database.read(job_queries.list_states) if state.kind == "thumb"]
    assert (thumbs.done, thumbs.failed) == (IMAGES, len(POISON))
    crashed, hung, starved = (failed_of(database, name) for name in POISON)
    assert "crashed during processing (exit code -11)" in crashed.error
    assert "decoding segfault.png" in crashed.error
    assert crashed.crashes == job_queue.MAX_CRASHES
    assert "time limit of 5 s" in hung.error
    assert hung.crashes == job_queue.MAX_CRASHES
    assert "exceeded the memory limit" in starved.error
    told = database.read(event_log.list_newest, before=None, limit=50)
    assert {one.subject for one in told if one.data.get("parked")} == {f"{name}.png" for name in POISON}


def test_a_batch_with_one_bad_image_is_halved_until_that_one_is_alone(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_queue, "FIRST_RETRY_MS", 10)
    folder = tmp_path / "pictures"
    write_pictures(folder, 24)
    (folder / "poison.png").write_bytes(a1111_png(10_000))
    take_in(database, folder)
    job_control.cancel(database, JobSelection(), now_ms=0)
    database.write(lambda tx: tx.run("UPDATE generations SET parser_version = 0"))
    queued = reparse.start(database, None, everything=False, now_ms=0)
    assert (queued.images, queued.jobs) == (25, 1)
    work_off(database, tmp_path)

    [bad] = database.read(job_queries.list_failed, limit=50)
    assert (bad.kind, bad.file) == ("reparse", "poison.png")
    [state] = [state for state in database.read(job_queries.list_states) if state.kind == "reparse"]
    assert (state.waiting, state.running, state.failed) == (0, 0, 1)
    read_again = "SELECT count(*) FROM generations WHERE parser_version > 0"
    assert database.read(lambda tx: tx.value(read_again)) == 24
