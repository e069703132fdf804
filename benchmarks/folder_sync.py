"""How long does a scan of an unchanged folder take, beside a plain walk that asks for each file's size and date?

    python3 dev.py bench folder_sync [FILES]

Makes the files (default 100,000) from a seed, takes them in, then scans twice. Bytes read are those of this
process and its workers, from the disk or the system's cache (Linux).
"""

import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from tests import application
from tests.faults.shuffling import bytes_read, walk_and_stat
from tests.importing import import_all
from tests.pictures import write_pictures

from mysticanvas.db.database import Database
from mysticanvas.db.images import folders
from mysticanvas.settings import get_default_workers
from mysticanvas.worker.pool import WorkerPool

MB = 1e6


def main() -> None:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures"
        write_pictures(pictures, files)
        print(f"{files:,} files, {platform.platform()}, {os.cpu_count()} cores")
        began_s = time.perf_counter()
        assert walk_and_stat(pictures) == files
        _row("os.walk and stat", files, time.perf_counter() - began_s, 0)
        with Database.open(Path(folder) / "library") as database, _workers() as pool:
            root = database.write(folders.add, path=str(pictures), watch=False, now_ms=0)
            for label in ("first import", "unchanged", "unchanged, again"):
                read, began_s = bytes_read(os.getpid()), time.perf_counter()
                counts = import_all(database, pool, root).counts
                _row(label, files, time.perf_counter() - began_s, bytes_read(os.getpid()) - read)
                assert label == "first import" or counts.unchanged == files


def _workers() -> WorkerPool:
    return WorkerPool(get_default_workers(), memory_bytes=1 << 29, task_limit_s=60)


def _row(label: str, files: int, took_s: float, read: int) -> None:
    print(f"{label:20} {took_s:8.2f} s {files / took_s:12,.0f} files/s {read / MB:10.1f} MB read")


if __name__ == "__main__":
    application.load()
    main()
