"""Importing real files through the real application: what is taken in, once, and what is reported."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from tests.importing import import_all
from tests.pictures import a1111_png, png, write_pictures

from mysticanvas.cli.client import Client, connect, wait_for_jobs
from mysticanvas.db.database import Database
from mysticanvas.db.images import folders
from mysticanvas.domain.errors import WorkerCrashedError
from mysticanvas.domain.task import Answer, Executor, Task
from mysticanvas.features.importing.commands import import_and_follow
from mysticanvas.features.importing.messages import ListFolder, ReadImages
from mysticanvas.settings import Settings
from mysticanvas.worker.pool import WorkerPool


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """The application in this process, with one worker."""
    with connect(Settings(library=tmp_path / "library", workers=1, settle_s=0.3)) as connected:
        yield connected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


def take_in(client: Client, folder: Path, **how: bool) -> dict[str, Any]:
    return import_and_follow(client, [folder], dry_run=how.get("dry_run", False), wait=how.get("wait", False))


def only(client: Client) -> dict[str, Any]:
    [found] = client.get("/api/v1/images", q="")["items"]
    detail: dict[str, Any] = client.get(f"/api/v1/images/{found['uuid']}")
    return detail


def test_an_import_adds_up_and_a_second_one_changes_nothing(client: Client, folder: Path) -> None:
    write_pictures(folder, 30)
    (folder / "page.png").write_text("<!doctype html>")
    first = take_in(client, folder)
    assert (first["files_seen"], first["imported"], first["failed"]) == (31, 30, 1)
    assert first["failures"][0]["path"].endswith("page.png")

    second = take_in(client, folder)
    assert (second["files_seen"], second["unchanged"], second["failed"]) == (31, 30, 1)
    assert client.get("/api/v1/images", q="")["total"] == 30


def test_a_dry_run_changes_nothing(client: Client, folder: Path) -> None:
    write_pictures(folder, 5)
    assert take_in(client, folder, dry_run=True)["imported"] == 5
    assert client.get("/api/v1/images", q="")["total"] == 0
    assert client.get("/api/v1/status")["folders"] == []


def test_what_the_file_says_is_found_and_shown(client: Client, folder: Path) -> None:
    (folder / "fox.png").write_bytes(a1111_png(12345))
    take_in(client, folder)
    made = only(client)
    assert made["prompt"] == "a red fox in snow, number 12345"
    assert (made["seed"], made["steps"], made["cfg_scale"], made["model"]) == ("12345", 20, 7.0, "v1-5-pruned-emaonly")
    assert client.get("/api/v1/images", q="fox model:v1-5-pruned-emaonly")["total"] == 1
    assert client.get("/api/v1/images", q="-fox")["total"] == 0
    assert "Negative prompt: blurry" in made["parameters_text"]


def test_a_sidecar_beside_the_image_is_read(client: Client, folder: Path) -> None:
    (folder / "bare.png").write_bytes(png())
    (folder / "bare.json").write_text(json.dumps({"prompt": "a quiet sea", "seed": 7, "steps": 4}))
    take_in(client, folder)
    assert (only(client)["prompt"], only(client)["seed"]) == ("a quiet sea", "7")


def test_the_same_bytes_at_two_places_are_one_image(client: Client, folder: Path) -> None:
    (folder / "one.png").write_bytes(a1111_png(1))
    (folder / "two.png").write_bytes(a1111_png(1))
    report = take_in(client, folder)
    assert (report["imported"], report["copies"]) == (1, 1)
    assert {file["kind"] for file in only(client)["files"]} == {"final", "copy"}


def test_a_moved_file_keeps_its_favourite(client: Client, folder: Path) -> None:
    (folder / "here.png").write_bytes(a1111_png(1))
    take_in(client, folder, wait=True)
    before = only(client)
    snapshot = client.post("/api/v1/snapshots", {"q": ""})["snapshot"]
    client.post("/api/v1/edits", {"snapshot": snapshot, "ranges": [[0, 1]], "set": {"favorite": True}})
    (folder / "deep").mkdir()
    (folder / "here.png").rename(folder / "deep" / "there.png")

    assert take_in(client, folder)["moved"] == 1
    after = only(client)
    assert (after["uuid"], after["is_favorite"]) == (before["uuid"], True)
    assert after["files"][0]["path"] == "deep/there.png"


def test_a_new_date_alone_changes_nothing(client: Client, folder: Path) -> None:
    picture = folder / "fox.png"
    picture.write_bytes(a1111_png(1))
    take_in(client, folder, wait=True)
    picture.touch()
    assert take_in(client, folder)["unchanged"] == 1


def test_a_half_written_file_is_taken_in_once_it_has_settled(client: Client, folder: Path) -> None:
    (folder / "cut.png").write_bytes(a1111_png(1)[:-12])
    report = take_in(client, folder)
    assert report["imported"] == 1
    assert any("too early" in problem for problem in only(client)["problems"])


def test_thumbnails_and_the_full_hash_come_with_the_jobs(client: Client, folder: Path) -> None:
    (folder / "fox.png").write_bytes(png(800, 600, color=0xC04020))
    take_in(client, folder, wait=True)
    wait_for_jobs(client)
    made = only(client)
    assert made["thumb"] == made["files"][0]["blake3"]
    view = client.post("/api/v1/snapshots", {"q": ""})
    page = client.get(f"/api/v1/snapshots/{view['snapshot']}/items", start=0, count=1)
    assert page["color"] == [0xC04020]


def test_marks_are_undone(client: Client, folder: Path) -> None:
    write_pictures(folder, 3)
    take_in(client, folder)
    snapshot = client.post("/api/v1/snapshots", {"q": ""})["snapshot"]
    done = client.post("/api/v1/edits", {"snapshot": snapshot, "ranges": [[0, 3]], "except": [1], "set": {"rating": 4}})
    assert done["changed"] == 2
    assert client.get("/api/v1/images", q="rating:>=4")["total"] == 2
    client.post(f"/api/v1/edits/{done['operation']}/undo")
    assert client.get("/api/v1/images", q="rating:4")["total"] == 0


def test_doctor_finds_a_library_sound_after_work(client: Client, folder: Path) -> None:
    write_pictures(folder, 20)
    take_in(client, folder, wait=True)
    verdict = client.get("/api/v1/doctor")
    assert [check for check in verdict["checks"] if not check["ok"]] == []
    assert verdict["ok"]


def test_the_command_line_prints_one_object(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 3)
    asked = subprocess.run(
        [sys.executable, "-m", "mysticanvas.app.cli", "import", str(tmp_path / "pictures"), "--json"]
        + ["--library", str(tmp_path / "library")],
        capture_output=True,
        text=True,
        check=True,
    )
    report = json.loads(asked.stdout)
    assert (report["files_seen"], report["imported"], report["failures"]) == (3, 3, [])


def test_a_search_without_a_match_exits_with_one(tmp_path: Path) -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "mysticanvas.app.cli", "search", "nothing", "--json"]
        + ["--library", str(tmp_path / "library")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (asked.returncode, json.loads(asked.stdout)) == (1, {"total": 0, "items": []})


def test_sha256_is_off_until_asked_and_then_kept_for_every_file(client: Client, folder: Path) -> None:
    [first] = write_pictures(folder, 1)
    take_in(client, folder, wait=True)
    assert only(client)["files"][0]["sha256"] is None

    assert client.post("/api/v1/jobs:start", {"kind": "sha256"})["changed"] == 1
    wait_for_jobs(client)
    assert only(client)["files"][0]["sha256"] == hashlib.sha256(first.read_bytes()).hexdigest()

    write_pictures(folder, 3)
    take_in(client, folder, wait=True)
    [kind] = [kind for kind in client.get("/api/v1/jobs/summary")["kinds"] if kind["kind"] == "sha256"]
    assert kind["done"] == 3
    client.post("/api/v1/jobs:stop", {"kind": "sha256"})
    write_pictures(folder, 4)
    take_in(client, folder, wait=True)
    [kind] = [kind for kind in client.get("/api/v1/jobs/summary")["kinds"] if kind["kind"] == "sha256"]
    assert (kind["done"], kind["waiting"]) == (3, 0)


class Killing:
    """An executor whose worker is killed at each task of a kind, the first `times` times."""

    def __init__(self, executor: Executor, kind: type, times: int) -> None:
        self._executor, self._kind, self._left = executor, kind, times

    def submit(self, task: Task, *, urgent: bool = False) -> Future[Answer]:
        if not isinstance(task, self._kind) or self._left == 0:
            return self._executor.submit(task, urgent=urgent)
        self._left -= 1
        killed: Future[Answer] = Future()
        killed.set_exception(WorkerCrashedError("The worker crashed during processing (exit code -9).", ""))
        return killed


@pytest.mark.parametrize(("kind", "times", "imported"), [(ListFolder, 1, 1), (ReadImages, 1, 1), (ReadImages, 2, 0)])
def test_a_worker_that_is_killed_once_says_nothing_of_what_it_was_at(
    database: Database, tmp_path: Path, kind: type, times: int, imported: int
) -> None:
    write_pictures(tmp_path / "pictures", 1)
    root = database.write(folders.add, path=str(tmp_path / "pictures"), watch=False, now_ms=0)
    with WorkerPool(1, memory_bytes=1 << 29, task_limit_s=30) as pool:
        counts = import_all(database, Killing(pool, kind, times), root).counts
    assert (counts.imported, counts.failed) == (imported, 1 - imported)
