"""A whole library against a model in plain Python: files come, go and change places, a person writes, jobs run,
the power goes, backups come back, and the clock jumps; the library always says what the model says."""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db.database import Database
from mysticanvas.db.images import folders
from mysticanvas.domain.errors import ConflictError, MystiCanvasError, TaskFailedError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Answer, Task
from mysticanvas.edits import undo as edit_undo
from mysticanvas.edits.types import EditState
from mysticanvas.features.backups import service as backup_service
from mysticanvas.features.importing.session import ImportRun
from mysticanvas.features.importing.tally import Start
from mysticanvas.features.trash import purge as trash_purge
from mysticanvas.fs.trash import DiscardMethod
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.kinds import KINDS
from mysticanvas.jobs.outcomes import Failed, Finished, apply_all
from mysticanvas.jobs.types import Job
from mysticanvas.search import language, paging
from mysticanvas.worker.main import run_task
from tests import edits as test_edits
from tests.faults import library_said
from tests.faults.library_bugs import BUGS
from tests.faults.library_model import ANCHOR, COLLECTIONS, Deed, File, Image, Model
from tests.pictures import a1111_png

PATHS = ("a.png", "b.png", "sub/a.png", "sub/deep/c.png", "other/b.png", "other/d.png")
TAGS = ("fox", "red fox", "dog")
UUIDS = {"one": "00000000-0000-4000-8000-000000000001", "two": "00000000-0000-4000-8000-000000000002"}
FIRST_S = 1_700_000_000
HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS

paths = st.sampled_from(PATHS)
some = st.sets(st.integers(0, 7), min_size=1, max_size=4)


class Here:
    """The work of workers, in this thread."""

    def submit(self, task: Task, *, urgent: bool = False) -> "Future[Answer]":
        future: Future[Answer] = Future()
        try:
            future.set_result(run_task(task))
        except MystiCanvasError as error:
            future.set_exception(TaskFailedError(str(error)))
        return future


class Library(RuleBasedStateMachine):
    folder: Path
    template: Path
    opened = 0

    @initialize()
    def begin(self) -> None:
        type(self).opened += 1
        self.here = self.folder / str(self.opened)
        self.pictures = self.here / "pictures"
        self.pictures.mkdir(parents=True)
        self.path = self.here / "library"
        shutil.copytree(self.template, self.path)
        self.now_ms = FIRST_S * 1000
        self.contents, self.stamps, self.crashes = ANCHOR, 0, 0
        self.disk: dict[str, File] = {}
        self.model = Model()
        self.backups: list[tuple[Path, Model]] = []
        self.claimed: list[Job] = []
        self.open()
        self.root = self.database.write(folders.add, path=str(self.pictures), watch=False, now_ms=0)
        for name in COLLECTIONS:
            self.database.write_bulk(test_edits.do, "collection.create", {"uuid": UUIDS[name], "name": name}, now_ms=0)
        self.create("anchor.png")
        self.create(PATHS[0])
        self.create(PATHS[2])
        self.scan()

    def open(self) -> None:
        self.database = Database.open(self.path)
        # As the dispatcher does when it begins.
        self.database.write_bulk(job_queue.requeue_orphaned, owner_id=self.database.owner_id, now_ms=self.now_ms)

    # -- the disk -----------------------------------------------------------------------------------

    def full(self, path: str) -> Path:
        full = self.pictures / path
        full.parent.mkdir(parents=True, exist_ok=True)
        return full

    def stamp(self, path: str) -> int:
        """A date of its own for each change, several a second, as systems give them."""
        self.stamps += 1
        at_ns = FIRST_S * 10**9 + self.stamps * 250_000_000
        os.utime(self.full(path), ns=(at_ns, at_ns))
        return self.stamps

    def create(self, path: str) -> None:
        self.full(path).write_bytes(a1111_png(self.contents, width=32, height=32))
        self.disk[path] = File(self.contents, self.stamp(path))
        self.contents += 1

    @rule(path=paths)
    def drop(self, path: str) -> None:
        """A new picture, or another in place of one."""
        self.create(path)

    @rule(path=paths, to=paths)
    def move(self, path: str, to: str) -> None:
        if path in self.disk and path != to:
            self.full(path).replace(self.full(to))
            self.disk[to] = self.disk.pop(path)

    @rule(path=paths, to=paths)
    def swap(self, path: str, to: str) -> None:
        if path in self.disk and to in self.disk and path != to:
            aside = self.pictures / "aside"
            self.full(path).rename(aside)
            self.full(to).rename(self.full(path))
            aside.rename(self.full(to))
            self.disk[path], self.disk[to] = self.disk[to], self.disk[path]

    @rule(path=paths, to=paths)
    def copy(self, path: str, to: str) -> None:
        if path in self.disk and path != to:
            shutil.copyfile(self.full(path), self.full(to))
            self.disk[to] = File(self.disk[path].content, self.stamp(to))

    @rule(path=paths)
    def touch(self, path: str) -> None:
        if path in self.disk:
            self.disk[path] = File(self.disk[path].content, self.stamp(path))

    @rule(path=paths)
    def delete(self, path: str) -> None:
        if self.disk.pop(path, None) is not None:
            self.full(path).unlink()

    @rule(
        done=st.lists(st.tuples(st.sampled_from(["drop", "move", "swap", "copy", "delete"]), paths, paths), max_size=5)
    )
    def rearrange(self, done: list[tuple[str, str, str]]) -> None:
        """Several things before a scan sees any of them."""
        for what, path, to in done:
            match what:
                case "drop":
                    self.drop(path)
                case "delete":
                    self.delete(path)
                case _:
                    getattr(self, what)(path, to)
        self.scan()

    @rule()
    def rename_folder(self) -> None:
        """Whatever is in it is elsewhere at once."""
        if not any(path.startswith("other/") for path in self.disk) and (self.pictures / "sub").exists():
            shutil.rmtree(self.pictures / "other", ignore_errors=True)
            (self.pictures / "sub").rename(self.pictures / "other")
            self.disk = {
                f"other/{path.removeprefix('sub/')}" if path.startswith("sub/") else path: file
                for path, file in self.disk.items()
            }

    # -- what the library does ------------------------------------------------------------------------

    @rule()
    def scan(self) -> None:
        before = self.database.read(library_said.finals)
        run = ImportRun(
            self.database, Here(), [Start(self.root)], dry_run=False, settle_s=0, cancelled=Event(),
            on_step=lambda: None, now_ms=lambda: self.now_ms,
        )  # fmt: skip
        run.run()
        assert run.tally.failures == []
        assert run.tally.offline == []
        now = self.database.read(library_said.content_by_uuid)
        became = {content: now[uuid] for _, (uuid, content) in before.items()}
        self.model.scan(self.disk, {path: content for path, (_, content) in before.items() if path}, became)

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        claim = partial(job_queue.claim, owner_id=self.database.owner_id, limit=limit, now_ms=self.now_ms)
        self.claimed += self.database.write_bulk(lambda tx: claim(tx))

    @rule(which=st.integers(0, 9))
    def finish(self, which: int) -> None:
        """A job that somebody claimed, perhaps before a crash: then its result may change nothing."""
        if self.claimed:
            job = self.claimed.pop(which % len(self.claimed))
            task = self.database.read(KINDS[job.kind].prepare, job.payload)
            try:
                answer = None if task is None else Here().submit(task).result()  # type: ignore[arg-type]
                self.end(job, Finished(job, answer))
            except TaskFailedError as error:
                self.end(job, Failed(job, str(error), crashed=False))

    @rule(which=st.integers(0, 9), crashed=st.booleans())
    def fail(self, which: int, crashed: bool) -> None:
        if self.claimed:
            job = self.claimed.pop(which % len(self.claimed))
            self.end(job, Failed(job, "It was made to fail.", crashed=crashed))

    def end(self, job: Job, outcome: Finished | Failed) -> None:
        before = self.database.read(library_said.job, job.id)
        self.database.write_bulk(apply_all, [outcome], now_ms=self.now_ms)
        ours = before is not None and before[0] == job.token
        assert ours or self.database.read(library_said.job, job.id) == before, "a result counted without its claim"

    @rule(jump=st.sampled_from([1_000, HOUR_MS, -HOUR_MS, -10 * YEAR_MS, 10 * YEAR_MS]))
    def clock_jumps(self, jump: int) -> None:
        self.now_ms = max(HOUR_MS, self.now_ms + jump)

    # -- what the person does ---------------------------------------------------------------------------

    def chosen(self, numbers: set[int], *, trashed: bool = False) -> list[Image]:
        there = [image for image in self.model.images if image.trashed is trashed]
        return [there[n] for n in sorted(numbers) if n < len(there)]

    def ids(self, images: list[Image]) -> list[GenerationId]:
        by_content = self.database.read(library_said.id_by_content)
        return [by_content[image.content] for image in images]

    def deed(self, kind: str, args: dict[str, Any], images: list[Image], changes: list[tuple[Any, str, Any]]) -> None:
        if images:
            done = self.database.write(test_edits.do, kind, args, self.ids(images), now_ms=self.now_ms)
            # An edit that changes nothing cannot be undone.
            if done.state is not EditState.EXPIRED:
                self.model.do(done.operation, images, changes)

    @rule(some=some, value=st.booleans())
    def favorite(self, some: set[int], value: bool) -> None:
        images = self.chosen(some)
        self.deed("favorite", {"value": value}, images, [(image, "favorite", value) for image in images])

    @rule(some=some, value=st.integers(0, 5))
    def rate(self, some: set[int], value: int) -> None:
        images = self.chosen(some)
        self.deed("rating", {"value": value}, images, [(image, "rating", value) for image in images])

    @rule(some=some, text=st.sampled_from(["a lighthouse", "later", ""]))
    def note(self, some: set[int], text: str) -> None:
        images = self.chosen(some)
        self.deed("notes", {"value": text}, images, [(image, "notes", text or None) for image in images])

    @rule(some=some, name=st.sampled_from(TAGS))
    def tag(self, some: set[int], name: str) -> None:
        images = self.chosen(some)
        self.deed("tag", {"add": [name]}, images, [(image, "tags", image.tags | {name}) for image in images])

    @rule(some=some, name=st.sampled_from(TAGS))
    def untag(self, some: set[int], name: str) -> None:
        images = self.chosen(some)
        self.deed("tag", {"remove": [name]}, images, [(image, "tags", image.tags - {name}) for image in images])

    @rule(some=some, name=st.sampled_from(COLLECTIONS))
    def collect(self, some: set[int], name: str) -> None:
        images, items = self.chosen(some), self.model.collections[name]
        after = items + [image for image in images if image not in items]
        self.deed("collect", {"collection": UUIDS[name]}, images, [("collection", name, after)])

    @rule(some=some, name=st.sampled_from(COLLECTIONS))
    def uncollect(self, some: set[int], name: str) -> None:
        images, items = self.chosen(some), self.model.collections[name]
        after = [image for image in items if image not in images]
        self.deed("uncollect", {"collection": UUIDS[name]}, images, [("collection", name, after)])

    @rule(some=some)
    def trash(self, some: set[int]) -> None:
        images = self.chosen(some)
        self.deed("trash", {}, images, [(image, "trashed", True) for image in images])

    @rule(some=some)
    def restore(self, some: set[int]) -> None:
        images = self.chosen(some, trashed=True)
        self.deed("restore", {}, images, [(image, "trashed", False) for image in images])

    @rule()
    def purge(self) -> None:
        """What is not as the last scan met it stays."""
        images = self.chosen(set(range(20)), trashed=True)
        trash_purge.purge(self.database, self.ids(images), DiscardMethod.UNLINK, now_ms=lambda: self.now_ms)
        for image in images:
            places = [(path, self.disk.get(path)) for path in image.at]
            if all(file is None or file == self.model.scanned[path] for path, file in places):
                for path, _ in places:
                    self.disk.pop(path, None)
                self.model.forget(image)

    @rule()
    def undo(self) -> None:
        deed = next((deed for deed in reversed(self.model.deeds) if not deed.undone), None)
        if deed is not None and self.moved(edit_undo.undo, deed):
            self.model.take_back(deed)

    @rule()
    def redo(self) -> None:
        deed = next((deed for deed in self.model.deeds if deed.undone), None)
        if deed is not None and self.moved(edit_undo.redo, deed):
            self.model.do_again(deed)

    def moved(self, how: Callable[..., Any], deed: Deed) -> bool:
        """Only a deed over what was deleted for good since may be refused."""
        try:
            self.database.write_bulk(how, deed.operation)
        except ConflictError:
            assert any(image not in self.model.images for image in deed.images)
            return False
        return True

    # -- what the world does ------------------------------------------------------------------------------

    @rule()
    def crash(self) -> None:
        """The files as a killed process leaves them: the database, and the log beside it."""
        self.crashes += 1
        left = self.here / f"library-{self.crashes}"
        left.mkdir()
        for name in ("mysticanvas.db", "mysticanvas.db-wal"):
            if (self.path / name).exists():
                shutil.copyfile(self.path / name, left / name)
        self.database.close()
        self.path = left
        self.open()

    @rule()
    def reopen(self) -> None:
        self.database.close()
        self.open()

    @rule()
    def back_up(self) -> None:
        made = Path(self.database.back_up().path)
        kept = self.here / f"backup-{len(self.backups)}.db"
        made.rename(kept)
        self.backups.append((kept, self.model.copied()))

    @rule(which=st.integers(0, 3))
    def take_backup(self, which: int) -> None:
        if self.backups:
            copy, model = self.backups[which % len(self.backups)]
            self.database.close()
            backup_service.restore(self.path, copy)
            self.model = model.copied()
            self.open()

    # -- what must hold -----------------------------------------------------------------------------------

    @rule(query=st.sampled_from([*TAGS, "lighthouse", "later", "rating:>=3", "is:favorite", "collection:one", ""]))
    def search(self, query: str) -> None:
        text = f'tag:"{query}"' if query in TAGS else query
        found = self.database.read(paging.find_ids, language.parse(text)).tolist()
        contents = {image: content for content, image in self.database.read(library_said.id_by_content).items()}
        assert {contents[image] for image in found} == {i.content for i in self.model.images if self.answers(i, query)}

    def answers(self, image: Image, query: str) -> bool:
        wanted: dict[str, Callable[[], bool]] = {
            "rating:>=3": lambda: image.rating >= 3,
            "is:favorite": lambda: image.favorite,
            "collection:one": lambda: image in self.model.collections["one"],
            "": lambda: True,
            **{name: lambda: query in image.tags for name in TAGS},
        }
        said = wanted.get(query, lambda: query in (image.notes or ""))
        return said() and not image.trashed

    @invariant()
    def the_library_says_what_the_model_says(self) -> None:
        if hasattr(self, "database"):
            assert self.database.read(library_said.state) == self.model.state()

    @invariant()
    def the_library_is_sound(self) -> None:
        if hasattr(self, "database"):
            assert [check for check in doctor_checks.run_all(self.database) if not check.ok] == []
            assert self.database.read(lambda tx: tx.column("PRAGMA integrity_check")) == ["ok"]

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            shutil.rmtree(self.here)


def run(folder: Path, *, runs: int, steps: int = 40, seed: bool = False, shrink: bool = True) -> None:
    """`seed`: other runs each time."""
    template = folder / "template"
    Database.open(template).close()
    machine = type("Machine", (Library,), {"folder": folder, "template": template, "opened": 0})
    profile = settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=not seed,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
    )
    run_state_machine_as_test(machine, settings=profile)
    print(f"{machine.opened} libraries, {steps} steps each")


def test_a_library_says_what_its_model_says(tmp_path: Path) -> None:
    run(tmp_path, runs=int(os.environ.get("MYSTICANVAS_LIBRARY_RUNS", "4")))


@pytest.mark.long
def test_a_library_says_what_its_model_says_in_three_hundred_runs(tmp_path: Path) -> None:
    run(tmp_path, runs=int(os.environ.get("MYSTICANVAS_LIBRARY_RUNS", "320")), seed=True)


# -- the machine sees ---------------------------------------------------------------------------------


def walk(folder: Path, steps: list[tuple[str, dict[str, Any]]]) -> None:
    """One way through the machine, with its checks after every step."""
    template = folder / "template"
    Database.open(template).close()
    machine = type("Machine", (Library,), {"folder": folder, "template": template, "opened": 0})()
    try:
        machine.begin()
        for name, how in steps:
            getattr(machine, name)(**how)
            machine.the_library_says_what_the_model_says()
            machine.the_library_is_sound()
    finally:
        machine.teardown()


@pytest.mark.parametrize("steps", [steps for _, _, steps in BUGS], ids=[bug.__name__ for _, bug, _ in BUGS])
def test_a_way_that_leads_to_a_planted_bug_is_sound_without_it(
    tmp_path: Path, steps: list[tuple[str, dict[str, Any]]]
) -> None:
    walk(tmp_path, steps)


@pytest.mark.parametrize(("place", "bug", "steps"), BUGS, ids=[bug.__name__ for _, bug, _ in BUGS])
def test_the_machine_sees_a_planted_bug_that_it_meets(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    bug: Callable[..., Any],
    steps: list[tuple[str, dict[str, Any]]],
) -> None:
    monkeypatch.setattr(place, bug)
    with pytest.raises((AssertionError, apsw.Error)):
        walk(tmp_path, steps)


@pytest.mark.parametrize(("place", "bug", "_"), BUGS[:4], ids=[bug.__name__ for _, bug, _ in BUGS[:4]])
@pytest.mark.long
def test_the_machine_finds_a_planted_bug_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, bug: Callable[..., Any], _: object
) -> None:
    monkeypatch.setattr(place, bug)
    with pytest.raises((AssertionError, apsw.Error)):
        run(tmp_path, runs=400, shrink=False)
