"""Copies of the database that are known to be sound before they count (I1, I2)."""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw

from mysticanvas.domain.errors import DamagedLibraryError
from mysticanvas.store.connections import open_reader


@dataclass(frozen=True, slots=True)
class Backup:
    path: str
    bytes: int
    made_at: int


def make(connection: apsw.Connection, folder: Path, *, why: str) -> Backup:
    """A verified copy of the database in `folder`, on the disk when this returns.

    Raises `DamagedLibraryError` when the copy fails its checks; it is removed then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    target = folder / f"{moment}-{time.time_ns() // 1000 % 1_000_000:06}-{why}.db"
    unfinished = target.with_suffix(".part")
    try:
        connection.execute("VACUUM INTO ?", (str(unfinished),))
        _verify(unfinished)
        _sync(unfinished)
        os.replace(unfinished, target)
        # The journal of VACUUM INTO must be gone from the folder as well, or a power cut undoes it.
        _sync(folder)
    finally:
        unfinished.unlink(missing_ok=True)
    stat = target.stat()
    return Backup(str(target), stat.st_size, stat.st_mtime_ns // 1_000_000)


def listed(folder: Path) -> list[Backup]:
    """The backups there are, newest first."""
    found = sorted(folder.glob("*.db"), reverse=True)
    return [Backup(str(p), p.stat().st_size, p.stat().st_mtime_ns // 1_000_000) for p in found]


def _verify(path: Path) -> None:
    connection = open_reader(path)
    try:
        answer = connection.execute("PRAGMA integrity_check").fetchall()
        if answer != [("ok",)]:
            raise DamagedLibraryError(f"The database is damaged: {answer[0][0]}")
        if broken := connection.execute("PRAGMA foreign_key_check").fetchall():
            raise DamagedLibraryError(f"{len(broken)} rows of the database refer to rows that are gone.")
    finally:
        connection.close()


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
