"""SQLite may take no more than so many bytes, at one limit after the other, in a process of its own: what was
found wrong, as JSON."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import apsw

from mysticanvas.db.database import Database
from mysticanvas.db.images import folders
from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.features.importing import record as import_record
from tests import application
from tests.faults.test_failing_disk import Confirmed, _work, fault_of
from tests.faults.test_power_cut import found

FIRST_BYTES, LAST_BYTES = 20_000, 6_000_000


def live(folder: Path, said: Confirmed) -> int:
    """Imports, edits and a backup; how many of them were refused for want of memory."""
    hit = 0

    def tried(change: Callable[[], None]) -> bool:
        nonlocal hit
        try:
            change()
        except MystiCanvasError as error:
            hit += isinstance(error.__cause__, apsw.NoMemError)
            return False
        except Exception as error:
            said.unclean.append(f"{type(error).__name__}: {error}")
            return False
        return True

    opened: list[Database] = []
    tried(lambda: opened.append(Database.open(folder)))
    for database in opened:
        _work(database, said, tried)
        tried(database.close)
    return hit


def main() -> None:
    application.load()
    base, limits = Path(sys.argv[1]), int(sys.argv[2])
    with Database.open(base / "prepared") as database:
        root = database.write(folders.add, path="/pictures", watch=False, now_ms=0)
        database.write_bulk(import_record.add_images, [found(root, 900 + n) for n in range(3)], [], now_ms=0)
    wrong, hit = [], 0
    for number in range(limits):
        folder = base / "tried"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base / "prepared", folder)
        said = Confirmed()
        # Closer together where there is little.
        more = int(FIRST_BYTES * (LAST_BYTES / FIRST_BYTES) ** (number / max(1, limits - 1)))
        apsw.hard_heap_limit(apsw.memory_used() + more)
        try:
            hit += live(folder, said) > 0
        finally:
            apsw.hard_heap_limit(0)
        problem = fault_of(folder, said)
        if problem is not None:
            wrong.append(f"with {more:,} bytes: {problem}")
    print(json.dumps({"limits": limits, "hit": hit, "wrong": wrong}))


if __name__ == "__main__":
    main()
