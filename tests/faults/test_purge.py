"""kill -9 at every step of a purge: each file is there with its row, or in the system's trash with its
row gone (R4, F7)."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from send2trash import plat_other

from mysticanvas.db import checkpoints as db_checkpoints
from mysticanvas.db import checks as doctor_checks
from mysticanvas.db import writer as db_writer
from mysticanvas.db.connections import open_writer
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import files, generations, word_index
from mysticanvas.features.trash import purge as trash_purge
from mysticanvas.features.trash import queries as trash_queries
from mysticanvas.fs import trash as fs_trash
from mysticanvas.fs.trash import DiscardMethod
from mysticanvas.jobs import queue as job_queue
from tests import edits as test_edits

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

FILES = 50
EVERY = 12


def now_ms() -> int:
    return 5_000


def lay(folder: Path, count: int = FILES) -> Path:
    """A library of `count` images in files, all of them in the Trash."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    (pictures / "something else.txt").write_text("a root is not empty")
    with Database.open(folder / "library") as database:

        def add(tx: WriteTx) -> list[int]:
            tx.run("INSERT INTO roots (id, path, added_at) VALUES (1, :path, 0)", path=str(pictures))
            return [_add(tx, pictures, number) for number in range(count)]

        images = database.write(add)
        database.write(test_edits.do, "tag", {"add": ["fox"]}, images, now_ms=1)
        database.write(test_edits.do, "trash", {}, images, now_ms=2)
    return folder / "library"


def _add(tx: WriteTx, pictures: Path, number: int) -> int:
    path = pictures / f"{number:02}.png"
    path.write_bytes(f"picture {number} ".encode() * 50)
    with fs_trash.open_beneath(os.fsencode(pictures), os.fsencode(path.name)) as source:
        stat, digest = source.stat(), fs_trash.compute_fingerprint(source)
    [(image, _)] = generations.add_all(
        tx, [generations.NewGeneration(_RECIPE, "{}", 1_700_000_000_000 + number * 1000, _SOURCE, None, [])],
        parser_version=1, app_version="test", now_ms=0,
    )  # fmt: skip
    facts = files.Facts("png", digest, 8, 8, 1)
    files.add_all(tx, [files.NewFile(image, files.FileKind.FINAL, 1, stat, facts)])
    generations_fts(tx, image)
    job_queue.enqueue(tx, job_queue.NewJob("thumb", {"generation": image}, generations.get_uuid(tx, image)), now_ms=0)
    return image


def generations_fts(tx: WriteTx, image: int) -> None:
    word_index.index_images(tx, [generations.GenerationId(image)])


_RECIPE = generations.Recipe(prompt="a fox")
_SOURCE = generations.TimestampSource.MTIME


def _use_trash_in(home: Path) -> None:
    plat_other.XDG_DATA_HOME = os.fsencode(home)
    plat_other.HOMETRASH_B = os.fsencode(home / "Trash")


@pytest.fixture(autouse=True)
def own_trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests have a trash of their own."""
    monkeypatch.setattr(fs_trash, "send2trash", plat_other.send2trash)
    monkeypatch.setattr(plat_other, "get_dev", lambda _: 1)
    monkeypatch.setattr(plat_other, "XDG_DATA_HOME", os.fsencode(tmp_path))
    monkeypatch.setattr(plat_other, "HOMETRASH_B", os.fsencode(tmp_path / "Trash"))


def purge_all(library: Path) -> None:
    with Database.open(library) as database:
        images = database.read(trash_queries.list_ids, before_ms=None, limit=1_000)
        trash_purge.purge(database, images, DiscardMethod.SYSTEM_TRASH, now_ms=now_ms)


def die_at(step: int, library: Path, work: Callable[[Path], None]) -> bool:
    """Whether the work was killed before its n-th step. Steps are statements and changes of files."""
    child = os.fork()
    if child == 0:
        try:
            _count_and_die(step)
            work(library)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _count_and_die(step: int) -> None:
    seen = 0

    def count() -> None:
        nonlocal seen
        seen += 1
        if seen == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_event(name: str, _: object) -> None:
        if name in ("os.remove", "os.rename", "shutil.move", "os.link", "os.mkdir"):
            count()

    def writer(path: Path) -> apsw.Connection:
        connection = open_writer(path)
        connection.exec_trace = lambda *_: (count(), True)[1]
        return connection

    db_writer.open_writer = writer
    sys.addaudithook(on_event)


def what_is_wrong(folder: Path, home: Path) -> list[str]:
    """Each picture exactly once: beneath its root with its row, or in the system's trash without one."""
    with Database.open(folder / "library") as database:
        trash_purge.recover(database, now_ms=now_ms)
        rows = set(database.read(lambda tx: tx.column("SELECT path FROM generation_files WHERE kind = 'final'")))
        wrong = [check.name for check in doctor_checks.run_all(database) if not check.ok]
        left = database.read(trash_queries.list_intents)
    there = {path.name for path in (folder / "pictures").glob("*.png")}
    # A name there may have got a number; the content says which it was.
    gone = {f"{int(path.read_bytes().split()[1]):02}.png" for path in (home / "Trash" / "files").glob("*.png")}
    wrong += [f"{name} is nowhere" for name in {f"{n:02}.png" for n in range(FILES)} - there - gone]
    wrong += [f"{name} has a row and no file" for name in rows - there]
    wrong += [f"{name} has a file and no row" for name in there - rows]
    wrong += [f"{name} is still to be purged" for _, name in left]
    return wrong


def kill_at_many(tmp_path: Path, step: int, work: Callable[[Path], None] = purge_all) -> tuple[int, list[str]]:
    """How many deaths there were, and what was found wrong after them."""
    laid = lay(tmp_path / "laid").parent
    deaths, at, wrong = 0, 1, []
    while True:
        folder, home = tmp_path / f"killed-{at}", tmp_path / f"home-{at}"
        home.mkdir()
        shutil.copytree(laid, folder)
        _move_root(folder)
        _use_trash_in(home)
        died = die_at(at, folder / "library", work)
        wrong += what_is_wrong(folder, home)
        shutil.rmtree(folder)
        shutil.rmtree(home)
        if not died or wrong:
            return deaths, wrong
        deaths += 1
        at += step


def _move_root(folder: Path) -> None:
    """The copied library looks after the copied pictures, whose dates are those of the originals."""
    connection = apsw.Connection(str(folder / "library" / "mysticanvas.db"))
    connection.execute("UPDATE roots SET path = ?", (str(folder / "pictures"),))
    connection.close()
    # Doctor would report the page that another program wrote.
    db_checkpoints.forget_sums(folder / "library")


@needs_fork
def test_a_purge_killed_at_a_step_leaves_each_file_here_or_there(tmp_path: Path) -> None:
    deaths, wrong = kill_at_many(tmp_path, EVERY)
    print(f"{deaths} deaths at every {EVERY}th step")
    assert wrong == []
    assert deaths > 10


@needs_fork
@pytest.mark.long
def test_a_purge_killed_at_every_step_leaves_each_file_here_or_there(tmp_path: Path) -> None:
    deaths, wrong = kill_at_many(tmp_path, 1)
    print(f"{deaths} deaths")
    assert wrong == []
    assert deaths > FILES * 3


def purge_without_intents(library: Path) -> None:
    """A planted bug: nothing is written down before the files go."""
    trash_queries.record_intents = lambda *_, **__: None  # type: ignore[assignment]
    purge_all(library)


def purge_rows_first(library: Path) -> None:
    """A planted bug: the row goes before the file."""
    discard_all = trash_purge._discard_all

    def later(files_of_one: object) -> str | None:
        return None

    trash_purge._discard_all = later  # type: ignore[assignment]
    original = trash_purge._add_to_totals

    def count(result: trash_purge.Purge, files_of_one: list[trash_queries.PurgedFile]) -> None:
        discard_all([(file, DiscardMethod.SYSTEM_TRASH) for file in files_of_one])
        original(result, files_of_one)

    trash_purge._add_to_totals = count  # type: ignore[assignment]
    purge_all(library)


@needs_fork
@pytest.mark.parametrize("bug", [purge_without_intents, purge_rows_first])
def test_the_harness_catches_a_planted_bug(tmp_path: Path, bug: Callable[[Path], None]) -> None:
    _, wrong = kill_at_many(tmp_path, 5, bug)
    assert wrong


def test_a_file_that_is_not_what_it_was_stays_with_the_reason(tmp_path: Path) -> None:
    library = lay(tmp_path, 6)
    pictures = tmp_path / "pictures"
    os.utime(pictures / "00.png", ns=(1, 1))
    content = (pictures / "01.png").read_bytes()
    stat = (pictures / "01.png").stat()
    (pictures / "01.png").write_bytes(bytes(reversed(content)))
    os.utime(pictures / "01.png", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (pictures / "02.png").rename(tmp_path / "elsewhere.png")
    (pictures / "02.png").symlink_to(tmp_path / "elsewhere.png")
    (pictures / "03.png").unlink()
    with Database.open(library) as database:
        images = database.read(trash_queries.list_ids, before_ms=None, limit=10)
        asked = trash_purge.check_purge(database, images)
        assert database.read(trash_queries.get_totals)[0] == 6
        done = trash_purge.purge(database, images, DiscardMethod.UNLINK, now_ms=now_ms)
        assert (asked.images, len(asked.kept)) == (done.images, len(done.kept)) == (3, 3)
        reasons = dict(done.kept)
        assert "changed since" in reasons["00.png"]
        assert "content differs" in reasons["01.png"]
        assert database.read(trash_queries.get_totals)[0] == 3
        assert [check.name for check in doctor_checks.run_all(database) if not check.ok] == []
    assert sorted(path.name for path in pictures.glob("*.png")) == ["00.png", "01.png", "02.png"]
    assert (tmp_path / "elsewhere.png").read_bytes()


def test_nothing_is_purged_that_is_not_in_the_trash_or_whose_drive_is_away(tmp_path: Path) -> None:
    library = lay(tmp_path, 3)
    pictures = tmp_path / "pictures"
    with Database.open(library) as database:
        images = database.read(trash_queries.list_ids, before_ms=None, limit=10)
        database.write(test_edits.do, "restore", {}, images[:1], now_ms=3)
        done = trash_purge.purge(database, images[:1], DiscardMethod.UNLINK, now_ms=now_ms)
        assert (done.images, done.files) == (0, 0)
        pictures.rename(tmp_path / "away")
        pictures.mkdir()
        done = trash_purge.purge(database, images[1:], DiscardMethod.UNLINK, now_ms=now_ms)
        assert done.images == 0
        assert all("not available" in reason for _, reason in done.kept)
        assert database.read(trash_queries.get_totals)[0] == 2
    assert len(list((tmp_path / "away").glob("*.png"))) == 3


def test_what_is_trashed_shows_nowhere_and_comes_back_as_it_was(tmp_path: Path) -> None:
    library = lay(tmp_path, 4)
    with Database.open(library) as database:
        images = database.read(trash_queries.list_ids, before_ms=None, limit=10)
        shown = lambda tx: tx.value("SELECT count(*) FROM image_tags")  # noqa: E731
        assert database.read(shown) == 0
        assert database.read(generations.count_images) == 0
        database.write(test_edits.do, "restore", {}, images, now_ms=3)
        assert database.read(shown) == 4
        assert database.read(generations.count_images) == 4
