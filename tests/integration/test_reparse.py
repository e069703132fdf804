"""Kept texts are read again by newer parsers; what the person wrote stays, and a kill loses nothing."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.faults.serving import Served
from tests.integration.test_lineage import comfy_png
from tests.pictures import a1111_png, write_pictures

from mysticanvas.cli.client import connect
from mysticanvas.cli.imports import import_and_follow
from mysticanvas.db.database import Database
from mysticanvas.features.importing import reparse_job, reparse_task
from mysticanvas.features.importing.messages import ReparseTexts, StoredTexts
from mysticanvas.jobs import queue as job_queue
from mysticanvas.settings import Settings


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library"


def take_in(library: Path, pictures: Path) -> None:
    with connect(Settings(library=library, workers=1, settle_s=0.3)) as client:
        import_and_follow(client, [pictures], dry_run=False, wait=True)


def make_old(library: Path) -> None:
    """As an older parser would have left it: wrong words, no model, no number."""
    with Database.open(library) as database:
        database.write(
            lambda tx: tx.run(
                "UPDATE generations SET parser_version = 0, prompt = 'misread', seed = NULL, model_id = NULL"
            )
        )
        database.write(lambda tx: tx.run("DELETE FROM generation_models"))


def run(library: Path, *args: str) -> Any:
    command = [sys.executable, "-m", "mysticanvas.app.cli", *args, "--library", str(library), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def test_what_an_older_parser_read_is_read_again_and_the_person_s_words_stay(library: Path, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 60)
    take_in(library, tmp_path / "pictures")
    with connect(Settings(library=library, workers=1)) as client:
        snapshot = client.post("/api/v1/snapshots", {"q": ""})["snapshot"]
        for marks in ({"rating": 4}, {"favorite": True}):
            client.post("/api/v1/edits", {"snapshot": snapshot, "ranges": [[0, 60]], "set": marks})
    make_old(library)
    assert run(library, "search", "misread", "--count")["total"] == 60

    queued = run(library, "library", "reparse")
    assert (queued["images"], queued["failed"]) == (60, 0)
    assert queued["jobs"] > 1
    assert run(library, "search", "misread")["total"] == 0
    found = run(library, "search", "fox model:v1-5-pruned-emaonly rating:4 is:favourite")
    assert found["total"] == 60
    assert run(library, "image", "show", found["items"][0]["uuid"])["seed"] is not None
    assert run(library, "doctor")["ok"]
    assert run(library, "library", "reparse")["images"] == 0
    assert run(library, "library", "reparse", "--all")["images"] == 60


def test_only_what_the_query_finds_is_read_again(library: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for seed, model in ((1, "one"), (2, "two"), (3, "two")):
        (tmp_path / "pictures" / f"{seed}.png").write_bytes(a1111_png(seed, model=model))
    take_in(library, tmp_path / "pictures")
    with Database.open(library) as database:
        database.write(lambda tx: tx.run("UPDATE generations SET parser_version = 0"))
    assert run(library, "library", "reparse", "model:two")["images"] == 2
    assert run(library, "library", "reparse")["images"] == 1


def test_a_corrected_parent_and_a_word_about_the_file_stay(library: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "fox.png").write_bytes(comfy_png(1))
    (pictures / "child.png").write_bytes(comfy_png(2, source="fox.png")[:-12])
    (pictures / "other.png").write_bytes(comfy_png(3))
    take_in(library, pictures)
    images = {Path(item["path"]).name: item["uuid"] for item in run(library, "search", "")["items"]}
    run(library, "image", "link", images["child.png"], images["other.png"], "--relation", "variation")
    make_old(library)
    run(library, "library", "reparse")
    [edge] = run(library, "image", "lineage", images["child.png"])["edges"]
    assert (edge["parent"], edge["relation"], edge["sure"]) == (images["other.png"], "variation", True)
    child = run(library, "image", "show", images["child.png"])
    assert child["prompt"] == "a fox 2"
    assert any("too early" in problem for problem in child["problems"])


def test_a_kill_in_the_middle_loses_nothing_and_does_nothing_twice(library: Path, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 400)
    take_in(library, tmp_path / "pictures")
    make_old(library)
    server = Served(library, []).wait_until_up()
    assert server.post("/api/v1/images:reparse", {})["images"] == 400
    deadline = time.monotonic() + 120
    while not server.get("/api/v1/images", q="fox", limit=0)["total"]:
        assert time.monotonic() < deadline, "no image was read again"
        time.sleep(0.005)
    server.kill()

    again = Served(library, []).wait_until_up()
    try:
        again.wait_until_idle(400)
        assert again.get("/api/v1/images", q="fox", limit=0)["total"] == 400
        kinds = {kind["kind"]: kind for kind in again.get("/api/v1/jobs/summary")["kinds"]}
        assert (kinds["reparse"]["done"], kinds["reparse"]["failed"]) == (16, 0)
        assert again.get("/api/v1/doctor")["ok"]
    finally:
        again.stop()


def test_a_batch_that_crashes_a_worker_is_halved_until_the_bad_one_is_alone(database: Database) -> None:
    database.write(reparse_job.enqueue, [1, 2, 3, 4, 5])
    crashed = []
    for step in range(40):
        claimed = database.write(job_queue.claim, owner_id="x", limit=1, now_ms=10**9 * (step + 1))
        if not claimed:
            break
        [job] = claimed
        parts = reparse_job.split(job.payload)
        if 4 not in job.payload["generations"]:
            database.write(job_queue.finish, job, now_ms=0)
        elif parts:
            database.write(job_queue.replace, job, parts, now_ms=0)
        else:
            crashed.append(job.payload["generations"])
            database.write(job_queue.fail, job, error="it crashed", crashed=True, now_ms=0, most_attempts=4)
    assert crashed == [[4], [4]]
    rows = database.read(lambda tx: tx.all("SELECT status, payload_json FROM jobs WHERE status <> 'done'"))
    assert [(row["status"], json.loads(row["payload_json"])["generations"]) for row in rows] == [("error", [4])]


def test_damaged_texts_stop_nothing() -> None:
    good = StoredTexts(2, b"", "x.png")
    bad = StoredTexts(1, b"no zlib at all", "x.png")
    answer = reparse_task.run(ReparseTexts([bad, good]))
    assert (answer.generations, answer.recipes[0]) == ([1, 2], b"")
