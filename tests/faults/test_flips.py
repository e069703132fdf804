"""Single flipped bits and bytes in a database: doctor finds each that matters, and calls no sound library damaged."""

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest

from mysticanvas.db import checkpoints as db_checkpoints
from mysticanvas.db import checks as doctor_checks
from mysticanvas.db import page_copy
from mysticanvas.db.database import FILE_NAME, Database, restore
from mysticanvas.db.images import folders
from mysticanvas.db.images.folders import WatchedFolder
from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.importing import record as import_record
from tests import edits as test_edits
from tests.faults.test_power_cut import found

IMAGES = 40
FILES = (FILE_NAME, db_checkpoints.SUMS_NAME)
EDITS = (
    ("rating", lambda chance: {"value": chance.randrange(6)}),
    ("favorite", lambda chance: {"value": chance.random() < 0.5}),
    ("notes", lambda chance: {"value": chance.choice(["", "a lighthouse", "the sea " * 300])}),
    ("tag", lambda chance: {"add": [chance.choice(["fox", "sea", "storm"])]}),
)


@dataclass(frozen=True)
class Flip:
    place: int
    mask: int

    def apply(self, content: bytes) -> bytes:
        return content[: self.place] + bytes([content[self.place] ^ self.mask]) + content[self.place + 1 :]


def broken(database: Database) -> list[str]:
    return [f"{check.name}: {check.detail}" for check in doctor_checks.run_all(database) if not check.ok]


def edit_some(database: Database, chance: random.Random, number: int) -> None:
    images = database.read(lambda tx: tx.column("SELECT id FROM generations"))
    some = [GenerationId(image) for image in chance.sample(images, chance.randrange(1, min(len(images), 9) + 1))]
    kind, values = chance.choice(EDITS)
    database.write(test_edits.do, kind, values(chance), some, now_ms=number)


def make_library(folder: Path, chance: random.Random, *, images: int, edits: int) -> None:
    with Database.open(folder) as database:
        root = database.write(folders.add, path="/pictures", watch=False, now_ms=0)
        database.write_bulk(import_record.add_images, [found(root, n) for n in range(images)], [], now_ms=0)
        for number in range(edits):
            edit_some(database, chance, number)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    folder = tmp_path / "sound"
    make_library(folder, random.Random(3), images=IMAGES, edits=25)
    return folder


def is_found(folder: Path) -> bool:
    try:
        with Database.open(folder) as database:
            return bool(broken(database))
    except MystiCanvasError as error:
        return bool(str(error))


def content_of(path: Path) -> object:
    """Every value of every table and what SQLite says of the indexes; None where it cannot be read."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE rootpage > 0 AND sql > ''")
        ]
        tables = [name for name in names if connection.table_exists("main", name)]
        rows = [list(connection.execute(f'SELECT * FROM "{name}" NOT INDEXED')) for name in tables]  # noqa: S608
        return rows, list(connection.execute("PRAGMA integrity_check")), connection.pragma("user_version")
    except (apsw.Error, UnicodeDecodeError):
        return None
    finally:
        connection.close(True)


def try_flips(sound: Path, tmp_path: Path, flips: list[Flip]) -> Iterator[str]:
    """For each flip whether it changed a value or an index, and whether doctor found it."""
    content = (sound / FILE_NAME).read_bytes()
    meant = content_of(sound / FILE_NAME)
    assert meant is not None
    folder = tmp_path / "flipped"
    for flip in flips:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copyfile(sound / db_checkpoints.SUMS_NAME, folder / db_checkpoints.SUMS_NAME)
        (folder / FILE_NAME).write_bytes(flip.apply(content))
        matters = content_of(folder / FILE_NAME) != meant
        for beside in ("-wal", "-shm"):
            (folder / f"{FILE_NAME}{beside}").unlink(missing_ok=True)
        yield f"{'matters' if matters else 'no value'}, {'found' if is_found(folder) else 'not found'}"


def draw(chance: random.Random, size: int, bits: int, whole_bytes: int) -> list[Flip]:
    flips = [Flip(chance.randrange(size), 1 << chance.randrange(8)) for _ in range(bits)]
    return flips + [Flip(chance.randrange(size), chance.randrange(1, 256)) for _ in range(whole_bytes)]


def count_flips(sound: Path, tmp_path: Path, bits: int, whole_bytes: int) -> Counter[str]:
    size = (sound / FILE_NAME).stat().st_size
    return Counter(try_flips(sound, tmp_path, draw(random.Random(11), size, bits, whole_bytes)))


def test_a_flipped_bit_or_byte_that_matters_is_found(sound: Path, tmp_path: Path) -> None:
    ends = count_flips(sound, tmp_path, 30, 10)
    print(dict(ends))
    assert ends["matters, not found"] == 0
    # A new library has a checksum of every page, also of those that hold nothing yet.
    assert ends["no value, not found"] == 0
    assert ends["matters, found"] > 5


@pytest.mark.long
def test_six_hundred_flipped_bits_and_two_hundred_bytes(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = count_flips(sound, tmp_path, 600, 200)
    with capsys.disabled():
        print(f"\n{dict(ends)}")
    assert ends["matters, not found"] <= 0.01 * (ends["matters, found"] + ends["matters, not found"])


def test_flips_are_missed_without_the_checksums(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted bug: no page is compared."""
    monkeypatch.setattr(page_copy, "_compare", lambda *_: None)
    assert count_flips(sound, tmp_path, 60, 0)["matters, not found"] > 0


# -- sound libraries ------------------------------------------------------------------------------------------------


def live(folder: Path, seed: int) -> Iterator[str]:
    """What doctor says wrongly of a library that lives: imports, edits, backups, restarts, sudden ends."""
    chance = random.Random(seed)
    for life in range(chance.randrange(1, 4)):
        with Database.open(folder) as database:
            if life == 0:
                database.write(folders.add, path="/pictures", watch=False, now_ms=0)
            for number in range(chance.randrange(1, 6)):
                batch = [
                    found(WatchedFolder(1, "/pictures"), life * 1000 + number * 20 + n)
                    for n in range(chance.randrange(1, 9))
                ]
                database.write_bulk(import_record.add_images, batch, [], now_ms=number)
                edit_some(database, chance, number)
                if chance.random() < 0.3:
                    yield from broken(database)
            if chance.random() < 0.3:
                database.back_up()
            if chance.random() < 0.5:
                left = folder.with_name(f"{folder.name}x")
                shutil.rmtree(left, ignore_errors=True)
                left.mkdir()
                for name in (*FILES, f"{FILE_NAME}-wal"):
                    shutil.copyfile(database.folder / name, left / name)
                folder = left
    with Database.open(folder) as database:
        yield from broken(database)


@pytest.mark.parametrize("checkpoint_pages", [5, 1_000])
def test_no_sound_library_is_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint_pages: int
) -> None:
    monkeypatch.setattr(db_checkpoints, "CHECKPOINT_PAGES", checkpoint_pages)
    assert [wrong for seed in range(4) for wrong in live(tmp_path / str(seed), seed)] == []


def test_a_log_that_another_program_merged_after_a_crash_is_no_damage(tmp_path: Path) -> None:
    with Database.open(tmp_path / "library") as database:
        database.write(folders.add, path="/pictures", watch=False, now_ms=0)
        left = tmp_path / "left"
        left.mkdir()
        for name in (*FILES, f"{FILE_NAME}-wal"):
            shutil.copyfile(database.folder / name, left / name)
    other = apsw.Connection(str(left / FILE_NAME))
    assert other.execute("SELECT path FROM roots").fetchall() == [("/pictures",)]
    other.close()
    assert not (left / f"{FILE_NAME}-wal").exists()
    with Database.open(left) as database:
        assert broken(database) == []


def test_a_restored_backup_and_one_that_was_copied_by_hand_are_no_damage(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    make_library(folder, random.Random(5), images=20, edits=5)
    with Database.open(folder) as database:
        made = Path(database.back_up().path)
    restore(folder, made)
    with Database.open(folder) as database:
        assert broken(database) == []
    shutil.copyfile(made, folder / FILE_NAME)
    with Database.open(folder) as database:
        assert broken(database) == []


def test_checksums_that_are_damaged_themselves_are_not_used(sound: Path) -> None:
    path = sound / db_checkpoints.SUMS_NAME
    whole = path.read_bytes()
    for place in (3, 20, 44, 4_100, len(whole) - 1):
        path.write_bytes(Flip(place, 4).apply(whole))
        with Database.open(sound) as database:
            assert broken(database) == [], place
    path.write_bytes(whole[:5_000])
    with Database.open(sound) as database:
        assert broken(database) == []


@pytest.mark.long
def test_a_thousand_sound_libraries_are_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(1_000):
        monkeypatch.setattr(db_checkpoints, "CHECKPOINT_PAGES", (3, 20, 1_000)[seed % 3])
        assert list(live(tmp_path / "library", seed)) == [], seed
        for left in tmp_path.iterdir():
            shutil.rmtree(left)
