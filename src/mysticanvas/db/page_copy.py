"""A copy of the database for checks, page by page: damage is copied too. `VACUUM INTO` would rewrite every row."""

import shutil
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from mysticanvas.db.page_sums import compute_sum
from mysticanvas.domain.errors import LibraryError

PREFIX = "checking-"
# Other threads run between two slices.
SLICE_PAGES = 1_000
# Left free for the library, which grows during the checks.
SPARE_BYTES = 64 * 1024 * 1024


class NoRoomError(LibraryError):
    """The disk has no room for a copy."""


@dataclass(frozen=True, slots=True)
class PageCopy:
    """`path` is the copy. `differing`: pages that are not what MystiCanvas wrote. `unknown`: checksums of the pages
    that have none yet."""

    path: Path
    differing: list[int] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)


@contextmanager
def make_page_copy(source: apsw.Connection, folder: Path, sums: "array[int] | None") -> Iterator[PageCopy]:
    """A copy of what `source` sees in its transaction, in a new folder in `folder` that is removed on exit. The writer
    is not blocked. `sums` as by `CheckpointedConnection.pause`, of the same state. Raises `NoRoomError`."""
    page_bytes = source.pragma("page_size")
    if shutil.disk_usage(folder).free < source.pragma("page_count") * page_bytes + SPARE_BYTES:
        raise NoRoomError(f"There is not enough free space in {folder} for a copy of the database.")
    with tempfile.TemporaryDirectory(dir=folder, prefix=PREFIX) as place:
        copy = PageCopy(Path(place) / "copy.db")
        _copy_pages(source, copy.path)
        if sums is not None:
            _compare(copy, sums, page_bytes)
        yield copy


def _compare(copy: PageCopy, sums: "array[int]", page_bytes: int) -> None:
    """Before SQLite opens the copy, which may change it."""
    with copy.path.open("rb") as file:
        number = 0
        while page := file.read(page_bytes):
            number += 1
            expected = sums[number - 1] if number <= len(sums) else 0
            found = compute_sum(number, page)
            if not expected:
                copy.unknown.append((number, found))
            elif expected != found:
                copy.differing.append(number)


def _copy_pages(source: apsw.Connection, target: Path) -> None:
    with closing(apsw.Connection(str(target))) as copy:
        copy.execute("PRAGMA journal_mode = OFF").fetchall()
        copy.execute("PRAGMA synchronous = OFF").fetchall()
        with copy.backup("main", source, "main") as running:
            while not running.done:
                running.step(SLICE_PAGES)
