"""The dispatcher with real workers: what becomes of results that cannot be stored (J13)."""

import errno
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.importing import import_all
from tests.pictures import write_pictures

from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import folders
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.domain.task import Answer, Task
from mysticanvas.fs.thumbnail_cache import ThumbCache
from mysticanvas.jobs import dispatcher as job_dispatcher
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs.dispatcher import Dispatcher
from mysticanvas.jobs.kinds import KINDS
from mysticanvas.jobs.lanes import Executors
from mysticanvas.jobs.queries import KindState
from mysticanvas.worker.pool import WorkerPool


class FullForAWhile:
    """A disk without room for the first pictures."""

    def __init__(self) -> None:
        self.refused = 0
        self._keep = ThumbCache.keep

    def keep(self, cache: ThumbCache, blake3_hex: str, webps: Sequence[bytes]) -> None:
        if self.refused < 3:
            self.refused += 1
            raise OSError(errno.ENOSPC, "No space left on device")
        self._keep(cache, blake3_hex, webps)


def thumbs(database: Database) -> KindState:
    return next(state for state in database.read(job_queries.list_states) if state.kind == "thumb")


def test_a_full_disk_costs_no_job_an_attempt_and_work_goes_on_by_itself(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_dispatcher, "PAUSE_AFTER_ERROR_S", 0.05)
    write_pictures(tmp_path / "pictures", 6)
    root = database.write(folders.add, path=str(tmp_path / "pictures"), watch=False, now_ms=0)
    disk = FullForAWhile()
    monkeypatch.setattr(ThumbCache, "keep", lambda *args: disk.keep(*args))
    with WorkerPool(1, memory_bytes=512 * 1024 * 1024, task_limit_s=30) as pool:
        import_all(database, pool, root)
        with Dispatcher(database, Executors(workers=pool, slow=pool, in_flight=4), now_ms=lambda: 1_000):
            until_s = time.monotonic() + 120
            while thumbs(database).done < 6 and time.monotonic() < until_s:
                time.sleep(0.02)
    state = thumbs(database)
    assert (state.done, state.failed) == (6, 0)
    assert disk.refused == 3
    assert database.read(lambda tx: tx.value("SELECT max(attempts) FROM jobs WHERE kind = 'thumb'")) == 1
    assert len(list((database.folder / "thumbs").rglob("*.webp"))) == 12


def test_a_job_that_cannot_be_read_fails_and_the_others_are_done(database: Database, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 3)
    root = database.write(folders.add, path=str(tmp_path / "pictures"), watch=False, now_ms=0)
    with WorkerPool(1, memory_bytes=512 * 1024 * 1024, task_limit_s=30) as pool:
        import_all(database, pool, root)
        for attempts in (0, KINDS["thumb"].attempts - 1):
            database.write(
                lambda tx, attempts: tx.run(
                    "INSERT INTO jobs (kind, payload_json, priority, attempts, created_at, updated_at)"
                    " VALUES ('thumb', '{}', 1000, :attempts, 0, 0)",
                    attempts=attempts,
                ),
                attempts,
            )
        with Dispatcher(database, Executors(workers=pool, slow=pool, in_flight=4), now_ms=lambda: 1_000):
            until_s = time.monotonic() + 120
            while thumbs(database).done < 3 and time.monotonic() < until_s:
                time.sleep(0.02)
    assert thumbs(database).done == 3
    assert database.read(lambda tx: tx.value("SELECT error FROM jobs WHERE payload_json = '{}'")).startswith(
        "The job could not be prepared"
    )


def refuse_result_of(tx: WriteTx, path: str) -> None:
    """The database refuses what is found out about the file."""
    tx.run(
        f"CREATE TRIGGER planted BEFORE UPDATE OF blake3 ON generation_files WHEN new.path = '{path}' "
        "BEGIN SELECT RAISE(ABORT, 'planted'); END"
    )


def test_a_result_that_the_database_refuses_fails_alone(database: Database, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 6)
    root = database.write(folders.add, path=str(tmp_path / "pictures"), watch=False, now_ms=0)
    with WorkerPool(1, memory_bytes=512 * 1024 * 1024, task_limit_s=600) as pool:
        import_all(database, pool, root)
        database.write(refuse_result_of, "day-000/00003.png")
        with Dispatcher(database, Executors(workers=pool, slow=pool, in_flight=4), now_ms=lambda: 1_000):
            wait_for_first_error(database)
    assert thumbs(database).done == 5


@pytest.mark.parametrize("what", ["prepare", "apply"])
def test_a_job_that_fails_inside_the_program_does_not_stop_the_others(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Also where what it raises is one of the program's own errors, which says nothing about the database."""
    write_pictures(tmp_path / "pictures", 4)
    root = database.write(folders.add, path=str(tmp_path / "pictures"), watch=False, now_ms=0)
    kind = KINDS["thumb"]

    def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
        if payload["generation"] == bad:
            raise OverflowError("planted")
        return kind.prepare(tx, payload)

    def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
        if payload["generation"] == bad:
            raise NotFoundError("planted")
        kind.apply(tx, payload, answer)

    with WorkerPool(1, memory_bytes=512 * 1024 * 1024, task_limit_s=600) as pool:
        import_all(database, pool, root)
        bad = database.read(lambda tx: tx.value("SELECT min(id) FROM generations"))
        broken = replace(kind, prepare=prepare) if what == "prepare" else replace(kind, apply=apply)
        monkeypatch.setitem(KINDS, "thumb", broken)
        with Dispatcher(database, Executors(workers=pool, slow=pool, in_flight=4), now_ms=lambda: 1_000):
            wait_for_first_error(database)
    assert thumbs(database).done == 3


def wait_for_first_error(database: Database) -> None:
    """Until a job was tried once and all others are done."""
    until_s = time.monotonic() + 300
    pending = "SELECT count(*) FROM jobs WHERE kind = 'thumb' AND status <> 'done' AND error IS NULL"
    while database.read(lambda tx: tx.value(pending)) and time.monotonic() < until_s:
        time.sleep(0.02)
