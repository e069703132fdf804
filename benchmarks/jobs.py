"""The queue: jobs queued, and claimed and completed, a second; with a million finished ones; and idle.

    python3 dev.py bench jobs [FINISHED]

Beside it, in the same run and on the same disk, the SQLite storage of huey (a task queue for Python):
its `enqueue`, and its `dequeue` and `put_data` for a result, which are one transaction each; it takes no
batches. FULL is on the disk when it returns; NORMAL is after a moment. Jobs a second of the clock, and
CPU microseconds a job. One thread asks, as the dispatcher does.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from huey.storage import SqliteStorage
from tests import application
from tests.faults.serving import Served

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.dispatcher import Dispatcher
from mysticanvas.jobs.lanes import Executors
from mysticanvas.jobs.outcomes import Finished, apply_all
from mysticanvas.jobs.types import Job
from mysticanvas.worker.pool import WorkerPool

JOBS = {("FULL", 1): 400, ("FULL", 100): 20_000, ("NORMAL", 1): 4_000, ("NORMAL", 100): 20_000}
HUEY_JOBS = {"FULL": 400, "NORMAL": 2_000}
FINISHED = 1_000_000
# The first claims after many rows were added carry these into the database's file.
WARMING_UP = 50
CLAIMS = 300
DISPATCHED = 20_000
IDLE_S = 20.0
PAYLOAD = {"generation": 102_400_000_000}


def timed(what: str, jobs_done: int, work: Callable[[], None]) -> None:
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    work()
    seconds, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    print(f"{what:<44}{jobs_done / seconds:>12,.0f} a second{cpu_s / jobs_done * 1e6:>10,.0f} µs", flush=True)


def new_jobs(first: int, count: int) -> list[job_queue.NewJob]:
    return [job_queue.NewJob("thumb", PAYLOAD, f"{n:036}") for n in range(first, first + count)]


def ours(folder: Path, synchronous: str, batch: int) -> None:
    total = JOBS[synchronous, batch]
    with Database.open(folder / f"{synchronous}-{batch}") as database:
        write = database.write if synchronous == "FULL" else database.write_bulk

        def enqueue() -> None:
            for first in range(0, total, batch):
                write(job_queue.enqueue_all, new_jobs(first, batch), now_ms=0)

        def claim_and_complete() -> None:
            while claimed := write(job_queue.claim, owner_id="bench", limit=batch, now_ms=0):
                write(apply_all, [Finished(job, None) for job in claimed], now_ms=0)

        timed(f"ours, {synchronous}, batch {batch}: enqueue", total, enqueue)
        timed(f"ours, {synchronous}, batch {batch}: claim + complete", total, claim_and_complete)


def huey(folder: Path, synchronous: str) -> None:
    total = HUEY_JOBS[synchronous]
    storage = SqliteStorage("bench", str(folder / f"huey-{synchronous}.db"))
    storage.conn.execute(f"PRAGMA synchronous = {synchronous}")
    content = b"x" * 200

    def enqueue() -> None:
        for _ in range(total):
            storage.enqueue(content)

    def claim_and_complete() -> None:
        for number in range(total):
            storage.dequeue()
            storage.put_data(f"{number:036}", b"done", is_result=True)

    timed(f"huey, {synchronous}: enqueue", total, enqueue)
    timed(f"huey, {synchronous}: claim + complete", total, claim_and_complete)
    storage.close()


def with_many_finished(folder: Path, finished: int) -> None:
    """Claims of 16 and counts of all, without and with that many finished rows, and with as many waiting
    ones of a paused kind in front; in turns, so that what else the machine does is the same for all."""
    with (
        Database.open(folder / "few") as few,
        Database.open(folder / "many") as many,
        Database.open(folder / "paused") as paused,
    ):
        for database in (many, paused):
            database.write_bulk(_add, finished, "done", "sha256")
        paused.write(job_queue.set_paused, kind="reparse", value=True)
        paused.write_bulk(_add, finished, "queued", "reparse")
        _measure_claims(
            {"none finished": few, f"{finished:,} finished": many, f"and {finished:,} of a paused kind": paused}
        )
        began_s = time.perf_counter()
        paused.read_within(60_000, job_queries.list_states)
        print(f"counts of all {2 * finished:,}: {(time.perf_counter() - began_s) * 1e3:.0f} ms", flush=True)


def _add(tx: WriteTx, count: int, status: str, kind: str) -> None:
    tx.run(
        """
        INSERT INTO jobs (kind, status, priority, payload_json, created_at, updated_at)
          WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
        SELECT :kind, :status, 200, '{"generation": 102400000000}', 0, 0
          FROM numbers
        """,
        count=count,
        status=status,
        kind=kind,
    )


def _measure_claims(databases: dict[str, Database]) -> None:
    spent_ms: dict[str, list[float]] = {what: [] for what in databases}
    for database in databases.values():
        database.write_bulk(job_queue.enqueue_all, new_jobs(0, (WARMING_UP + CLAIMS) * 16), now_ms=0)
    for _ in range(WARMING_UP + CLAIMS):
        for what, database in databases.items():
            claimed, spent = database.write_bulk(_timed_claim)
            spent_ms[what].append(spent)
            assert len(claimed) == 16
            database.write_bulk(apply_all, [Finished(job, None) for job in claimed], now_ms=0)
    for what, spent in spent_ms.items():
        measured_ms = spent[WARMING_UP:]
        p95_ms = statistics.quantiles(measured_ms, n=20)[-1]
        print(f"claim of 16, {what:<36}{statistics.median(measured_ms):>8.3f} ms CPU, p95 {p95_ms:.3f}", flush=True)


def _timed_claim(tx: WriteTx) -> tuple[list[Job], float]:
    """With its CPU milliseconds on the writer's thread, without the commit."""
    began_s = time.thread_time()
    claimed = job_queue.claim(tx, owner_id="bench", limit=16, now_ms=0)
    return claimed, (time.thread_time() - began_s) * 1e3


def through_the_dispatcher(folder: Path) -> None:
    """Jobs of images that are gone: claimed, looked up, and done, with nothing for a worker in between."""
    with (
        Database.open(folder / "dispatched") as database,
        WorkerPool(1, memory_bytes=1 << 29, task_limit_s=30, when_needed=True) as pool,
    ):
        database.write_bulk(job_queue.enqueue_all, new_jobs(0, DISPATCHED), now_ms=0)

        def work_off() -> None:
            clock = lambda: int(time.time() * 1000)  # noqa: E731
            with Dispatcher(database, Executors(workers=pool, slow=pool, in_flight=64), now_ms=clock):
                while database.read(job_queue.list_ready, now_ms=clock()):
                    time.sleep(0.01)

        timed("ours, NORMAL, through the dispatcher", DISPATCHED, work_off)


def idle(folder: Path) -> None:
    """CPU of an Orchestrator and its workers that have nothing to do, with a retry due in an hour."""
    library = folder / "idle"
    library.mkdir()
    with Database.open(library) as database:
        an_hour_on_ms = int(time.time() * 1000) + 3_600_000
        later = job_queue.NewJob("thumb", {"generation": 1}, "later", run_at=an_hour_on_ms)
        database.write(job_queue.enqueue, later, now_ms=0)
    served = Served(library, []).wait_until_up()
    try:
        time.sleep(5)
        before_s = _cpu_s(served.process.pid)
        time.sleep(IDLE_S)
        share = (_cpu_s(served.process.pid) - before_s) / IDLE_S
    finally:
        served.stop()
    print(f"idle for {IDLE_S:.0f} s, with its workers: {share * 100:.2f} % of one core", flush=True)


def _cpu_s(process: int) -> float:
    """Of a process and its children; Linux only."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == process or int(words[1]) == process:
            total += (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return total


def main() -> None:
    finished = int(sys.argv[1]) if len(sys.argv) > 1 else FINISHED
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for synchronous in ("FULL", "NORMAL"):
            for batch in (1, 100):
                ours(folder, synchronous, batch)
            huey(folder, synchronous)
        through_the_dispatcher(folder)
        with_many_finished(folder, finished)
        idle(folder)


if __name__ == "__main__":
    application.load()
    main()
