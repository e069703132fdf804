"""A program that rates images, for `test_journal_kills`. It kills itself at a point of writing the journal.

    python with_journal_kill.py FOLDER POINT NUMBER

It ends at the NUMBER-th time that it comes to POINT, and rates until then. What is committed is printed.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from mysticanvas.app import features
from mysticanvas.db.database import Database
from mysticanvas.features.journal import files as journal_files
from mysticanvas.features.journal import queries, service
from mysticanvas.features.journal.files import JournalFile
from mysticanvas.features.journal.service import JournalWriter
from tests import edits as test_edits

POINTS = (
    "before the lines", "in a line", "between the lines and the commit", "after the commit", "in a replacement",
    "before the replacement is recorded", "before the replacement is named", "before old files are removed", "never",
)  # fmt: skip


class Killer:
    def __init__(self, point: str, number: int) -> None:
        self.point = point
        self.number = number

    def passes(self, point: str) -> None:
        if point == self.point:
            self.number -= 1
            if self.number <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path, point: str, number: int) -> None:
    features.load()
    _plant(Killer(point, number))
    service.GATHER_S = 0.0
    journal_files.GROWN_BYTES = 4_000
    with Database.open(folder) as database:
        images = database.read(lambda tx: tx.column("SELECT id FROM generations ORDER BY id"))
        with JournalWriter(database):
            for turn in range(10_000):
                image, rating = images[turn % len(images)], turn % 5 + 1
                database.write(test_edits.do, "rating", {"value": rating}, [image], now_ms=1)
                print(image, rating, flush=True)


def _plant(killer: Killer) -> None:
    append, record, write = JournalFile.append, queries.record_written, journal_files.write_replacement
    finish, delete = journal_files._finish_replacement, journal_files._delete_old_files

    def append_or_die(file: JournalFile, entries: list[dict[str, Any]]) -> Any:
        killer.passes("before the lines")
        if killer.point == "in a line" and killer.number <= 1:
            content = b"".join(map(journal_files._format_line, entries))
            with (file._path).open("ab") as half:
                half.write(content[: len(content) // 2])
                half.flush()
        killer.passes("in a line")
        state = append(file, entries)
        killer.passes("between the lines and the commit")
        return state

    def write_or_die(folder: Path, library: str, entries: Any, *, after: str | None) -> Any:
        state = write(folder, library, _passing(entries, lambda: killer.passes("in a replacement")), after=after)
        killer.passes("before the replacement is recorded")
        return state

    def finish_or_die(path: Path, state: Any) -> None:
        if not path.exists():
            killer.passes("before the replacement is named")
        finish(path, state)

    def delete_or_die(folder: Path, current: Path) -> None:
        killer.passes("before old files are removed")
        delete(folder, current)

    def write_batch(writer: JournalWriter, file: JournalFile, inner: Any = JournalWriter._write_batch) -> bool:
        more = bool(inner(writer, file))
        killer.passes("after the commit")
        return more

    JournalFile.append = append_or_die  # type: ignore[method-assign, assignment]
    JournalWriter._write_batch = write_batch  # type: ignore[method-assign]
    queries.record_written = record
    journal_files.write_replacement = write_or_die
    journal_files._finish_replacement = finish_or_die
    journal_files._delete_old_files = delete_or_die


def _passing(entries: Any, pass_by: Callable[[], None]) -> Any:
    for entry in entries:
        pass_by()
        yield entry


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
