"""kill -9 of workers and of the Orchestrator over a mixed load of jobs, some of them cancelled and asked
for again while they run; and what must hold afterwards (J3, J4): every job applied, and none twice."""

import hashlib
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import folders
from mysticanvas.features.file_hashes import service as file_hash_service
from mysticanvas.features.importing import reparse
from mysticanvas.worker.pool import WorkerPool
from tests.faults import with_ledger
from tests.faults.kill_loop import doctor
from tests.faults.serving import Served
from tests.importing import import_all
from tests.pictures import write_pictures

FINISH_LIMIT_S = 900.0
# Of five kills the second and the fourth are of the Orchestrator, the others of workers.
KILLS_IN_TURN, ORCHESTRATORS = 5, (1, 3)
PROGRAM = Path(with_ledger.__file__)


@dataclass(slots=True)
class Verdict:
    """`wrong` says what was found wrong, a sentence each. `left` is how many jobs were left at each kill."""

    wrong: list[str] = field(default_factory=list)
    jobs: int = 0
    orchestrators_killed: int = 0
    workers_killed: int = 0
    cancelled: int = 0
    parked: int = 0
    interruptions: int = 0
    left: list[int] = field(default_factory=list)


def prepare(library: Path, pictures: Path, images: int) -> int:
    """A library with thumbnails, hashes and kept texts to do; how many jobs."""
    write_pictures(pictures, images)
    library.mkdir(parents=True)
    with Database.open(library) as database, WorkerPool(1, memory_bytes=1 << 29, task_limit_s=120) as pool:
        root = database.write(folders.add, path=str(pictures), watch=False, now_ms=0)
        import_all(database, pool, root)
        file_hash_service.start(database, now_ms=lambda: 0)
        reparse.start(database, None, everything=True, now_ms=0)
        return len(_jobs(database))


def run(
    library: Path,
    pictures: Path,
    *,
    images: int,
    kills: int,
    seed: int,
    program: Path = PROGRAM,
) -> Verdict:
    """Kill so often, or until no work is left to be met; then let it come to its end, and compare."""
    chance = random.Random(seed)
    verdict = Verdict(jobs=prepare(library, pictures, images))
    with Database.open(library) as database:
        expected = [entry for kind, payload in _jobs(database) for entry in with_ledger.entries_of(kind, payload)]
    served = Served(library, [], program=program).wait_until_up()
    for number in range(kills):
        if verdict.wrong or not (left := _left(served)):
            break
        verdict.left.append(left)
        time.sleep(chance.uniform(0.02, 0.4))
        _cancel_and_ask_again(served, chance, verdict)
        if number % KILLS_IN_TURN in ORCHESTRATORS:
            served.kill()
            verdict.orchestrators_killed += 1
            served = Served(library, [], program=program).wait_until_up()
        else:
            verdict.workers_killed += _kill_a_worker(served, chance)
    verdict.wrong += _finish(served, verdict)
    served.stop()
    verdict.wrong += doctor(library)
    with Database.open(library) as database:
        verdict.interruptions = database.read(lambda tx: tx.value("SELECT sum(interruptions) FROM jobs"))
        verdict.wrong += _compare(database.read(_ledger), expected)
        verdict.wrong += database.read(_wrong_hashes, pictures)
    return verdict


def _jobs(database: Database) -> list[tuple[str, dict[str, Any]]]:
    rows = database.read(lambda tx: list(tx.rows("SELECT kind, payload_json FROM jobs")))
    return [(kind, json.loads(payload)) for kind, payload in rows]


def _cancel_and_ask_again(served: Served, chance: random.Random, verdict: Verdict) -> None:
    """What runs is cancelled, and asked for again after its answer has come."""
    running = [job["id"] for job in served.get("/api/v1/jobs", status="running")["jobs"]]
    chosen = [job for job in running if chance.random() < 0.5]
    if not chosen or not served.post("/api/v1/jobs:cancel", {"ids": chosen})["changed"]:
        return
    cancelled = [job for job in chosen if served.get(f"/api/v1/jobs/{job}")["status"] == "cancelled"]
    time.sleep(with_ledger.LATEST_S * 1.5)
    verdict.cancelled += len(cancelled)
    done = [job for job in cancelled if served.get(f"/api/v1/jobs/{job}")["status"] != "cancelled"]
    if done:
        verdict.wrong.append(f"{len(done)} jobs were done although they had been cancelled")
    served.post("/api/v1/jobs:retry", {"ids": chosen})


def _left(served: Served) -> int:
    return sum(kind["waiting"] + kind["running"] for kind in served.get("/api/v1/jobs/summary")["kinds"])


def _kill_a_worker(served: Served, chance: random.Random) -> int:
    """One that was there, if any."""
    threads = Path(f"/proc/{served.process.pid}/task")
    children = [int(pid) for thread in threads.iterdir() for pid in _children(thread)]
    if not children:
        return 0
    os.kill(chance.choice(children), signal.SIGKILL)
    return 1


def _children(thread: Path) -> Sequence[str]:
    try:
        return (thread / "children").read_text().split()
    except OSError:
        return []


def _finish(served: Served, verdict: Verdict) -> list[str]:
    """Until nothing is left. A job that lost two workers is parked, and a person asks for it again."""
    deadline_s = time.monotonic() + FINISH_LIMIT_S
    while time.monotonic() < deadline_s:
        if not _left(served):
            parked = served.post("/api/v1/jobs:retry", {})["changed"]
            verdict.parked += parked
            if not parked:
                return []
        time.sleep(0.1)
    return ["the work did not end"]


def _ledger(tx: ReadTx) -> list[str]:
    return tx.column("SELECT subject FROM events WHERE kind = :kind", kind=with_ledger.LEDGER)


def _compare(applied: list[str], expected: list[str]) -> list[str]:
    counted = Counter(applied)
    lost = [one for one in expected if not counted[one]]
    twice = [one for one, times in counted.items() if times > 1]
    wrong = [f"{len(lost)} results are done and were never applied, such as {lost[0]}"] if lost else []
    return wrong + ([f"{len(twice)} results were applied twice, such as {twice[0]}"] if twice else [])


def _wrong_hashes(tx: ReadTx, pictures: Path) -> list[str]:
    rows = tx.rows("SELECT path, sha256, blake3 FROM generation_files WHERE kind = 'final'")
    wrong = [
        path
        for path, digest, blake3 in rows
        if digest != hashlib.sha256((pictures / path).read_bytes()).digest() or blake3 is None
    ]
    return [f"{len(wrong)} files have no hash or a wrong one, such as {wrong[0]}"] if wrong else []
