"""kill -9 while a model is asked for tags: every image has them, and none is asked about again for nothing (A1)."""

import json
import random
import re
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db.database import Database
from tests.faults.serving import Served
from tests.integration.test_autotagging import GOOD, Stub, chat, running, send, tagged
from tests.rows import add_images

LIMIT_S = 300.0
NUMBER = re.compile(r"lighthouse no (\d+)\b")


def answers(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
    time.sleep(0.005)
    send(handler, chat(json.dumps(GOOD)))


def questions(stub: Stub) -> Counter[int]:
    """How often each prompt was asked about."""
    return Counter(int(found[1]) for body in stub.asked if (found := NUMBER.search(json.dumps(body))))


def until(stub: Stub, asked: int, served: Served) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while len(stub.asked) < asked:
        assert time.monotonic() < deadline_s, f"{len(stub.asked)} questions of {asked}"
        assert served.process.poll() is None
        time.sleep(0.002)


def questions_left(served: Served) -> int:
    """Other jobs may wait to be tried again: there are no files here."""
    return sum(
        one["waiting"] + one["running"]
        for one in served.get("/api/v1/jobs/summary")["kinds"]
        if one["kind"] == "autotag"
    )


def tags_survive(folder: Path, images: int, kills: int) -> str:
    library = folder / "library"
    with Database.open(library) as database:
        add_images(database, images, prompt=lambda number: f"lighthouse no {number} at dusk")
    moments = sorted(random.Random(images).sample(range(2, images), kills))
    with running() as stub:
        stub.reply = answers
        served = Served(library, []).wait_until_up()
        try:
            served.put("/api/v1/autotag/settings", {"base_url": stub.url, "model": "tiny"})
            assert served.post("/api/v1/autotag/runs", {"query": "lighthouse"})["requests"] == images
            for moment in moments:
                until(stub, moment, served)
                served.kill()
                served = Served(library, []).wait_until_up()
            while questions_left(served):
                time.sleep(0.05)
        finally:
            assert served.stop() == 0
        asked = questions(stub)
    with Database.open(library) as database:
        rows = tagged(database)
        assert all(check.ok for check in doctor_checks.run_all(database))
    assert len({row["prompt"] for row in rows}) == len(rows) == images
    assert all(row["run"] for row in rows)
    again = sum(asked.values()) - images
    assert len(asked) == images
    # The one that was under way at each kill: nobody had kept its answer.
    assert again <= kills
    return f"{images} images, {kills} kills: {sum(asked.values())} questions, {again} of them again"


def test_a_hundred_images_are_tagged_through_kills_and_asked_about_once(tmp_path: Path) -> None:
    tags_survive(tmp_path, 100, 2)


@pytest.mark.long
def test_a_thousand_images_are_tagged_through_kills_and_asked_about_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tags_survive(tmp_path, 1_000, 20)
    with capsys.disabled():
        print(f"\n{figures}")
