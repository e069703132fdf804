"""What a person sees of the queue and does with it, by HTTP and in the dispatcher (J7, J9-J12)."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from tests.importing import import_all
from tests.pictures import write_pictures
from tests.rows import add_images, name_of

from mysticanvas.cli.client import Client, connect
from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.db.images import folders
from mysticanvas.domain.errors import ExecutorUnavailableError, InvalidInputError, NotFoundError
from mysticanvas.domain.file import FileStat
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.file_hashes.types import FileHashed, HashFile
from mysticanvas.jobs import control as job_control
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.dispatcher import Dispatcher
from mysticanvas.jobs.kinds import kind_names
from mysticanvas.jobs.lanes import Executors
from mysticanvas.jobs.progress import JobProgress
from mysticanvas.jobs.queries import JobSelection, KindState
from mysticanvas.jobs.types import JobPriority
from mysticanvas.settings import Settings
from mysticanvas.worker.pool import WorkerPool

# Against hanging; no work here is measured.
LIMIT_S = 120.0


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come true"
        time.sleep(0.01)


def enqueue(database: Database, kind: str, numbers: range, *, priority: int = JobPriority.NORMAL) -> None:
    new = [job_queue.NewJob(kind, {"generation": (400_000_000 + n) << 8}, name_of(n), priority) for n in numbers]
    database.write(job_queue.enqueue_all, new, now_ms=1_000)


def park(database: Database, error: str, *, limit: int = 1) -> list[int]:
    claimed = database.write(job_queue.claim, owner_id="x", limit=limit, now_ms=10**9)
    for job in claimed:
        database.write(job_queue.fail, job, error=error, crashed=False, now_ms=0, most_attempts=1)
    return [job.id for job in claimed]


def statuses(database: Database) -> dict[str, int]:
    found: dict[str, int] = {}
    for job in database.read(job_queries.list_jobs, kind=None, status=None, before=None, limit=1_000)[0]:
        found[job.status] = found.get(job.status, 0) + 1
    return found


class Recording:
    """An executor that answers when it is told to, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Task, bool, Future[Answer]]] = []

    def submit(self, task: Task, *, urgent: bool = False) -> Future[Answer]:
        answer: Future[Answer] = Future()
        self.asked.append((task, urgent, answer))
        return answer

    def paths(self) -> list[bytes]:
        return [task.path_bytes for task, _, _ in self.asked if isinstance(task, HashFile)]

    def answer_all(self) -> int:
        """How many."""
        open_ones = [one for one in self.asked if not one[2].done()]
        for task, _, answer in open_ones:
            assert isinstance(task, HashFile)
            answer.set_result(FileHashed(FileStat(task.path_bytes, 1000, 0), b"\1" * 32))
        return len(open_ones)


def dispatcher(database: Database, executor: Any, tmp_path: Path, **how: Any) -> Dispatcher:
    executors = Executors(**{"workers": executor, "slow": executor, "in_flight": 2} | how)
    return Dispatcher(database, executors, now_ms=lambda: 10_000)


# -- the lists --------------------------------------------------------------------------------


def test_parked_jobs_are_grouped_by_reason_and_retried_by_it(database: Database) -> None:
    add_images(database, 6)
    enqueue(database, "sha256", range(6))
    park(database, "The file is gone.\nworker 1", limit=4)
    park(database, "The disk is broken.", limit=2)
    found = database.read(job_queries.list_reasons, limit=10)
    assert [(one.kind, one.reason, one.jobs) for one in found] == [
        ("sha256", "The file is gone.", 4),
        ("sha256", "The disk is broken.", 2),
    ]
    assert job_control.retry(database, JobSelection(reason="The file is gone."), now_ms=0) == 4
    assert statuses(database) == {"queued": 4, "error": 2}
    assert job_control.discard(database, JobSelection(reason="The disk is broken.")) == 2
    assert statuses(database) == {"queued": 4}


def test_a_parked_job_whose_like_waits_already_is_not_queued_twice(database: Database) -> None:
    add_images(database, 1)
    enqueue(database, "sha256", range(1))
    park(database, "The file is gone.")
    enqueue(database, "sha256", range(1))
    job_control.retry(database, JobSelection(), now_ms=0)
    assert statuses(database) == {"queued": 1}


def test_a_cancelled_job_is_queued_again_when_it_is_named(database: Database) -> None:
    add_images(database, 2)
    enqueue(database, "sha256", range(2))
    assert job_control.cancel(database, JobSelection(), now_ms=0) == 2
    assert job_control.retry(database, JobSelection(), now_ms=0) == 0
    assert job_control.retry(database, JobSelection(ids=[1]), now_ms=0) == 1
    assert statuses(database) == {"queued": 1, "cancelled": 1}


def test_pages_of_jobs_follow_each_other(database: Database) -> None:
    add_images(database, 10)
    enqueue(database, "sha256", range(5))
    enqueue(database, "thumb", range(5, 10))
    before, seen = None, []
    while True:
        page, before = database.read(job_queries.list_jobs, kind=None, status=None, before=before, limit=3)
        seen += [job.id for job in page]
        if before is None:
            break
    assert seen == list(range(10, 0, -1))
    only, _ = database.read(job_queries.list_jobs, kind="thumb", status="queued", before=None, limit=50)
    assert [job.file for job in only] == [f"{n}.png" for n in range(9, 4, -1)]


def test_pruning_leaves_what_waits_what_failed_and_the_newest_of_what_is_done(database: Database) -> None:
    add_images(database, 9)
    enqueue(database, "sha256", range(9))
    park(database, "The file is gone.")
    for job in database.write(job_queue.claim, owner_id="x", limit=6, now_ms=0):
        database.write(job_queue.finish, job, now_ms=job.id * 1_000)
    assert database.write(job_queries.prune, before_ms=3_500, keep=100, limit=100) == 2
    assert database.write(job_queries.prune, before_ms=0, keep=1, limit=2) == 2
    assert database.write(job_queries.prune, before_ms=0, keep=1, limit=2) == 1
    assert statuses(database) == {"queued": 2, "error": 1, "done": 1}


# -- progress ---------------------------------------------------------------------------------


def test_progress_counts_from_where_the_work_began_and_says_when_it_ends() -> None:
    now_s = 100.0
    progress = JobProgress(lambda: now_s)

    def of(waiting: int, *, paused: bool = False) -> Any:
        return progress.estimate([KindState("thumb", waiting, 0, 7, 0, 0)], ["thumb"] if paused else [])[0]

    assert (of(100).finished, of(100).total, of(100).eta_s) == (0, 100, None)
    for _ in range(10):
        now_s += 1
        progress.record("thumb", 5)
    assert (of(50).finished, of(50).total) == (50, 100)
    assert of(50).rate_per_s == pytest.approx(5, rel=0.2)
    assert of(50).eta_s == pytest.approx(10, rel=0.2)
    assert of(50, paused=True).eta_s is None
    assert of(0).total == 50
    progress.record("thumb", 1)
    assert (of(2).finished, of(2).total) == (1, 3)
    now_s += 60
    assert of(2).rate_per_s == 0


def test_very_many_jobs_are_not_counted_all_the_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    cost_s = 0.001
    progress = JobProgress(lambda: now_s)
    counted = 0

    def states(tx: Any) -> list[KindState]:
        nonlocal counted, now_s
        counted, now_s = counted + 1, now_s + cost_s
        return [KindState("thumb", counted, 0, 0, 0, 0)]

    monkeypatch.setattr(job_queries, "list_states", states)
    assert [progress.counts(database)[0].waiting for _ in range(3)] == [1, 2, 3]
    cost_s = 0.2
    assert [progress.counts(database)[0].waiting for _ in range(3)] == [4, 4, 4]
    now_s += 4
    assert progress.counts(database)[0].waiting == 5


# -- the dispatcher ---------------------------------------------------------------------------


def test_what_is_on_screen_is_claimed_beside_a_full_house_the_last_asked_for_first(
    database: Database, tmp_path: Path
) -> None:
    add_images(database, 9)
    enqueue(database, "sha256", range(9))
    executor = Recording()
    with dispatcher(database, executor, tmp_path):
        until(lambda: len(executor.asked) == 2)
        for number in (5, 8):
            database.write(
                job_queue.raise_priority,
                kind="sha256",
                unique_keys=[name_of(number)],
                priority=JobPriority.IN_VIEW,
            )
        database.write(job_queue.enqueue, job_queue.NewJob("sha256", {"generation": 0}, "wake"), now_ms=0)
        until(lambda: len(executor.asked) == 4)
        assert executor.paths()[2:] == [b"8.png", b"5.png"]
        assert [urgent for _, urgent, _ in executor.asked] == [False, False, True, True]


def test_a_low_kind_has_its_turn_while_a_high_one_never_ends(database: Database, tmp_path: Path) -> None:
    add_images(database, 200)
    enqueue(database, "thumb", range(200), priority=JobPriority.NORMAL)
    enqueue(database, "sha256", range(200, 201), priority=JobPriority.IDLE)
    add_images(database, 1, first=200)
    executor = Recording()
    with dispatcher(database, executor, tmp_path, in_flight=1):

        def the_low_one_has_been_asked_for() -> bool:
            for _, _, answer in executor.asked:
                if not answer.done():
                    answer.set_exception(NotImplementedError)
            return b"200.png" in executor.paths()

        # A job that fails is done with as quickly as one that succeeds.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Dispatcher, "_on_answer", lambda self, job, done: self._inbox.put(_failed(job)))
            until(the_low_one_has_been_asked_for)
    assert len(executor.asked) < 60


def _failed(job: Any) -> Any:
    from mysticanvas.jobs.outcomes import Failed

    return Failed(job, "no", crashed=False)


def test_a_running_job_is_broken_off_and_the_others_go_on(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    [first, second] = write_pictures(folder, 2)
    root = database.write(folders.add, path=str(folder), watch=False, now_ms=0)
    with WorkerPool(1, memory_bytes=512 * 1024 * 1024, task_limit_s=100_000) as pool:
        import_all(database, pool, root)
        job_control.cancel(database, JobSelection(), now_ms=0)
        # Seconds of hashing, on no disk. The worker that were left to it would be there afterwards.
        os.truncate(first, 4 * 1024**3)
        job_control.start(database, "sha256", now_ms=lambda: 0)
        with dispatcher(database, pool, tmp_path, in_flight=1):
            until(lambda: statuses(database).get("running") == 1)
            until(lambda: any(worker is not None and worker.sent for worker in pool._workers))
            busy = set(pool.process_ids)
            [job] = database.read(job_queries.list_jobs, kind=None, status="running", before=None, limit=5)[0]
            assert job.file.endswith(first.name)
            assert job_control.cancel(database, JobSelection(ids=[job.id]), now_ms=0) == 1
            until(lambda: not busy <= set(pool.process_ids))
            until(lambda: statuses(database).get("done") == 1)
    assert database.read(job_queries.find, job.id).job.status == "cancelled"
    assert database.read(lambda tx: tx.column("SELECT path FROM generation_files WHERE sha256 IS NOT NULL")) == [
        second.relative_to(folder).as_posix()
    ]


def test_the_result_of_a_cancelled_try_is_not_believed_when_the_job_runs_again(
    database: Database, tmp_path: Path
) -> None:
    add_images(database, 2)
    enqueue(database, "sha256", range(1))

    class Late(Recording):
        """Answers that come although nobody waits for them."""

        def submit(self, task: Task, *, urgent: bool = False) -> Future[Answer]:
            answer = super().submit(task, urgent=urgent)
            answer.set_running_or_notify_cancel()
            return answer

    executor = Late()
    with dispatcher(database, executor, tmp_path):
        until(lambda: len(executor.asked) == 1)
        job_control.cancel(database, JobSelection(ids=[1]), now_ms=0)
        job_control.retry(database, JobSelection(ids=[1]), now_ms=0)
        until(lambda: len(executor.asked) == 2)
        stat = FileStat(b"0.png", 1000, 0)
        executor.asked[0][2].set_result(FileHashed(stat, b"\1" * 32))
        # Messages are read in their order: with this job asked for, that result has been met.
        enqueue(database, "sha256", range(1, 2))
        until(lambda: len(executor.asked) == 3)
        assert statuses(database) == {"running": 2}
        executor.asked[1][2].set_result(FileHashed(stat, b"\2" * 32))
        until(lambda: statuses(database) == {"done": 1, "running": 1})
    hashes = database.read(lambda tx: tx.column("SELECT sha256 FROM generation_files ORDER BY generation_id"))
    assert hashes == [b"\2" * 32, None]


def test_work_that_nobody_did_is_given_back_without_an_attempt_after_a_rest(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mysticanvas.jobs.dispatcher.PAUSE_AFTER_ERROR_S", 0.3)
    add_images(database, 1)
    enqueue(database, "sha256", range(1))
    executor = Recording()
    with dispatcher(database, executor, tmp_path):
        until(lambda: len(executor.asked) == 1)
        given_back_s = time.monotonic()
        executor.asked[0][2].set_exception(ExecutorUnavailableError("The cluster went away."))
        until(lambda: len(executor.asked) == 2)
        assert time.monotonic() - given_back_s >= 0.3
        executor.answer_all()
        until(lambda: statuses(database) == {"done": 1})
    job = database.read(job_queries.find, 1).job
    assert (job.attempts, job.crashes, job.interruptions) == (1, 0, 1)


def test_a_paused_kind_stands_in_nobodys_way_and_costs_no_spinning(database: Database, tmp_path: Path) -> None:
    add_images(database, 4)
    enqueue(database, "thumb", range(3))
    enqueue(database, "sha256", range(3, 4), priority=JobPriority.IDLE)
    database.write(job_queue.set_paused, kind="thumb", value=True)
    executor = Recording()
    with dispatcher(database, executor, tmp_path):
        until(lambda: executor.answer_all() == 1)
        until(lambda: statuses(database) == {"queued": 3, "done": 1})
        before = database.changes
        time.sleep(0.3)
        assert database.changes == before


# -- by HTTP and the command line -------------------------------------------------------------


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Database.open(tmp_path / "library") as database:
        add_images(database, 3)
        # In a folder that is not there: nothing of it can be done.
        enqueue(database, "sha256", range(3))
        database.write(job_queue.set_paused, kind=None, value=True)
    with connect(Settings(library=tmp_path / "library", workers=1)) as client:
        yield client


def test_everything_stays_paused_over_a_restart_until_one_kind_is_resumed(client: Client) -> None:
    said = client.get("/api/v1/jobs/summary")
    assert said["all_paused"]
    assert set(said["paused"]) == set(kind_names())
    client.post("/api/v1/jobs:resume", {"kind": "thumb"})
    said = client.get("/api/v1/jobs/summary")
    assert not said["all_paused"]
    assert set(said["paused"]) == set(kind_names()) - {"thumb"}


def test_a_job_is_shown_with_what_it_is_about(client: Client) -> None:
    job = client.get("/api/v1/jobs/2")
    assert (job["kind"], job["status"], job["file"]) == ("sha256", "queued", "1.png")
    assert job["payload"] == {"generation": 400_000_001 << 8}
    with pytest.raises(NotFoundError, match="no job 77"):
        client.get("/api/v1/jobs/77")


def test_an_unknown_kind_is_named_with_those_there_are(client: Client) -> None:
    for deed in ("pause", "retry", "cancel"):
        with pytest.raises(InvalidInputError, match="thumb"):
            client.post(f"/api/v1/jobs:{deed}", {"kind": "thumbs"})


def test_the_command_line_lists_shows_cancels_retries_and_prunes(tmp_path: Path) -> None:
    with Database.open(tmp_path / "library") as database:
        add_images(database, 3)
        enqueue(database, "sha256", range(3))
        database.write(job_queue.set_paused, kind=None, value=True)

    def said(*words: str) -> Any:
        command = [sys.executable, "-m", "mysticanvas.app.cli", "job", *words]
        done = subprocess.run(
            [*command, "--json", "--library", str(tmp_path / "library")], capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    assert [job["id"] for job in said("list", "sha256", "--status", "queued")["jobs"]] == [3, 2, 1]
    assert said("cancel", "2", "3") == {"changed": 2}
    assert said("retry", "2") == {"changed": 1}
    assert said("show", "3")["status"] == "cancelled"
    assert said("prune") == {"changed": 1}
    [kind] = said("status")["kinds"]
    assert (kind["waiting"], kind["cancelled"], kind["paused"]) == (2, 0, True)


def test_crashes_and_given_up_jobs_are_in_the_log(database: Database, tmp_path: Path) -> None:
    from mysticanvas.domain.errors import WorkerCrashedError

    add_images(database, 1)
    enqueue(database, "sha256", range(1))
    executor = Recording()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job_queue, "FIRST_RETRY_MS", 0)
        with dispatcher(database, executor, tmp_path):
            for number in (1, 2):
                until(lambda: len(executor.asked) == number)  # noqa: B023
                executor.asked[-1][2].set_exception(WorkerCrashedError("It crashed.", "Segmentation fault"))
            until(lambda: statuses(database) == {"error": 1})
    found = database.read(event_log.list_newest, before=None, wanted=event_log.EntryFilter(kinds=["crash"]), limit=10)
    assert [(one.subject, one.data["parked"], one.data["said"]) for one in found] == [
        ("0.png", True, "Segmentation fault"),
        ("0.png", False, "Segmentation fault"),
    ]
