"""Jobs on a Dask cluster: the same database as at home, whatever dies on the way (A6)."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.dask_cluster import DaskCluster
from tests.faults.serving import Served
from tests.importing import import_all
from tests.pictures import write_pictures

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import folders
from mysticanvas.domain.errors import InvalidInputError, TaskFailedError, TaskTimedOutError
from mysticanvas.domain.task import Answer, Executor
from mysticanvas.features.file_hashes.types import HashFile
from mysticanvas.features.importing import reparse
from mysticanvas.jobs import control as job_control
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs.dispatcher import Dispatcher
from mysticanvas.jobs.kinds import kind_names
from mysticanvas.jobs.lanes import Executors
from mysticanvas.worker import cluster_node
from mysticanvas.worker.cluster import ClusterExecutor, parse_scheduler_address
from mysticanvas.worker.pool import WorkerPool

distributed = pytest.importorskip("distributed", reason="the extra is not installed: pip install mysticanvas[cluster]")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by signals")

IMAGES = 60
MANY = 1_000
LIMIT_S = 120.0
LIMITS = {"memory_bytes": 1 << 29, "task_limit_s": 120.0}
# What a library knows of its images, but for when it learnt it. A kind that is added here is compared, too.
FACTS = {
    "files": """
        SELECT kind, path, bytes, mtime_ns, blake3, sha256, color_rgb, damage FROM generation_files ORDER BY kind, path
    """,
    "images": "SELECT id, prompt, seed, steps, width, height, parser_version FROM generations ORDER BY id",
    "embeddings": "SELECT space, content_hash, vector FROM embeddings ORDER BY space, content_hash",
    "jobs": "SELECT kind, status, count(*), max(attempts), sum(crashes) FROM jobs GROUP BY kind, status ORDER BY 1, 2",
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with DaskCluster(tmp_path_factory.mktemp("cluster"), workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def home() -> Iterator[WorkerPool]:
    with WorkerPool(2, memory_bytes=1 << 29, task_limit_s=120) as pool:
        yield pool


def library(folder: Path, pictures: Path, home: WorkerPool) -> Database:
    """With a thumbnail, a hash and kept texts of each image to do, and the meaning of its prompt in a version
    that has jobs for it."""
    database = Database.open(folder)
    root = database.write(folders.add, path=str(pictures), watch=False, now_ms=0)
    import_all(database, home, root)
    job_control.start(database, "sha256", now_ms=lambda: 0)
    reparse.start(database, None, everything=True, now_ms=0)
    if "embed" in set(kind_names()):
        import_module("mysticanvas.features.semantic.service").queue_missing(database, now_ms=lambda: 0)
    return database


@contextmanager
def working(database: Database, executor: Executor, folder: Path, home: WorkerPool) -> Iterator[None]:
    with Dispatcher(
        database,
        Executors(workers=executor, slow=home, in_flight=16),
        now_ms=lambda: int(time.time() * 1000),
    ):
        yield


def done(database: Database) -> int:
    return sum(state.done for state in database.read(job_queries.list_states))


def left(database: Database) -> int:
    return sum(state.waiting + state.running for state in database.read(job_queries.list_states))


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come true in time"
        time.sleep(0.02)


def facts(database: Database) -> dict[str, list[Any]]:
    def read(tx: ReadTx) -> dict[str, list[Any]]:
        return {name: list(tx.rows(sql)) for name, sql in FACTS.items()}

    return database.read(read)


def thumbs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "thumbs").rglob("*.webp")}


def on_cluster(cluster: DaskCluster, home: WorkerPool, *, send_files: bool = False) -> ClusterExecutor:
    return ClusterExecutor(cluster.address, home, send_files=send_files, **LIMITS)


def connected(executor: ClusterExecutor) -> ClusterExecutor:
    until(lambda: executor._client is not None)
    return executor


def by_both_ways(tmp_path: Path, images: int, cluster: DaskCluster, home: WorkerPool, *, send_files: bool) -> None:
    pictures = tmp_path / "pictures"
    write_pictures(pictures, images)
    # Ids follow the order of arrival, which no two imports share.
    library(tmp_path / "here", pictures, home).close()
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    with Database.open(tmp_path / "here") as here:
        with working(here, home, tmp_path / "here", home):
            until(lambda: left(here) == 0)
        at_home = facts(here)
    with Database.open(tmp_path / "there") as there:
        with (
            on_cluster(cluster, home, send_files=send_files) as executor,
            working(there, connected(executor), tmp_path / "there", home),
        ):
            until(lambda: left(there) == 0)
        assert facts(there) == at_home
    assert {row[1] for row in at_home["jobs"]} == {"done"}
    assert {row[0] for row in at_home["jobs"]} >= {"reparse", "sha256", "thumb"} | ({"embed"} & set(kind_names()))
    assert len(thumbs(tmp_path / "here")) == 2 * images
    assert thumbs(tmp_path / "there") == thumbs(tmp_path / "here")


@pytest.mark.parametrize("send_files", [False, True], ids=["by shared folder", "by message"])
def test_a_cluster_and_this_machine_make_the_same_database(
    tmp_path: Path, cluster: DaskCluster, home: WorkerPool, send_files: bool
) -> None:
    by_both_ways(tmp_path, IMAGES, cluster, home, send_files=send_files)


@pytest.mark.long
def test_two_thousand_jobs_by_a_cluster_and_by_this_machine_make_the_same_database(
    tmp_path: Path, cluster: DaskCluster, home: WorkerPool
) -> None:
    by_both_ways(tmp_path, MANY, cluster, home, send_files=True)


def test_a_file_that_hangs_its_reader_costs_the_clusters_worker_nothing(
    tmp_path: Path, cluster: DaskCluster, home: WorkerPool
) -> None:
    (tmp_path / "small.png").write_bytes(b"bytes of a picture")
    with (tmp_path / "large.png").open("wb") as large:
        # Some seconds of hashing, on no disk.
        large.truncate(4 * 1024**3)
    folder = str(tmp_path).encode()
    limits = LIMITS | {"task_limit_s": 1.0}
    with ClusterExecutor(cluster.address, home, send_files=False, **limits) as executor:
        late = connected(executor).submit(HashFile(folder, b"large.png", "sha256"))
        assert isinstance(late.exception(LIMIT_S), TaskTimedOutError)
    with on_cluster(cluster, home) as executor:
        assert connected(executor) is executor
        soon = [executor.submit(HashFile(folder, b"small.png")) for _ in range(4)]
        assert {one.result(LIMIT_S) for one in soon} == {home.submit(HashFile(folder, b"small.png")).result(LIMIT_S)}
    assert all(worker.poll() is None for worker in cluster.workers)


def test_the_bytes_of_a_file_travel_when_that_is_asked_for(
    tmp_path: Path, cluster: DaskCluster, home: WorkerPool
) -> None:
    (tmp_path / "one.png").write_bytes(b"bytes of a picture")
    # Relative to where we are: for the workers, which are elsewhere, there is no such folder.
    task = HashFile(os.path.relpath(tmp_path).encode(), b"one.png")
    here = HashFile(os.fsencode(tmp_path), b"one.png")
    with on_cluster(cluster, home, send_files=True) as executor:
        assert connected(executor).submit(task).result(LIMIT_S) == home.submit(here).result(LIMIT_S)
    with on_cluster(cluster, home) as executor, pytest.raises(TaskFailedError, match="no longer exists"):
        connected(executor).submit(task).result(LIMIT_S)


def steps_of(dask_scheduler: Any) -> int:
    """How many steps tasks have taken on the cluster; several each."""
    steps: int = dask_scheduler.transition_counter
    return steps


def test_a_gallery_that_is_served_with_a_cluster_has_its_work_done_there(
    tmp_path: Path, cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pictures(tmp_path / "pictures", 20)
    (tmp_path / "library").mkdir()
    monkeypatch.setenv("MYSTICANVAS_EXECUTOR", f"dask://127.0.0.1:{cluster.port}")
    with distributed.Client(cluster.address) as client:
        before = client.run_on_scheduler(steps_of)
        served = Served(tmp_path / "library", [tmp_path / "pictures"]).wait_until_up()
        served.wait_until_idle(20)
        assert client.run_on_scheduler(steps_of) >= before + 20
    try:
        [thumbs_done] = [kind for kind in served.get("/api/v1/jobs/summary")["kinds"] if kind["kind"] == "thumb"]
    finally:
        assert served.stop() == 0
    assert (thumbs_done["done"], thumbs_done["failed"]) == (20, 0)
    assert len(thumbs(tmp_path / "library")) == 40


def test_a_worker_that_is_killed_midway_loses_no_job(tmp_path: Path, home: WorkerPool) -> None:
    pictures = tmp_path / "pictures"
    write_pictures(pictures, IMAGES)
    with (
        DaskCluster(tmp_path / "cluster", workers=2) as cluster,
        library(tmp_path / "library", pictures, home) as database,
        on_cluster(cluster, home, send_files=True) as executor,
        working(database, connected(executor), tmp_path / "library", home),
    ):
        until(lambda: done(database) >= 10)
        cluster.kill(cluster.workers[0])
        assert left(database) > 0
        until(lambda: left(database) == 0)
        assert {row[1]: row[3:] for row in facts(database)["jobs"]} == {"done": (1, 0)}


def test_a_scheduler_that_is_killed_midway_loses_no_job_and_the_next_one_goes_on(
    tmp_path: Path, home: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mysticanvas.jobs.dispatcher.PAUSE_AFTER_ERROR_S", 0.2)
    pictures = tmp_path / "pictures"
    write_pictures(pictures, IMAGES)
    with (
        DaskCluster(tmp_path / "cluster", workers=1) as cluster,
        library(tmp_path / "library", pictures, home) as database,
        on_cluster(cluster, home) as executor,
        working(database, connected(executor), tmp_path / "library", home),
    ):
        until(lambda: done(database) >= 10)
        cluster.kill(cluster.scheduler)
        cluster.kill(cluster.workers[0])
        assert left(database) > 0
        until(lambda: database.read(lambda tx: tx.value("SELECT max(interruptions) FROM jobs")) > 0)
        cluster.start_scheduler()
        cluster.start_workers(1)
        until(lambda: left(database) == 0)
        assert {row[1]: row[3:] for row in facts(database)["jobs"]} == {"done": (1, 0)}


def test_without_a_cluster_nothing_is_lost_and_what_is_urgent_is_done_at_home(tmp_path: Path, home: WorkerPool) -> None:
    (tmp_path / "one.png").write_bytes(b"bytes of a picture")
    task = HashFile(str(tmp_path).encode(), b"one.png")
    with ClusterExecutor("tcp://127.0.0.1:1", home, send_files=False, **LIMITS) as executor:
        assert executor.submit(task, urgent=True).result(LIMIT_S) == home.submit(task).result(LIMIT_S)
        assert "is not available" in str(executor.submit(task).exception(LIMIT_S))


class SlowToCome:
    """An answer of a cluster whose holder is gone: whoever asks waits, until somebody asks anew."""

    status = "finished"
    asked = 0

    def result(self, timeout: float | None = None) -> tuple[str, bytes, str]:
        assert timeout is not None, "waits for who is gone"
        self.asked += 1
        if self.asked < 3:
            raise TimeoutError
        return cluster_node.FAILED, b"", "This file is no image."


def test_an_answer_whose_holder_is_gone_is_asked_for_anew(home: WorkerPool) -> None:
    answer: Future[Answer] = Future()
    cluster = ClusterExecutor("tcp://127.0.0.1:1", home, send_files=False, **LIMITS)
    cluster._fetch_result(HashFile(b"", b""), SlowToCome(), answer)
    assert str(answer.exception(0)) == "This file is no image."


@pytest.mark.parametrize("name", ["dask://", "dask://host", "dask://:8786", "tcp://host:8786", "dusk://host:1"])
def test_what_is_no_cluster_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(InvalidInputError, match="dask://HOST:PORT"):
        parse_scheduler_address(name)
