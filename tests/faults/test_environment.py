"""The world around a library does what it should not: the right sentence, nothing torn, nothing lost that was kept."""

import io
import json
import logging
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from mysticanvas.db import backup as db_backup
from mysticanvas.db import checks as doctor_checks
from mysticanvas.db import connections, settings_store
from mysticanvas.db import database as db_database
from mysticanvas.db import writer as db_writer
from mysticanvas.db.database import Database, restore
from mysticanvas.db.images import folders
from mysticanvas.domain.errors import DamagedLibraryError, LibraryError, MystiCanvasError
from mysticanvas.features.importing import record as import_record
from mysticanvas.fs.log_file import log_to_file
from mysticanvas.fs.log_repeats import RepeatLimit
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.types import JobStatus
from tests.faults.test_power_cut import digest, found

HERE = Path(__file__).parent
HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: its mounts, or files that are open and gone")


def answer(opened: Database) -> object:
    return opened.read(settings_store.get, "answer", None)


def broken(opened: Database) -> list[str]:
    return [check.name for check in doctor_checks.run_all(opened) if not check.ok]


def crashed(opened: Database, folder: Path) -> Path:
    """The files of an open library as a sudden end leaves them."""
    folder.mkdir()
    for name in ("mysticanvas.db", "mysticanvas.db-wal"):
        shutil.copyfile(opened.folder / name, folder / name)
    return folder


# -- another process holds the write lock -----------------------------------------------------------

HOLDER = """
import sys, apsw
connection = apsw.Connection(sys.argv[1])
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_while_another_program_writes_reads_go_on_and_an_edit_is_refused_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_MS", 100)
    with Database.open(tmp_path) as opened:
        opened.write(settings_store.put, "answer", 1)
        command = [sys.executable, "-c", HOLDER, str(opened.path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            assert answer(opened) == 1
            with pytest.raises(LibraryError, match="Another program is writing to the database"):
                opened.write(settings_store.put, "answer", 2)
            holder.communicate()
        opened.write(settings_store.put, "answer", 3)
        assert (answer(opened), opened.error) == (3, None)


# -- the file is taken away, or another is put in its place -------------------------------------------


def delete(path: Path, _: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        (path.parent / name).unlink()


def put_another_in_its_place(path: Path, tmp_path: Path) -> None:
    """As a person does who restores a copy by hand, with its log."""
    with Database.open(tmp_path / "other") as other:
        other.write(settings_store.put, "answer", "of the other")
        left = crashed(other, tmp_path / "left")
    delete(path, tmp_path)
    for name in (path.name, f"{path.name}-wal"):
        shutil.copyfile(left / name, path.parent / name)


def wait_for_trouble(opened: Database) -> str:
    until_s = time.monotonic() + 120
    while opened.error is None and time.monotonic() < until_s:
        time.sleep(0.01)
    return str(opened.error)


@linux
@pytest.mark.parametrize("take_away", [delete, put_another_in_its_place])
def test_a_database_that_is_taken_away_is_noticed_and_what_was_in_it_is_rescued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, take_away: Callable[[Path, Path], None]
) -> None:
    # Longer than taking it away takes, also on a busy machine.
    monkeypatch.setattr(db_writer, "CHECK_FILE_EVERY_S", 3.0)
    folder = tmp_path / "library"
    with Database.open(folder) as opened:
        opened.write(settings_store.put, "answer", 1)
        take_away(opened.path, tmp_path)
        # Acknowledged before anybody could look: it is in the file that has no name any more.
        opened.write(settings_store.put, "last", 2)
        # Nobody writes; it is noticed all the same.
        assert "was deleted or replaced while it was open" in wait_for_trouble(opened)
        with pytest.raises(LibraryError, match="was deleted or replaced"):
            opened.write(settings_store.put, "answer", 3)
    [rescued] = folder.glob("rescued-*.db")
    db_backup.verify(rescued)
    restore(folder, rescued)
    with Database.open(folder) as opened:
        assert (answer(opened), opened.read(settings_store.get, "last", None)) == (1, 2)
        assert broken(opened) == []


@linux
def test_a_library_that_ends_beside_another_leaves_the_log_of_the_other(tmp_path: Path) -> None:
    """As SQLite has it since it looks whether its file has moved."""
    folder = tmp_path / "library"
    with Database.open(folder) as opened:
        opened.write(settings_store.put, "answer", 1)
        put_another_in_its_place(opened.path, tmp_path)
    with Database.open(folder) as opened:
        assert answer(opened) == "of the other"
        assert broken(opened) == []


# -- logs that do not belong to their database, or are gone ------------------------------------------------


def with_a_stale_log(tmp_path: Path) -> tuple[Path, Path]:
    """A library as a crash left it, with a log that is full of changes, and an older backup."""
    with Database.open(tmp_path / "first") as opened:
        opened.write(settings_store.put, "answer", "then")
        made = Path(opened.back_up().path)
        root = opened.write(folders.add, path="/pictures", watch=False, now_ms=0)
        for number in range(5):
            opened.write_bulk(
                import_record.add_images, [found(root, number * 10 + n) for n in range(8)], [], now_ms=number
            )
        return crashed(opened, tmp_path / "library"), made


def test_a_backup_restored_beside_a_stale_log_is_the_backup(tmp_path: Path) -> None:
    folder, made = with_a_stale_log(tmp_path)
    assert (folder / "mysticanvas.db-wal").stat().st_size > 0
    restore(folder, made)
    with Database.open(folder) as opened:
        assert answer(opened) == "then"
        assert opened.read(lambda tx: tx.value("SELECT count(*) FROM generations")) == 0
        assert broken(opened) == []


def test_a_stale_log_that_were_left_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted bug: the defence of the test above taken out."""
    folder, made = with_a_stale_log(tmp_path)
    monkeypatch.setattr(db_database, "_set_aside", lambda *_, **__: None)
    unlink = Path.unlink
    monkeypatch.setattr(Path, "unlink", lambda p, **how: None if "-wal" in p.name else unlink(p, **how))
    restore(folder, made)
    torn: object
    try:
        with Database.open(folder) as opened:
            torn = broken(opened) or opened.read(lambda tx: tx.value("SELECT count(*) FROM generations"))
    except (MystiCanvasError, apsw.Error):
        torn = True
    assert torn


def test_a_log_that_was_deleted_after_a_crash_costs_its_changes_and_tears_nothing(tmp_path: Path) -> None:
    folder, _ = with_a_stale_log(tmp_path)
    (folder / "mysticanvas.db-wal").unlink()
    with Database.open(folder) as opened:
        assert broken(opened) == []
        opened.write(settings_store.put, "answer", "now")
        assert answer(opened) == "now"


# -- one flipped bit ------------------------------------------------------------------------------------------


def test_a_flipped_bit_is_met_with_a_sentence_never_with_a_fault(tmp_path: Path) -> None:
    with Database.open(tmp_path / "sound") as opened:
        root = opened.write(folders.add, path="/pictures", watch=False, now_ms=0)
        opened.write_bulk(import_record.add_images, [found(root, n) for n in range(30)], [], now_ms=0)
        meant = opened.read(digest)
    sound = (tmp_path / "sound" / "mysticanvas.db").read_bytes()
    chance, ends = random.Random(7), Counter[str]()
    for number in range(20):
        torn = bytearray(sound)
        torn[chance.randrange(100, len(torn))] ^= 1 << chance.randrange(8)
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "mysticanvas.db").write_bytes(torn)
        ends[_met(folder, meant)] += 1
        shutil.rmtree(folder)
    print(dict(ends))
    assert sum(ends.values()) == 20


def _met(folder: Path, meant: str) -> str:
    try:
        with Database.open(folder) as opened:
            if broken(opened):
                return "seen by doctor"
            return "in no row" if opened.read(digest) == meant else "not seen"
    except DamagedLibraryError:
        return "refused"
    except MystiCanvasError as error:
        return "a sentence" if str(error) else "nothing said"


# -- the clock jumps --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump_ms", [-HOUR_MS, HOUR_MS, -20 * YEAR_MS, 20 * YEAR_MS])
def test_a_clock_that_jumps_neither_holds_a_job_back_nor_gives_it_to_another(tmp_path: Path, jump_ms: int) -> None:
    now_ms = 40 * YEAR_MS
    with Database.open(tmp_path) as opened:
        wanted = [job_queue.NewJob("thumb", {"generation": n}, str(n)) for n in range(2)]
        opened.write(job_queue.enqueue_all, wanted, now_ms=now_ms)
        one, other = opened.write(job_queue.claim, owner_id=opened.owner_id, limit=2, now_ms=now_ms)
        opened.write(job_queue.fail, one, error="once", crashed=False, now_ms=now_ms, most_attempts=4)
        now_ms += jump_ms
        assert opened.write(job_queue.requeue_orphaned, owner_id=opened.owner_id, now_ms=now_ms) == 0
        opened.write(job_queue.adjust_to_clock, now_ms=now_ms)
        # Nobody else gets what is being done; what waits comes when its few seconds are over, by this clock.
        assert jump_ms > 0 or opened.write(job_queue.claim, owner_id=opened.owner_id, limit=9, now_ms=now_ms) == []
        [again] = opened.write(job_queue.claim, owner_id=opened.owner_id, limit=9, now_ms=now_ms + 3_000)
        assert again.id == one.id
        assert opened.write(job_queue.finish, other, now_ms=now_ms)
        assert opened.read(lambda tx: tx.column("SELECT DISTINCT status FROM jobs WHERE id = :id", id=other.id)) == [
            JobStatus.DONE
        ]


def test_a_backup_made_after_the_clock_was_set_back_survives_those_of_the_future(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for hour in range(24):
        (folder / f"20460101T{hour:02}0000-000000-{db_backup.HOURLY}.db").write_bytes(b"")
    now = folder / f"20261125T080000-000000-{db_backup.HOURLY}.db"
    now.write_bytes(b"")
    db_backup.prune_hourly(folder)
    assert now.exists()


# -- media that are full or may not be written --------------------------------------------------------------------


def on_a_mount(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    """`script` where mounts are its own. Skips where the machine has none to give."""
    may = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0
    if not may:
        pytest.skip("this machine lets nobody mount")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        ["unshare", "-m", "sh", "-ec", script, "sh", *map(str, words)],
        capture_output=True, text=True, timeout=300, check=False, env=environment,
    )  # fmt: skip


@linux
def test_a_library_on_a_medium_that_may_not_be_written_is_refused_with_a_sentence(tmp_path: Path) -> None:
    Database.open(tmp_path).close()
    before = (tmp_path / "mysticanvas.db").read_bytes()
    script = (
        'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; exec "$2" -m mysticanvas.app.cli doctor --library "$1"'
    )
    done = on_a_mount(script, tmp_path, sys.executable)
    assert done.returncode == 3, done.stderr
    assert "cannot write to the library folder" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert (tmp_path / "mysticanvas.db").read_bytes() == before


@linux
def test_a_disk_that_is_full_refuses_with_a_sentence_and_work_goes_on_when_there_is_room(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=6m none "$1"; exec "$2" "$3" "$1"'
    done = on_a_mount(script, tmp_path, sys.executable, HERE / "on_small_disk.py")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert "disk is full" in said["refused"]
    assert (said["read"], said["lost"], said["wrong"], said["trouble"]) == ("fine", [], [], None)


@linux
@pytest.mark.parametrize("has_reserve", ["yes", "no"])
def test_a_library_on_a_full_disk_opens_by_its_reserve_and_without_one_a_sentence_says_what_to_do(
    tmp_path: Path, has_reserve: str
) -> None:
    script = 'mount -t tmpfs -o size=40m none "$1"; exec "$2" "$3" "$1" "$4"'
    done = on_a_mount(script, tmp_path, sys.executable, HERE / "on_full_disk.py", has_reserve)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert "Traceback" not in said["said"]
    if has_reserve == "no":
        assert (said["code"], "Free some space" in " ".join(said["said"].split())) == (3, True), said["said"]
        return
    assert (said["created"], said["code"], said["free"]) == (True, 0, True), said["said"]
    assert "the disk is full, so the reserve file was deleted" in said["said"]
    # When there is room again the reserve is back, and both are events; a log on a full disk loses what it cannot keep.
    assert (said["kinds"], said["wrong"], said["reserve"]) == (["disk.full", "disk.free"], [], True)
    assert "Traceback" not in done.stderr


# -- a database that is damaged or cut off ---------------------------------------------------------------------------


def test_a_database_that_is_cut_off_or_overwritten_is_refused_with_the_ways_out_or_seen_by_doctor(
    tmp_path: Path,
) -> None:
    with Database.open(tmp_path / "sound") as opened:
        root = opened.write(folders.add, path="/pictures", watch=False, now_ms=0)
        opened.write_bulk(import_record.add_images, [found(root, n) for n in range(9)], [], now_ms=0)
        opened.back_up()
    sound = (tmp_path / "sound" / "mysticanvas.db").read_bytes()
    torn = [sound[:size] for size in (0, 1, 99, 100, 512, 4_096, 9_000, len(sound) // 2, len(sound) - 100)]
    torn += [sound[: page * 4_096] + bytes(4_096) + sound[(page + 1) * 4_096 :] for page in range(16)]
    torn += [bytes(len(sound)), b"x" * 9_000]
    for number, content in enumerate(torn):
        (tmp_path / "sound" / "mysticanvas.db").write_bytes(content)
        try:
            with Database.open(tmp_path / "sound") as opened:
                assert broken(opened), number
        except LibraryError as error:
            assert "backup restore FILE" in str(error), (number, error)
            assert "disk I/O error" not in str(error)
        for beside in ("-wal", "-shm"):
            (tmp_path / "sound" / f"mysticanvas.db{beside}").unlink(missing_ok=True)


# -- logs -------------------------------------------------------------------------------------------------------------


class ClosedTerminal(io.StringIO):
    def write(self, _: str) -> int:
        raise ValueError("I/O operation on closed file")


def test_a_log_never_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = logging.getLogger("mysticanvas.test")
    # The report of this test cannot contain what is not Unicode.
    monkeypatch.setattr(logging.getLogger("mysticanvas"), "propagate", False)
    monkeypatch.setattr(sys, "stderr", ClosedTerminal())
    (tmp_path / "logs").write_text("a file where the folder should be")
    with log_to_file(tmp_path):
        log.warning("neither to the file nor to the terminal")
    (tmp_path / "logs").unlink()
    with log_to_file(tmp_path):
        log.warning("to the file: %s", chr(0xD800), extra={"name_of": chr(0xDC80)})
        [limited] = [one for one in logging.getLogger("mysticanvas").handlers if isinstance(one, RepeatLimit)]
        [file] = [one for one in limited._handlers if isinstance(one, logging.FileHandler)]
        file.stream.close()
        log.warning("to nobody")
    assert "to the file" in (tmp_path / "logs" / "mysticanvas.log").read_text("utf-8")


# -- out of memory ---------------------------------------------------------------------------------------------------


def without_memory(folder: Path, limits: int) -> dict[str, object]:
    asked = subprocess.run(
        [sys.executable, str(HERE / "out_of_memory.py"), str(folder), str(limits)],
        capture_output=True, text=True, timeout=600, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr[-2_000:]
    return dict(json.loads(asked.stdout))


def test_sqlite_without_memory_costs_a_clean_error_and_nothing_else(tmp_path: Path) -> None:
    said = without_memory(tmp_path, 6)
    print(said)
    assert said["wrong"] == []
    assert said["hit"]


@pytest.mark.long
def test_sqlite_without_memory_at_three_hundred_limits(tmp_path: Path) -> None:
    said = without_memory(tmp_path, 300)
    print(said)
    assert said["wrong"] == []
    assert int(str(said["hit"])) > 50
