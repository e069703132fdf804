"""kill -9 of a gallery that imports, edits, undoes and backs up, and a ledger of what it acknowledged.

An action that was under way at a kill happened completely or not at all; every other one is exactly as acknowledged.
"""

import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.faults.kill_loop import doctor
from tests.faults.serving import Served
from tests.pictures import a1111_png

FIRST_IMAGES = 20
MOST_IMAGES = 80
MOST_S = 0.9
TAG = "ledger"
REFUSED = (404, 409, 410)


@dataclass(slots=True)
class Done:
    """An acknowledged edit of one field of one image."""

    operation: int
    image: str
    field: str
    before: Any
    after: Any


@dataclass(slots=True)
class Ledger:
    """What the gallery acknowledged. `open` is the change under way: (image, field, before, after)."""

    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    # The edits that are not undone, oldest first.
    done: list[Done] = field(default_factory=list)
    operations: set[int] = field(default_factory=set)
    backups: set[str] = field(default_factory=set)
    open: tuple[str, str, Any, Any] | None = None
    acknowledged: int = 0
    undone: int = 0
    wrong: list[str] = field(default_factory=list)


class Kills:
    """`library` and `pictures` are folders that do not exist yet. `program`: see `Served`."""

    def __init__(self, library: Path, pictures: Path, *, seed: int, program: Path | None = None) -> None:
        self.ledger = Ledger()
        self._library = library
        self._pictures = pictures
        self._chance = random.Random(seed)
        self._program = program
        self._written = 0
        library.mkdir(parents=True)
        pictures.mkdir(parents=True)
        for _ in range(FIRST_IMAGES):
            self._write_image()

    def run(self, kills: int) -> Ledger:
        """Stops at the first kill after which something is wrong."""
        for kill in range(kills):
            served = Served(self._library, [self._pictures], program=self._program).wait_until_up()
            self._compare(served)
            self._act_until(served, time.monotonic() + self._chance.uniform(0.05, MOST_S))
            served.kill()
            self.ledger.wrong += doctor(self._library)
            if self.ledger.wrong:
                self.ledger.wrong.append(f"after kill {kill + 1}")
                return self.ledger
        self._compare_at_the_end()
        return self.ledger

    # -- acting -------------------------------------------------------------------------------

    def _act_until(self, served: Served, deadline_s: float) -> None:
        served.http.timeout = 30
        while time.monotonic() < deadline_s:
            self._find_images(served)
            actions = [self._edit] * 12 + [self._undo] * 3 + [self._add_image] * 2 + [self._back_up]
            try:
                self._chance.choice(actions)(served)
            except httpx.HTTPStatusError as error:
                self.ledger.open = None
                if error.response.status_code not in REFUSED:
                    raise
        # The kill meets an action that was just sent, too.
        served.http.timeout = 0.002
        try:
            self._edit(served)
        except httpx.HTTPError:
            pass

    def _write_image(self) -> None:
        (self._pictures / f"{self._written:05}.png").write_bytes(a1111_png(self._written))
        self._written += 1

    def _add_image(self, served: Served) -> None:
        if self._written < MOST_IMAGES:
            self._write_image()
            served.post("/api/v1/imports", {"paths": [str(self._pictures)]})

    def _find_images(self, served: Served) -> None:
        if len(self.ledger.images) == self._written:
            return
        for item in served.get("/api/v1/images", q="", limit=MOST_IMAGES)["items"]:
            new = {"rating": 0, "favorite": False, "notes": None, "trash": False, "tags": False}
            self.ledger.images.setdefault(item["uuid"], new)

    def _edit(self, served: Served) -> None:
        if not self.ledger.images:
            return
        image = self._chance.choice(sorted(self.ledger.images))
        state = self.ledger.images[image]
        name = "trash" if state["trash"] else self._chance.choice(sorted(state))
        before, after = state[name], self._choose_other(name, state[name])
        value: Any = after
        if name == "tags":
            value = {"add": [TAG]} if after else {"remove": [TAG]}
        self.ledger.open = image, name, before, after
        result = served.post("/api/v1/edits", {"uuids": [image], "set": {name: value}})
        self.ledger.open = None
        state[name] = after
        self.ledger.done.append(Done(result["operation"], image, name, before, after))
        self.ledger.operations.add(result["operation"])
        self.ledger.acknowledged += 1

    def _choose_other(self, name: str, now: Any) -> Any:
        if name == "rating":
            return self._chance.choice([stars for stars in range(1, 6) if stars != now])
        if name == "notes":
            return f"note {self._chance.randrange(10**9)}"
        return not now

    def _undo(self, served: Served) -> None:
        if not self.ledger.done:
            return
        last = self.ledger.done[-1]
        self.ledger.open = last.image, last.field, last.after, last.before
        undone = served.post(f"/api/v1/edits/{last.operation}/undo", {})
        self.ledger.open = None
        assert undone["operation"] == last.operation
        self.ledger.images[last.image][last.field] = last.before
        self.ledger.done.pop()
        self.ledger.acknowledged += 1
        self.ledger.undone += 1

    def _back_up(self, served: Served) -> None:
        self.ledger.backups.add(served.post("/api/v1/backups", {})["name"])

    # -- comparing ----------------------------------------------------------------------------

    def _compare(self, served: Served) -> None:
        ledger = self.ledger
        for image, state in ledger.images.items():
            self._compare_image(served, image, state)
        tagged = {item["uuid"] for item in served.get("/api/v1/images", q=f"tag:{TAG}", limit=MOST_IMAGES)["items"]}
        for image, state in ledger.images.items():
            if not state["trash"]:
                self._compare_value(image, "tags", image in tagged)
        self._compare_history(served)
        ledger.open = None
        kept = {one["name"] for one in served.get("/api/v1/backups")["backups"]}
        ledger.wrong += [f"the backup {name} is lost" for name in sorted(ledger.backups - kept)]
        paths = [item["path"] for item in served.get("/api/v1/images", q="", limit=10 * MOST_IMAGES)["items"]]
        if len(paths) != len(set(paths)):
            ledger.wrong.append("a file is in the library twice")

    def _compare_image(self, served: Served, image: str, state: dict[str, Any]) -> None:
        now = served.get(f"/api/v1/images/{image}")
        # Tags of an image in the Trash cannot be searched for.
        names = {"rating": "rating", "favorite": "is_favorite", "notes": "notes", "trash": "deleted"}
        for name, key in names.items():
            self._compare_value(image, name, now[key] or None if name == "notes" else now[key])

    def _compare_value(self, image: str, name: str, now: Any) -> None:
        state = self.ledger.images[image]
        if now == state[name]:
            return
        if self.ledger.open is not None and self.ledger.open[:2] == (image, name) and now == self.ledger.open[3]:
            state[name] = now
            return
        self.ledger.wrong.append(f"{name} of {image} is {now!r} instead of {state[name]!r}")

    def _compare_history(self, served: Served) -> None:
        """At most the edit under way is in the history without having been acknowledged."""
        ledger = self.ledger
        found = {one["operation"]: one["state"] for one in served.get("/api/v1/edits", limit=500)["operations"]}
        newest = sorted(ledger.operations)[-400:]
        ledger.wrong += [f"edit {number} is lost" for number in newest if number not in found]
        strange = [number for number in found if number not in ledger.operations and number > min(newest, default=0)]
        if len(strange) > (1 if ledger.open is not None else 0):
            ledger.wrong.append(f"{len(strange)} edits were made twice or by nobody: {strange}")
        ledger.operations |= set(strange)
        ledger.done = [one for one in ledger.done if found.get(one.operation) == "done"]

    def _compare_at_the_end(self) -> None:
        served = Served(self._library, [self._pictures], program=self._program).wait_until_up()
        try:
            self._compare(served)
            served.post("/api/v1/imports", {"paths": [str(self._pictures)]})
            served.wait_until_idle(0)
            in_trash = served.get("/api/v1/trash", limit=1_000)["items"]
            items = served.get("/api/v1/images", q="", limit=10 * MOST_IMAGES)["items"] + in_trash
            paths = sorted(str(item["path"]) for item in items)
            if paths != sorted(str(path) for path in self._pictures.iterdir()):
                self.ledger.wrong.append(f"{len(paths)} files are in the library, and {self._written} were written")
        finally:
            served.stop()
        self.ledger.wrong += doctor(self._library)
