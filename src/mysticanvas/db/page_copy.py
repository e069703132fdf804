"""A copy of the database for checks, page by page: damage is copied too. `VACUUM INTO` would rewrite every row."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from mysticanvas.domain.errors import LibraryError

PREFIX = "checking-"
# Other threads run between two slices.
SLICE_PAGES = 1_000
# Left free for the library, which grows during the checks.
SPARE_BYTES = 64 * 1024 * 1024


class NoRoomError(LibraryError):
    """The disk has no room for a copy."""


@contextmanager
def make_page_copy(source: apsw.Connection, folder: Path) -> Iterator[Path]:
    """The path of a copy of what `source` sees now, in a new folder in `folder` that is removed on exit. The writer
    is not blocked. Raises `NoRoomError`."""
    needed = source.pragma("page_count") * source.pragma("page_size")
    if shutil.disk_usage(folder).free < needed + SPARE_BYTES:
        raise NoRoomError(f"There is not enough free space in {folder} for a copy of the database.")
    with tempfile.TemporaryDirectory(dir=folder, prefix=PREFIX) as place:
        target = Path(place) / "copy.db"
        _copy_pages(source, target)
        yield target


def _copy_pages(source: apsw.Connection, target: Path) -> None:
    with closing(apsw.Connection(str(target))) as copy:
        copy.execute("PRAGMA journal_mode = OFF").fetchall()
        copy.execute("PRAGMA synchronous = OFF").fetchall()
        # Without a transaction, each commit of the writer would start the copy again.
        source.execute("BEGIN")
        source.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
        try:
            with copy.backup("main", source, "main") as running:
                while not running.done:
                    running.step(SLICE_PAGES)
        finally:
            if source.in_transaction:
                source.execute("ROLLBACK")
