"""kill -9 of the Orchestrator while images arrive and a hook is told of them, and what the hook got in the end."""

import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mysticanvas.domain.event import EventKind
from mysticanvas.features.event_hooks.hook_file import write_hooks
from mysticanvas.features.event_hooks.types import Hook
from tests.faults.kill_loop import doctor
from tests.faults.serving import Served
from tests.pictures import write_pictures

# One write of one line: also of a command that outlives its gallery.
RECEIVER = """
import json, os, sys
told = json.load(sys.stdin)
line = json.dumps([told["delivery"], told["uuids"]]) + "\\n"
file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(file, line.encode())
"""
# Against hanging.
ARRIVAL_LIMIT_S = 300.0


@dataclass(slots=True)
class Verdict:
    """`wrong` says what was found wrong, a sentence each. `deliveries` counts those that differ, `repeated` those that
    came again."""

    wrong: list[str] = field(default_factory=list)
    kills: int = 0
    deliveries: int = 0
    repeated: int = 0


def run(home: Path, *, files: int, kills: int, seed: int, program: Path | None = None) -> Verdict:
    """Between two kills some of the images arrive. `program`: see `Served`."""
    chance = random.Random(seed)
    library, pictures, got = home / "library", home / "pictures", home / "got"
    library.mkdir(parents=True)
    pictures.mkdir()
    receiver = home / "receiver.py"
    receiver.write_text(RECEIVER)
    command = [sys.executable, str(receiver), str(got)]
    write_hooks(library, [Hook("1", EventKind.IMAGE_ADDED, 0, command=command, folder=str(home))])
    verdict = Verdict()
    written = 0
    for number in range(kills):
        share = files * (number + 1) // kills - written
        write_pictures(pictures, share, first_seed=written)
        written += share
        served = Served(library, [pictures], program=program).wait_until_up()
        _wait_for_a_moment(chance, got)
        served.kill()
        verdict.kills += 1
    served = Served(library, [pictures], program=program).wait_until_up()
    served.wait_until_idle(files)
    found = served.get("/api/v1/images", q="", limit=files + 10)["items"]
    served.stop()
    _compare({item["uuid"] for item in found}, _read(got), verdict)
    verdict.wrong += doctor(library)
    return verdict


def _wait_for_a_moment(chance: random.Random, got: Path) -> None:
    """Sometimes a random time, sometimes until the hook got something: then the delivery has just been made."""
    if chance.random() < 0.5:
        time.sleep(chance.uniform(0.02, 1.5))
        return
    before, deadline_s = _size(got), time.monotonic() + ARRIVAL_LIMIT_S
    while _size(got) == before and time.monotonic() < deadline_s:
        time.sleep(0.001)
    time.sleep(chance.choice((0.0, 0.01, 0.05)))


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def _read(got: Path) -> list[tuple[str, list[str]]]:
    return [tuple(json.loads(line)) for line in got.read_text().splitlines()] if got.exists() else []


def _compare(images: set[str], deliveries: list[tuple[str, list[str]]], verdict: Verdict) -> None:
    contents: dict[str, list[str]] = {}
    for delivery, uuids in deliveries:
        if contents.setdefault(delivery, uuids) != uuids:
            verdict.wrong.append(f"delivery {delivery} came again with other images")
    told = Counter(uuid for uuids in contents.values() for uuid in uuids)
    verdict.deliveries, verdict.repeated = len(contents), len(deliveries) - len(contents)
    if images - set(told):
        verdict.wrong.append(f"the hook was not told of {len(images - set(told))} of {len(images)} images")
    if set(told) - images:
        verdict.wrong.append(f"the hook was told of {len(set(told) - images)} images that do not exist")
    twice = [uuid for uuid, times in told.items() if times > 1]
    if twice:
        verdict.wrong.append(f"{len(twice)} images are in two deliveries")
    if verdict.repeated > verdict.kills:
        verdict.wrong.append(f"{verdict.repeated} deliveries came again after {verdict.kills} kills")
