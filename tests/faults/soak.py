"""Days of use in minutes: images come, are edited, trashed, restored and purged, folders move, workers and the
Orchestrator are killed; and memory, handles and threads stay what they were.

    python -m tests.faults.soak MINUTES FOLDER
"""

import os
import random
import shutil
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.faults.kill_loop import doctor
from tests.faults.serving import Served
from tests.pictures import a1111_png

COME_AT_A_TIME = 40
STAY = 400
SAMPLE_EVERY_S = 2.0
WORKER_KILL_EVERY_S = 60.0
# Caches fill for so long after a start.
SETTLES_S = 120.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Of the Orchestrator, without its workers. `came`: how many images had come by then."""

    at_s: float
    came: int
    resident_bytes: int
    handles: int
    threads: int
    wal_bytes: int


@dataclass(slots=True)
class Verdict:
    """`samples` are those since the last start."""

    wrong: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    rounds: int = 0
    came: int = 0
    purged: int = 0
    edits: int = 0
    workers_killed: int = 0
    orchestrators_killed: int = 0
    wal_bytes: int = 0

    def settled(self, settles_s: float = SETTLES_S) -> list[Sample]:
        first_s = self.samples[0].at_s if self.samples else 0.0
        return [sample for sample in self.samples if sample.at_s - first_s >= settles_s]

    def growth_bytes_per_image(self, settles_s: float = SETTLES_S) -> float:
        """The slope of a line through memory over the images that came, by least squares: a machine that does
        more in a minute grows no more by it."""
        points = [(one.came, one.resident_bytes) for one in self.settled(settles_s)]
        if len({came for came, _ in points}) < 2:
            return 0.0
        mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
        return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)

    def said(self, settles_s: float = SETTLES_S) -> str:
        settled = self.settled(settles_s) or self.samples
        resident, handles, threads = (
            sorted(getattr(one, name) for one in settled) for name in ("resident_bytes", "handles", "threads")
        )
        return (
            f"{self.rounds} rounds, {self.came:,} images came, {self.purged:,} purged, {self.edits:,} edits, "
            f"{self.workers_killed} workers and {self.orchestrators_killed} Orchestrators killed; "
            f"memory {resident[0] / 1e6:.0f} to {resident[-1] / 1e6:.0f} MB, "
            f"{self.growth_bytes_per_image(settles_s):+.0f} bytes an image over the last "
            f"{(settled[-1].at_s - settled[0].at_s) / 60:.1f} minutes; handles {handles[0]} to {handles[-1]}, "
            f"threads {threads[0]} to {threads[-1]}, WAL at most {self.wal_bytes / 1e6:.1f} MB"
        )


class Soak:
    """`kill_at_s`: when the Orchestrator is killed, in seconds from the start. `images` stay in the library."""

    def __init__(
        self, folder: Path, *, seconds: float, kill_at_s: list[float], images: int = STAY, seed: int = 1
    ) -> None:
        self.verdict = Verdict()
        self._pictures, self._library = folder / "pictures", folder / "library"
        self._seconds, self._kill_at_s = seconds, sorted(kill_at_s)
        self._chance = random.Random(seed)
        self._came, self._stay = 0, images
        self._ratings: dict[str, int] = {}
        self._began_s = self._sampled_s = self._killed_worker_s = time.monotonic()

    def run(self) -> Verdict:
        self._pictures.mkdir(parents=True)
        self._library.mkdir()
        self._come(self._stay)
        self._served = Served(self._library, [self._pictures]).wait_until_up()
        self._served.wait_until_idle(self._stay)
        self._began_s = time.monotonic()
        while time.monotonic() - self._began_s < self._seconds and not self.verdict.wrong:
            try:
                self._round()
            except httpx.HTTPError as error:
                self.verdict.wrong.append(f"an answer was a fault: {error}")
        self._end()
        return self.verdict

    def _round(self) -> None:
        self.verdict.rounds += 1
        self._come(COME_AT_A_TIME)
        self._scan()
        self._edit()
        self._move_a_folder()
        self._scan()
        self._thin_out()
        self._sample()
        self._kill()

    def _come(self, count: int) -> None:
        """A folder a round, of new images."""
        folder = self._pictures / f"day-{self._came:06}"
        folder.mkdir()
        for _ in range(count):
            (folder / f"{self._came:06}.png").write_bytes(a1111_png(self._came))
            self._came += 1
        self.verdict.came += count

    def _move_a_folder(self) -> None:
        days = sorted(self._pictures.glob("**/day-*"))
        chosen = self._chance.choice(days)
        into = self._pictures / self._chance.choice(("", "a", "a/b", "c"))
        into.mkdir(parents=True, exist_ok=True)
        if into / chosen.name != chosen:
            chosen.rename(into / chosen.name)

    def _scan(self) -> None:
        [root] = self._served.get("/api/v1/folders")["folders"]
        started = self._served.post(f"/api/v1/folders/{root['id']}:scan", {"accept": False})["id"]
        while (said := self._served.get(f"/api/v1/imports/{started}", wait=2))["report"] is None:
            self._sample()
        if said["report"]["failed"] or said["report"]["missing"]:
            self.verdict.wrong.append(f"a scan says {said['report']}")

    def _found(self, q: str, limit: int) -> list[dict[str, Any]]:
        return list(self._served.get("/api/v1/images", q=q, limit=limit)["items"])

    def _edit(self) -> None:
        for item in self._chance.sample(self._found("", 1_000), 30):
            rating = self._chance.randrange(1, 6)
            self._set([item["uuid"]], {"rating": rating})
            self._ratings[item["uuid"]] = rating
        some = [item["uuid"] for item in self._chance.sample(self._found("", 1_000), 20)]
        self._set(some, {"tags": {"add": [self._chance.choice(("fox", "snow", "night"))]}})

    def _set(self, uuids: list[str], marks: dict[str, Any]) -> None:
        self._served.post("/api/v1/edits", {"uuids": uuids, "set": marks})
        self.verdict.edits += 1

    def _thin_out(self) -> None:
        """Into the Trash, half of it out again, and what is more than may stay for good."""
        there = [item["uuid"] for item in self._found("", 2_000)]
        gone = self._chance.sample(there, max(0, len(there) - self._stay))
        back = self._chance.sample([uuid for uuid in there if uuid not in gone], 20)
        self._set([*gone, *back], {"trash": True})
        self._set(back, {"trash": False})
        if gone:
            done = self._served.post("/api/v1/trash:purge", {"which": "all", "how": "unlink"})
            self.verdict.purged += done["images"]
            if done["images"] != len(gone):
                self.verdict.wrong.append(f"of {len(gone)} images {done['images']} were purged: {done['kept'][:2]}")
        for uuid in gone:
            self._ratings.pop(uuid, None)
        for folder in sorted(self._pictures.glob("**/*/"), reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()

    def _kill(self) -> None:
        now_s = time.monotonic()
        if now_s - self._killed_worker_s >= WORKER_KILL_EVERY_S:
            self._killed_worker_s = now_s
            workers = _children(self._served.process.pid)
            if workers:
                os.kill(self._chance.choice(workers), signal.SIGKILL)
                self.verdict.workers_killed += 1
        if self._kill_at_s and now_s - self._began_s >= self._kill_at_s[0]:
            self._kill_at_s.pop(0)
            self._served.kill()
            self.verdict.orchestrators_killed += 1
            self.verdict.samples.clear()
            self._served = Served(self._library, []).wait_until_up()

    def _sample(self, *, always: bool = False) -> None:
        now_s = time.monotonic()
        if not always and now_s - self._sampled_s < SAMPLE_EVERY_S:
            return
        self._sampled_s = now_s
        log = self._library / "mysticanvas.db-wal"
        taken = sample(self._served.process.pid, now_s, self.verdict.came, log.stat().st_size if log.exists() else 0)
        self.verdict.samples.append(taken)
        self.verdict.wal_bytes = max(self.verdict.wal_bytes, taken.wal_bytes)

    def _end(self) -> None:
        wrong = self.verdict.wrong
        self._sample(always=True)
        for uuid, rating in self._ratings.items():
            said = self._served.get(f"/api/v1/images/{uuid}")["rating"]
            if said != rating:
                wrong.append(f"{uuid} was rated {rating}, and is {said}")
        there = sum(1 for _ in self._pictures.rglob("*.png"))
        total = self._served.get("/api/v1/status")["total"]
        if there != total:
            wrong.append(f"{there} files are there, and {total} images")
        if self._served.stop() != 0:
            wrong.append("the Orchestrator did not end well")
        wrong += doctor(self._library)


def sample(pid: int, at_s: float, came: int, wal_bytes: int) -> Sample:
    """Linux: as /proc says."""
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text().split()[1])
    return Sample(
        at_s=at_s,
        came=came,
        resident_bytes=pages * os.sysconf("SC_PAGE_SIZE"),
        handles=len(list((process / "fd").iterdir())),
        threads=len(list((process / "task").iterdir())),
        wal_bytes=wal_bytes,
    )


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def main() -> None:
    minutes, folder = float(sys.argv[1]), Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    verdict = Soak(folder, seconds=minutes * 60, kill_at_s=[minutes * 12, minutes * 24]).run()
    print(verdict.said())
    print("\n".join(verdict.wrong) or "nothing wrong")
    sys.exit(bool(verdict.wrong))


if __name__ == "__main__":
    main()
