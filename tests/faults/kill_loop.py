"""kill -9 of the Orchestrator at random moments of an import, and what must hold afterwards."""

import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.faults.serving import Served

FINISH_LIMIT_S = 600.0


@dataclass(slots=True)
class Verdict:
    """What was found wrong, a sentence each; empty when nothing was."""

    wrong: list[str] = field(default_factory=list)
    kills: int = 0
    acknowledged: int = 0


def run(library: Path, pictures: Path, *, files: int, kills: int, seed: int, program: Path | None = None) -> Verdict:
    """Import `pictures` while killing; then let it finish and compare. `program`: see `Served`."""
    chance = random.Random(seed)
    verdict = Verdict()
    favourites: set[str] = set()
    library.mkdir(parents=True, exist_ok=True)
    for _ in range(kills):
        served = Served(library, [pictures], program=program).wait_until_up()
        _favourite_until(served, time.monotonic() + chance.uniform(0.02, 0.9), favourites, chance)
        served.kill()
        verdict.kills += 1
        verdict.wrong += doctor(library)
        if verdict.wrong:
            return verdict
    verdict.acknowledged = len(favourites)
    verdict.wrong += _after_all(library, pictures, files, favourites, program)
    return verdict


def _favourite_until(served: Served, deadline_s: float, favourites: set[str], chance: random.Random) -> None:
    """Favourite random images; those acknowledged are remembered."""
    while time.monotonic() < deadline_s:
        try:
            query = served.post("/api/v1/snapshots", {"q": ""})
            if not query["total"]:
                time.sleep(0.01)
                continue
            index = chance.randrange(query["total"])
            page = served.get(f"/api/v1/snapshots/{query['snapshot']}/items", start=index, count=1)
            served.post(
                "/api/v1/edits",
                {"snapshot": query["snapshot"], "ranges": [[index, index + 1]], "set": {"favorite": True}},
            )
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 410:
                raise
            continue
        favourites.add(page["uuid"][0])


def doctor(library: Path) -> list[str]:
    """`doctor` in a process of its own, as a person would ask it."""
    asked = subprocess.run(
        [sys.executable, "-m", "mysticanvas.app.cli", "doctor", "--json", "--library", str(library)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    try:
        checks = json.loads(asked.stdout)["checks"]
    except (ValueError, KeyError):
        return [f"doctor did not answer: {asked.stderr[-800:]}"]
    return [f"doctor: {check['name']}: {check['detail']}" for check in checks if not check["ok"]]


def _after_all(library: Path, pictures: Path, files: int, favourites: set[str], program: Path | None) -> list[str]:
    served = Served(library, [pictures], program=program).wait_until_up()
    try:
        wrong = _wait_until_idle(served, files)
        found = served.get("/api/v1/images", q="", limit=files + 10)
        paths = [item["path"] for item in found["items"]]
        expected = {str(path) for path in pictures.rglob("*.png")}
        if len(paths) != len(set(paths)):
            wrong.append("a file is in the library twice")
        if set(paths) != expected:
            wrong.append(f"{len(expected - set(paths))} files are missing, {len(set(paths) - expected)} are strange")
        wrong += [
            f"the favourite of {uuid} was acknowledged and is lost"
            for uuid in sorted(favourites)
            if not served.get(f"/api/v1/images/{uuid}")["is_favorite"]
        ]
        wrong += _without_thumbnail(served, found["total"])
    finally:
        served.stop()
    return wrong + doctor(library)


def _wait_until_idle(served: Served, files: int) -> list[str]:
    deadline_s = time.monotonic() + FINISH_LIMIT_S
    while time.monotonic() < deadline_s:
        status = served.get("/api/v1/status")
        busy = any(kind["waiting"] or kind["running"] for kind in served.get("/api/v1/jobs/summary")["kinds"])
        if status["current_import"] is None and not busy and status["total"] >= files:
            return []
        if status["current_import"] is None and not busy and status["total"] < files:
            time.sleep(0.5)
            if served.get("/api/v1/status")["current_import"] is None and served.get("/api/v1/status")["total"] < files:
                return [f"the import is over with {status['total']} of {files} files"]
        time.sleep(0.1)
    return ["the work did not end"]


def _without_thumbnail(served: Served, total: int) -> list[str]:
    query = served.post("/api/v1/snapshots", {"q": ""})
    without = 0
    for start in range(0, total, 256):
        page = served.get(f"/api/v1/snapshots/{query['snapshot']}/items", start=start, count=256)
        for thumb in page["thumb"]:
            if thumb is None or served.http.get(f"/api/v1/thumbnails/{thumb}/256").status_code != 200:
                without += 1
    return [f"{without} images have no thumbnail"] if without else []
