"""kill -9 at every point of writing the journal: no line is lost, and the journal is never said to be harmed."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mysticanvas.db.database import Database
from mysticanvas.features.journal import checking
from tests.faults import with_journal_kill
from tests.integration.test_journal_state import notices, ratings, writing
from tests.rows import add_images

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")

PROGRAM = Path(with_journal_kill.__file__)
IMAGES = 20
LIMIT_S = 120


def start(folder: Path, point: str, number: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), point, str(number)], stdout=subprocess.PIPE, text=True
    )


def acknowledged(process: "subprocess.Popen[str]") -> dict[int, int]:
    """The rating of each image that was printed in full, the last one."""
    said = process.communicate(timeout=LIMIT_S)[0]
    lines = [line.split() for line in said[: said.rfind("\n") + 1].splitlines()]
    return {int(image): int(rating) for image, rating in lines}


def check(folder: Path, rated: dict[int, int]) -> None:
    with Database.open(folder) as database:
        with writing(database):
            found = checking.check_journal(database)
            assert found.ok, found.detail
            assert notices(database) == []
        uuids = dict(database.read(lambda tx: list(tx.rows("SELECT id, uuid FROM generations"))))
        written = ratings(folder)
        library = dict(database.read(lambda tx: list(tx.rows("SELECT uuid, rating FROM generations WHERE rating > 0"))))
    assert written == library
    # The last rating may have been committed without being printed.
    assert sum(written.get(uuids[image]) != rating for image, rating in rated.items()) <= 1
    assert not list((folder / "journal").glob("*.part"))


CASES = [(point, number) for point in with_journal_kill.POINTS if point != "never" for number in (1, 2, 7)]
# The first replacement begins a journal, the second one compacts it.
SHORT = [("in a line", 2), ("between the lines and the commit", 1), ("between the lines and the commit", 7),
         ("after the commit", 2), ("in a replacement", 1), ("before the replacement is recorded", 2),
         ("before the replacement is named", 2), ("before old files are removed", 1)]  # fmt: skip


@pytest.mark.parametrize(
    ("point", "number"), [pytest.param(*one, marks=[] if one in SHORT else pytest.mark.long) for one in CASES]
)
def test_a_kill_at_a_point_of_writing_the_journal_loses_no_line_and_is_no_damage(
    tmp_path: Path, point: str, number: int
) -> None:
    with Database.open(tmp_path) as database:
        add_images(database, IMAGES)
    process = start(tmp_path, point, number)
    rated = acknowledged(process)
    assert process.returncode == -9, "it did not come to that point"
    check(tmp_path, rated)


@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.long)])
def test_kills_at_random_moments_lose_no_line_and_are_no_damage(tmp_path: Path, kills: int) -> None:
    chance = random.Random(kills)
    with Database.open(tmp_path) as database:
        add_images(database, IMAGES)
    rated: dict[int, int] = {}
    for _ in range(kills):
        process = start(tmp_path, "never", 1)
        assert process.stdout is not None
        first = process.stdout.readline().split()
        rated[int(first[0])] = int(first[1])
        time.sleep(chance.uniform(0.0, 0.4))
        process.kill()
        rated |= acknowledged(process)
        assert process.returncode == -9
        check(tmp_path, rated)
