"""The power goes at any write: nothing is torn, and no deed of a person that was confirmed is lost (D5)."""

import functools
import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db import writer as db_writer
from mysticanvas.db.connections import open_writer
from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import folders
from mysticanvas.db.images.folders import WatchedFolder
from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.domain.file import FileStat, ImageFormat
from mysticanvas.domain.generation import GenerationId, LoraUse, Recipe
from mysticanvas.features.importing import record as import_record
from mysticanvas.features.importing.messages import ImageRead
from tests import edits as test_edits
from tests.faults.power_cut import VFS, Deed, Disk, images

SEED = 20_260_822
DEEDS = 60
CUTS, CUTS_LONG = 60, 1_200


@dataclass(slots=True)
class Run:
    """What was done and confirmed. `states` are digests of everything by the number of transactions;
    `edits` say from how many deeds of the disk on how many transactions may not be lost any more."""

    deeds: list[Deed] = field(default_factory=list)
    states: dict[int, str] = field(default_factory=dict)
    edits: list[tuple[int, int]] = field(default_factory=list)
    ready: int = 0


def digest(tx: ReadTx) -> str:
    """Of every row that a person or an import wrote."""
    total = hashlib.sha256()
    for table in (
        "generations",
        "generation_files",
        "generation_models",
        "models",
        "jobs",
        "operations",
        "operation_slices",
        "roots",
    ):
        for row in tx.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3"):  # noqa: S608 - from the list above
            total.update(repr(row).encode())
    return total.hexdigest()


def found(root: WatchedFolder, number: int) -> import_record.Found:
    recipe = Recipe(
        tool="A1111",
        prompt=f"a red fox, number {number}, " + "fur " * 200,
        model=f"model {number % 3}",
        loras=(LoraUse("film_grain", 0.5),),
    )
    read = ImageRead(
        stat=FileStat(f"{number}.png".encode(), 1000 + number, number),
        format=ImageFormat.PNG,
        width_px=64,
        height_px=64,
        frames=1,
        complete=True,
        fingerprint=number.to_bytes(32, "big"),
        recipe=recipe,
        params_json="{}",
        raw=b"",
        problems=[],
    )
    return import_record.Found(root, read)


def work(disk: Disk, folder: Path) -> Run:
    """Imports and edits in turn, as bulk work and as a person's deeds."""
    run, chance = Run(deeds=disk.deeds), random.Random(SEED)
    images_: list[GenerationId] = []
    with Database.open(folder) as database:
        root = database.write(folders.add, path="/pictures", watch=False, now_ms=0)
        run.ready = len(disk.deeds)
        for number in range(DEEDS):
            run.states[database.changes] = database.read(digest)
            if chance.random() < 0.5 or not images_:
                batch = [found(root, number * 10 + one) for one in range(chance.randrange(1, 8))]
                database.write_bulk(import_record.add_images, batch, [], now_ms=number)
                images_ = database.read(lambda tx: tx.column("SELECT id FROM generations"))
            else:
                rating, image = {"value": chance.randrange(1, 6)}, chance.choice(images_)
                database.write(test_edits.do, "rating", rating, [image], now_ms=number)
                run.edits.append((len(disk.deeds), database.changes))
        run.states[database.changes] = database.read(digest)
    return run


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk()
    monkeypatch.setattr("mysticanvas.db.connections.apsw.Connection", functools.partial(apsw.Connection, vfs=VFS))
    yield made
    made.unregister()


def outcomes(run: Run, tmp_path: Path, cuts: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is wrong after each of some cuts; nothing, when all is well."""
    monkeypatch.undo()
    chance = random.Random(SEED)
    places = sorted(chance.randrange(run.ready, len(run.deeds) + 1) for _ in range(cuts))
    wrong = []
    for number, (cut, files) in enumerate(images(run.deeds, places, SEED)):
        folder = tmp_path / f"cut-{number}"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        owed = max((changes for at, changes in run.edits if at <= cut), default=0)
        if (fault := fault_of(folder, run, owed)) is not None:
            wrong.append(f"cut {cut}: {fault}")
    return wrong


def fault_of(folder: Path, run: Run, owed: int) -> str | None:
    try:
        with Database.open(folder) as database:
            serial = database.changes
            broken = [check.name for check in doctor_checks.run_all(database) if not check.ok]
            state = database.read(digest)
    except (MystiCanvasError, apsw.Error) as error:
        return f"cannot be opened: {error}"
    if broken:
        return f"broken: {broken}"
    if serial not in run.states or run.states[serial] != state:
        return f"half a change: transaction {serial}"
    return f"lost confirmed edits: {serial} < {owed}" if serial < owed else None


def test_a_power_cut_tears_nothing_and_loses_no_confirmed_edit(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = work(disk, tmp_path / "library")
    print(f"{CUTS:,} cuts over {len(run.deeds):,} deeds of the disk, {len(run.edits)} confirmed edits")
    assert outcomes(run, tmp_path, CUTS, monkeypatch) == []


@pytest.mark.long
def test_many_power_cuts_tear_nothing_and_lose_no_confirmed_edit(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = work(disk, tmp_path / "library")
    print(f"{CUTS_LONG:,} cuts over {len(run.deeds):,} deeds of the disk, {len(run.edits)} confirmed edits")
    assert outcomes(run, tmp_path, CUTS_LONG, monkeypatch) == []


def as_if_every_edit_were_bulk(writer: db_writer.Writer, *, durable: bool) -> None:
    """A planted bug: a person's edit is confirmed before it is on the disk."""
    begin(writer, durable=False)


def without_any_sync(path: Path) -> apsw.Connection:
    """A planted bug: nothing is ever synced."""
    connection = open_writer(path)
    connection.execute("PRAGMA synchronous = OFF")
    connection.set_authorizer(
        lambda action, name, *_: (
            apsw.SQLITE_IGNORE if action == apsw.SQLITE_PRAGMA and name == "synchronous" else apsw.SQLITE_OK
        )
    )
    return connection


begin: Callable[..., None] = db_writer.Writer._begin


@pytest.mark.parametrize(
    ("place", "bug"),
    [
        ("mysticanvas.db.writer.Writer._begin", as_if_every_edit_were_bulk),
        ("mysticanvas.db.writer.open_writer", without_any_sync),
    ],
)
def test_the_harness_sees_a_planted_bug(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, bug: Callable[..., object]
) -> None:
    monkeypatch.setattr(place, bug)
    run = work(disk, tmp_path / "library")
    assert outcomes(run, tmp_path, CUTS, monkeypatch) != []
