"""Every released schema is brought to today's, killed at every statement (D7)."""

import gzip
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from mysticanvas.db import backup as db_backup
from mysticanvas.db import checks as doctor_checks
from mysticanvas.db import migrate as db_migrate
from mysticanvas.db.connections import open_writer
from mysticanvas.db.database import Database
from mysticanvas.db.schema import load_migrations
from mysticanvas.domain.errors import LibraryError
from mysticanvas.domain.file import FileKind

LIBRARIES = Path(__file__).parents[1] / "integration" / "libraries"
RELEASED = sorted(LIBRARIES.glob("schema-*.db.gz"))
# A tenth of the statements in every run, all of them with --long.
EVERY = 10

Migrate = Callable[[apsw.Connection, Path], None]


def version_of(path: Path) -> int:
    return int(path.name.removesuffix(".db.gz").removeprefix("schema-"))


@pytest.fixture(scope="session", params=RELEASED, ids=lambda path: path.name)
def released(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a library as a released version left it."""
    folder = tmp_path_factory.mktemp("released")
    made = folder / f"{version_of(request.param)}.db"
    made.write_bytes(gzip.decompress(request.param.read_bytes()))
    return made


def lay(released: Path, folder: Path) -> Path:
    folder.mkdir()
    shutil.copy(released, folder / "mysticanvas.db")
    return folder


def what_the_person_wrote(path: Path) -> list[tuple[object, ...]]:
    connection = apsw.Connection(str(path))
    try:
        return connection.execute(
            "SELECT uuid, prompt, seed, is_favorite, rating, notes FROM generations ORDER BY uuid"
        ).fetchall()
    finally:
        connection.close()


def assert_sound(folder: Path, wrote: list[tuple[object, ...]]) -> None:
    with Database.open(folder) as database:
        assert [check.name for check in doctor_checks.run_all(database) if not check.ok] == []
        found = database.read(lambda tx: tx.value("SELECT count(*) FROM generations_fts('fox')"))
        assert found == 24
        kinds = database.read(lambda tx: tx.column("SELECT DISTINCT kind FROM generation_files ORDER BY kind"))
        assert {FileKind.FINAL, FileKind.PREVIEW, FileKind.THUMB} <= set(kinds)
    assert what_the_person_wrote(folder / "mysticanvas.db") == wrote


def test_a_released_library_is_upgraded_with_everything_in_it(released: Path, tmp_path: Path) -> None:
    folder = lay(released, tmp_path / "library")
    wrote = what_the_person_wrote(released)
    assert sum(1 for row in wrote if row[3]) == 5
    assert_sound(folder, wrote)
    if int(released.stem) < len(load_migrations()):
        [kept] = db_backup.list_backups(folder / "backups")
        assert what_the_person_wrote(Path(kept.path)) == wrote


def die_at(statement: int, folder: Path, migrate: Migrate) -> bool:
    """Whether a process that migrates was killed before its n-th statement; False when it had fewer."""
    child = os.fork()
    if child == 0:
        seen = 0

        def count(*_: object) -> bool:
            nonlocal seen
            seen += 1
            if seen == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            return True

        try:
            connection = open_writer(folder / "mysticanvas.db")
            connection.exec_trace = count
            migrate(connection, folder / "backups")
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def kill_at_many(released: Path, tmp_path: Path, migrate: Migrate, step: int) -> int:
    """How many points of death there were; after each the library is the old one or the new one."""
    wrote, old, new = what_the_person_wrote(released), int(released.stem), len(load_migrations())
    statement, deaths = 1, 0
    while True:
        folder = lay(released, tmp_path / f"killed-{statement}")
        died = die_at(statement, folder, migrate)
        connection = apsw.Connection(str(folder / "mysticanvas.db"))
        version = connection.pragma("user_version")
        connection.close()
        assert old <= version <= new
        assert version == old or db_backup.list_backups(folder / "backups")
        assert_sound(folder, wrote)
        if not died:
            return deaths
        shutil.rmtree(folder)
        deaths += 1
        statement += step


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@needs_fork
def test_an_upgrade_killed_at_a_statement_is_the_old_or_the_new_library(released: Path, tmp_path: Path) -> None:
    if int(released.stem) == len(load_migrations()):
        pytest.skip("this schema is the newest")
    deaths = kill_at_many(released, tmp_path, db_migrate.migrate, EVERY)
    print(f"{deaths} deaths at every {EVERY}th statement")
    assert deaths > 1


@needs_fork
@pytest.mark.long
def test_an_upgrade_killed_at_every_statement_is_the_old_or_the_new_library(released: Path, tmp_path: Path) -> None:
    if int(released.stem) == len(load_migrations()):
        pytest.skip("this schema is the newest")
    deaths = kill_at_many(released, tmp_path, db_migrate.migrate, 1)
    print(f"{deaths} deaths, one at each statement")
    assert deaths > EVERY


def migrate_without_transaction(connection: apsw.Connection, backups: Path) -> None:
    """A planted bug: each statement counts by itself."""
    db_backup.make(connection, backups, why="planted")
    connection.execute("PRAGMA foreign_keys = OFF")
    version = connection.pragma("user_version")
    for number, script in enumerate(load_migrations()[version:], version + 1):
        connection.execute(f"{script} PRAGMA user_version = {number};").fetchall()


@needs_fork
def test_the_harness_sees_an_upgrade_without_a_transaction(released: Path, tmp_path: Path) -> None:
    if int(released.stem) == len(load_migrations()):
        pytest.skip("this schema is the newest")
    with pytest.raises((AssertionError, LibraryError)):
        kill_at_many(released, tmp_path, migrate_without_transaction, 1)
