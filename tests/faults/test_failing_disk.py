"""Any call to the disk fails, once or for good: a clean error, nothing lost that was confirmed, nothing half done."""

import functools
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import pytest

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db import writer as db_writer
from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import folders
from mysticanvas.db.images.folders import WatchedFolder
from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.importing import record as import_record
from tests import edits as test_edits
from tests.faults.failing_disk import KINDS, VFS, Disk, Fault
from tests.faults.test_power_cut import found

BATCHES, EDITS, BATCH = 3, 5, 4
POINTS = 4

# SQLite asks the disk once more when a connection is thrown away, where no caller is left to hear of it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@dataclass(slots=True)
class Confirmed:
    """What was confirmed: batches by their number, and the last rating of each image. What failed may have
    been done all the same; it is in `doubtful`."""

    batches: set[int] = field(default_factory=set)
    ratings: dict[GenerationId, int] = field(default_factory=dict)
    doubtful: set[GenerationId] = field(default_factory=set)
    unclean: list[str] = field(default_factory=list)
    after_fault: bool = False


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    yield made
    made.unregister()


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A library with a root and some images, made by a sound disk."""
    with Database.open(tmp_path / "prepared") as database:
        root = database.write(folders.add, path="/pictures", watch=False, now_ms=0)
        database.write_bulk(import_record.add_images, [found(root, 900 + n) for n in range(3)], [], now_ms=0)
    return tmp_path / "prepared"


def live(disk: Disk, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Confirmed:
    """Imports, edits and a backup in turn, on the failing disk; every error is looked at."""
    said = Confirmed()

    def tried(change: Callable[[], None]) -> bool:
        failed = disk.failed
        try:
            change()
        except MystiCanvasError:
            return False
        except Exception as error:
            said.unclean.append(f"{type(error).__name__}: {error}")
            return False
        said.after_fault |= failed > 0
        return True

    with monkeypatch.context() as patched:
        patched.setattr("mysticanvas.db.connections.apsw.Connection", functools.partial(apsw.Connection, vfs=VFS))
        opened: list[Database] = []
        # A disk that failed once is tried again, as a person would.
        for _ in range(2):
            if not opened:
                tried(lambda: opened.append(Database.open(folder)))
        for database in opened:
            _work(database, said, tried)
            tried(database.close)
    return said


def _work(database: Database, said: Confirmed, tried: Callable[[Callable[[], None]], bool]) -> None:
    chance, root = random.Random(1), WatchedFolder(1, "/pictures")
    images: list[GenerationId] = []
    tried(lambda: images.extend(database.read(lambda tx: tx.column("SELECT id FROM generations"))))
    for number in range(BATCHES + EDITS):
        if number % 3 == 0:
            batch = [found(root, number * 10 + one) for one in range(BATCH)]
            if tried(functools.partial(database.write_bulk, import_record.add_images, batch, [], now_ms=number)):
                said.batches.add(number)
        elif images:
            image, rating = chance.choice(images), chance.randrange(1, 6)
            if tried(functools.partial(_rate, database, image, rating)):
                said.ratings[image] = rating
                said.doubtful.discard(image)
            else:
                said.doubtful.add(image)
    tried(lambda: database.back_up() and None)


def _rate(database: Database, image: GenerationId, rating: int) -> None:
    database.write(test_edits.do, "rating", {"value": rating}, [image], now_ms=1)


def fault_of(folder: Path, said: Confirmed) -> str | None:
    """What is wrong with the library once the disk is sound again; None when nothing is."""
    if said.unclean:
        return f"unclean: {said.unclean}"
    try:
        with Database.open(folder) as database:
            broken = [check.name for check in doctor_checks.run_all(database) if not check.ok]
            ratings = database.read(_ratings)
            there = Counter(number // 10 for number in database.read(_numbers) if number < 900)
            _rate(database, next(iter(ratings)), 5)
    except (MystiCanvasError, apsw.Error) as error:
        return f"cannot be used: {error}"
    if broken:
        return f"broken: {broken}"
    half = [number for number, count in there.items() if count != BATCH]
    lost = [number for number in said.batches if number not in there]
    unrated = [i for i, rating in said.ratings.items() if i not in said.doubtful and ratings.get(i) != rating]
    return f"half done {half}, lost {lost}, edits lost {unrated}" if half or lost or unrated else None


def _ratings(tx: ReadTx) -> dict[GenerationId, int]:
    return {row["id"]: row["rating"] for row in tx.all("SELECT id, rating FROM generations")}


def _numbers(tx: ReadTx) -> list[int]:
    return [int(path.removesuffix(".png")) for path in tx.column("SELECT path FROM generation_files")]


def sweep(
    disk: Disk, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, points: int | None
) -> Iterator[str | None]:
    """What was wrong after each fault: of every call of every kind, or of so many of each."""
    disk.arm(None)
    live(disk, _copy(prepared, tmp_path / "clean"), monkeypatch)
    calls, chance = dict(disk.calls), random.Random(7)
    for kind in KINDS:
        numbers = range(1, calls[kind] + 1)
        for number in chance.sample(numbers, min(points or len(numbers), len(numbers))):
            for for_good in (False, True):
                fault = Fault(kind, number, for_good)
                disk.arm(fault)
                folder = _copy(prepared, tmp_path / "tried")
                said = live(disk, folder, monkeypatch)
                disk.arm(None)
                problem = fault_of(folder, said)
                yield None if problem is None else f"{fault}: {problem}"


def _copy(prepared: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(prepared, folder))


def test_a_call_that_fails_costs_a_clean_error_and_nothing_else(
    disk: Disk, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = list(sweep(disk, prepared, tmp_path, monkeypatch, POINTS))
    print(f"{len(tried):,} faults of the disk")
    assert [problem for problem in tried if problem] == []
    assert len(tried) > 8 * POINTS


@pytest.mark.long
def test_every_call_may_fail_once_and_for_good(
    disk: Disk, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = list(sweep(disk, prepared, tmp_path, monkeypatch, None))
    wrong = [problem for problem in tried if problem]
    with capsys.disabled():
        print(f"\n{len(tried):,} faults of the disk, {len(wrong)} wrong")
    assert wrong == []


def test_work_goes_on_after_a_fault_that_passes(
    disk: Disk, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("read", "write", "full", "sync"):
        disk.arm(Fault(kind, 6, for_good=False))
        assert live(disk, _copy(prepared, tmp_path / "tried"), monkeypatch).after_fault, kind
        assert disk.failed == 1


def confirmed_all_the_same(_: db_writer.Writer, changes: list[Any], __: Exception) -> None:
    """A planted bug: a COMMIT that failed is taken for done."""
    for change in changes:
        if not change.done.done():
            change.done.set_result(None)


def in_two_halves(database: Database, change: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A planted bug: a batch is two transactions."""
    if change is not import_record.add_images:
        return write_bulk(database, change, *args, **kwargs)
    batch, *rest = args
    write_bulk(database, change, batch[:2], *rest, **kwargs)
    return write_bulk(database, change, batch[2:], *rest, **kwargs)


write_bulk: Callable[..., Any] = Database.write_bulk


@pytest.mark.parametrize(
    ("place", "bug"),
    [
        ("mysticanvas.db.writer.Writer._refuse", confirmed_all_the_same),
        ("mysticanvas.db.database.Database.write_bulk", in_two_halves),
    ],
)
def test_the_harness_sees_a_planted_bug(
    disk: Disk,
    prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    bug: Callable[..., object],
) -> None:
    monkeypatch.setattr(place, bug)
    assert any(sweep(disk, prepared, tmp_path, monkeypatch, None))
