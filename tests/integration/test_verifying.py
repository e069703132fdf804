"""The check of all files, by HTTP against a real Orchestrator and its workers (I5), and scans as jobs."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.pictures import a1111_png, write_pictures
from tests.rows import add_images

from mysticanvas.cli.client import Client, connect
from mysticanvas.db.database import Database
from mysticanvas.features.verify import job as verify_job
from mysticanvas.features.verify import queries as verify_queries
from mysticanvas.features.verify import service as verify_service
from mysticanvas.features.verify.types import FilesVerified, FileVerified
from mysticanvas.jobs import outcomes as job_outcomes
from mysticanvas.jobs import queue as job_queue
from mysticanvas.settings import Settings

IMAGES = 40
LIMIT_S = 60.0
DAY_MS = 24 * 3_600_000


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    return write_pictures(tmp_path / "pictures", IMAGES)


@pytest.fixture
def client(tmp_path: Path, pictures: list[Path]) -> Iterator[Client]:
    with connect(Settings(library=tmp_path / "library", workers=1)) as client:
        client.post("/api/v1/imports", {"paths": [str(tmp_path / "pictures")], "watch": False})
        until(lambda: client.get("/api/v1/status")["total"] == IMAGES and is_idle(client))
        yield client


def is_idle(client: Client) -> bool:
    kinds = client.get("/api/v1/jobs/summary")["kinds"]
    return client.get("/api/v1/status")["current_import"] is None and not any(
        k["waiting"] + k["running"] for k in kinds
    )


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come true in time"
        time.sleep(0.02)


def check(client: Client, **budget: int) -> dict[str, str]:
    """File name to finding, once everything is checked."""
    client.post("/api/v1/verify:start", budget)
    until(lambda: not client.get("/api/v1/verify")["state"]["on"])
    state = client.get("/api/v1/verify")["state"]
    assert state["checked"] == state["files"]
    return found(client)


def found(client: Client) -> dict[str, str]:
    listed = client.get("/api/v1/verify/findings")["findings"]
    return {Path(one["path"]).name: one["finding"] for one in listed}


def rot(path: Path, at: int = -40) -> None:
    """One bit of it turns, as on a dying disk: size and date stay."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_check_finds_what_is_missing_changed_or_undecodable_and_changes_nothing(
    client: Client, pictures: list[Path]
) -> None:
    assert check(client) == {}
    gone, edited, rotten, broken = pictures[3], pictures[11], pictures[17], pictures[29]
    gone.unlink()
    edited.write_bytes(a1111_png(5_000))
    # In the text: the picture itself is whole.
    rot(rotten, at=100)
    stat = broken.stat()
    broken.write_bytes(b"no picture at all".ljust(stat.st_size, b"\0"))
    os.utime(broken, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    expected = {gone.name: "missing", edited.name: "changed", rotten.name: "changed", broken.name: "undecodable"}
    assert check(client) == expected
    assert client.get("/api/v1/verify")["counts"] == {"missing": 1, "changed": 2, "undecodable": 1}
    details = {one["path"]: one["detail"] for one in client.get("/api/v1/verify/findings")["findings"]}
    assert "disk may be failing" in next(text for path, text in details.items() if path.endswith(rotten.name))
    assert "Scan the folder again" in next(text for path, text in details.items() if path.endswith(edited.name))
    assert client.get("/api/v1/status")["total"] == IMAGES


def test_a_file_that_is_whole_again_is_no_finding_any_more(client: Client, pictures: list[Path]) -> None:
    kept = pictures[5].read_bytes()
    stat = pictures[5].stat()
    rot(pictures[5])
    assert len(check(client)) == 1
    pictures[5].write_bytes(kept)
    os.utime(pictures[5], ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert check(client) == {}


def test_what_is_accepted_is_read_anew_by_a_scan_and_keeps_what_the_person_wrote(
    client: Client, pictures: list[Path]
) -> None:
    image = client.get("/api/v1/images", q="number 7")["items"][0]
    client.post("/api/v1/edits", {"uuids": [image["uuid"]], "set": {"rating": 4}})
    rot(pictures[7], at=pictures[7].read_bytes().index(b"fox"))
    pictures[9].unlink()
    assert check(client) == {pictures[7].name: "changed", pictures[9].name: "missing"}
    assert client.post("/api/v1/verify/findings:accept", {})["changed"] == 2
    until(lambda: is_idle(client))
    assert found(client) == {}
    assert check(client) == {}
    again = client.get(f"/api/v1/images/{image['uuid']}")
    assert again["rating"] == 4
    assert "gox" in again["prompt"]
    [root] = client.get("/api/v1/folders")["folders"]
    assert root["missing"] == 1


def test_findings_are_dismissed_by_kind(client: Client, pictures: list[Path]) -> None:
    rot(pictures[1], at=100)
    pictures[2].unlink()
    check(client)
    assert client.post("/api/v1/verify/findings:dismiss", {"finding": "missing"})["changed"] == 1
    assert found(client) == {pictures[1].name: "changed"}
    assert client.post("/api/v1/verify/findings:dismiss", {})["changed"] == 1


def test_a_folder_that_is_away_is_no_finding(client: Client, tmp_path: Path) -> None:
    shutil.move(tmp_path / "pictures", tmp_path / "elsewhere")
    client.post("/api/v1/verify:start", {})
    until(lambda: not client.get("/api/v1/verify")["state"]["on"])
    assert found(client) == {}
    (tmp_path / "pictures").mkdir()
    client.post("/api/v1/verify:start", {})
    until(lambda: not client.get("/api/v1/verify")["state"]["on"])
    assert found(client) == {}


def test_the_command_line_says_what_it_found_and_ends_with_one(tmp_path: Path, pictures: list[Path]) -> None:
    def said(*words: str) -> Any:
        command = [sys.executable, "-m", "mysticanvas.app.cli", *words, "--json"]
        done = subprocess.run(
            [*command, "--library", str(tmp_path / "library")], capture_output=True, text=True, check=False
        )
        return done.returncode, json.loads(done.stdout)

    said("import", str(tmp_path / "pictures"))
    exit_code, report = said("library", "verify")
    assert (exit_code, report["state"]["checked"], report["findings"]) == (0, IMAGES, [])
    pictures[4].unlink()
    exit_code, report = said("library", "verify")
    assert exit_code == 1
    assert [one["finding"] for one in report["findings"]] == ["missing"]
    assert said("library", "verify", "--dismiss", "--only", "missing") == (0, {"changed": 1})
    assert said("library", "verify", "--status")[0] == 0


def test_a_scan_as_a_job_finds_what_is_new(client: Client, tmp_path: Path) -> None:
    (tmp_path / "pictures" / "new.png").write_bytes(a1111_png(9_000))
    assert client.post("/api/v1/jobs:start", {"kind": "rescan"})["changed"] == 1
    until(lambda: client.get("/api/v1/status")["total"] == IMAGES + 1 and is_idle(client))
    [scan] = client.get("/api/v1/jobs", kind="rescan")["jobs"]
    assert (scan["status"], scan["file"]) == ("done", str(tmp_path / "pictures"))


# -- the chain of batches, step by step -------------------------------------------------------


class Checking:
    """The check without workers: each batch is claimed, answered and committed here."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database = database
        self.now_ms = 10 * DAY_MS
        monkeypatch.setattr(verify_job, "now_ms", lambda: self.now_ms)
        monkeypatch.setattr(verify_job, "BATCH_FILES", 4)
        add_images(database, 12)

    def start(self, **budget: int | None) -> None:
        verify_service.start(
            self.database, **({"bytes_per_s": None, "bytes_per_day": None} | budget), now_ms=self.now_ms
        )

    def claim(self) -> job_queue.Job | None:
        claimed = self.database.write(job_queue.claim, owner_id="x", limit=5, now_ms=self.now_ms)
        assert len(claimed) <= 1
        return claimed[0] if claimed else None

    def answer(self, job: job_queue.Job) -> None:
        task = self.database.read(verify_job.prepare, job.payload)
        verified = [FileVerified(True, None, None, None) for _ in task.files]
        self.commit(job_outcomes.Finished(job, FilesVerified(False, verified)))

    def commit(self, outcome: job_outcomes.Outcome) -> None:
        self.database.write(job_outcomes.apply_all, [outcome], now_ms=self.now_ms)

    @property
    def state(self) -> verify_queries.VerifyState:
        return self.database.read(verify_queries.get_state)

    @property
    def found(self) -> list[str]:
        rows = self.database.read(verify_queries.list_findings, finding=None, after=0, limit=100)
        return [row.path for row in rows]


@pytest.fixture
def checking(database: Database, monkeypatch: pytest.MonkeyPatch) -> Checking:
    return Checking(database, monkeypatch)


def test_each_batch_queues_the_next_and_a_check_goes_on_where_it_was_stopped(checking: Checking) -> None:
    checking.start()
    first = checking.claim()
    assert first is not None
    checking.answer(first)
    assert checking.state.checked == 4
    verify_service.stop(checking.database, now_ms=0)
    assert checking.claim() is None
    checking.start()
    while (job := checking.claim()) is not None:
        checking.answer(job)
    assert (checking.state.on, checking.state.checked) == (False, 12)
    assert len(checking.found) == 12
    checking.start()
    assert checking.state.checked == 0


def test_a_check_keeps_to_its_bytes_a_second(checking: Checking) -> None:
    checking.start(bytes_per_s=1_000)
    job = checking.claim()
    assert job is not None
    checking.answer(job)
    # Four files of 1,000 bytes.
    checking.now_ms += 3_990
    assert checking.claim() is None
    checking.now_ms += 20
    assert checking.claim() is not None


def test_a_check_keeps_to_its_bytes_a_day_and_a_new_budget_counts_at_once(checking: Checking) -> None:
    checking.start(bytes_per_day=5_000)
    for _ in range(2):
        job = checking.claim()
        assert job is not None
        checking.answer(job)
    checking.now_ms += DAY_MS - 1_000
    assert checking.claim() is None
    checking.now_ms += 2_000
    job = checking.claim()
    assert job is not None
    checking.commit(job_outcomes.Returned(job))
    checking.start()
    assert checking.claim() is not None


def test_a_batch_that_crashes_is_halved_and_the_one_bad_file_is_a_finding_behind_which_it_goes_on(
    checking: Checking,
) -> None:
    checking.start()
    bad = None
    for _ in range(60):
        checking.now_ms += 3_600_000
        claimed = checking.database.write(job_queue.claim, owner_id="x", limit=5, now_ms=checking.now_ms)
        if not claimed:
            break
        for job in claimed:
            bad = bad or job.payload["files"][1]
            if bad in job.payload["files"]:
                checking.commit(job_outcomes.Failed(job, "It crashed.\nmore", crashed=True))
            else:
                task = checking.database.read(verify_job.prepare, job.payload)
                fine = [FileVerified(False, None, None, "x") for _ in task.files]
                checking.commit(job_outcomes.Finished(job, FilesVerified(False, fine)))
    assert not checking.state.on
    rows = checking.database.read(verify_queries.list_findings, finding="undecodable", after=0, limit=100)
    assert [row.detail for row in rows if row.id == bad] == ["It crashed."]
    assert len(rows) == 12
    assert checking.state.checked == 12


def test_files_that_were_moved_meanwhile_are_not_spoken_of(checking: Checking) -> None:
    checking.start()
    job = checking.claim()
    assert job is not None
    checking.database.write(
        lambda tx: tx.run(
            "UPDATE generation_files SET path_bytes = :path WHERE id = :id", path=b"zz", id=job.payload["files"][0]
        )
    )
    checking.answer(job)
    assert len(checking.found) == 3
