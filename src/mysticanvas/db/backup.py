"""Copies of the database that are known to be sound before they count (I1, I2)."""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw

from mysticanvas.db.connections import open_copy
from mysticanvas.db.schema import load_migrations
from mysticanvas.domain.errors import DamagedLibraryError, LibraryError

HOURLY = "hourly"
DAMAGED = "damaged"
# The newest of each: as many hours, days, weeks and months.
RETENTION = (("%Y%m%dT%H", 24), ("%Y%m%d", 7), ("%G-%V", 4), ("%Y%m", 12))
# A copy needs its own size, and the library must be able to go on beside it.
SPARE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Backup:
    path: str
    bytes: int
    made_at: int

    @property
    def why(self) -> str:
        """ "hourly", "asked", "before-schema-2" …"""
        return Path(self.path).stem.split("-", 2)[-1]

    @property
    def verified(self) -> bool:
        """A file that is too damaged for a backup is kept as it is; any other was checked before it counted."""
        return self.why != DAMAGED


def make(
    connection: apsw.Connection, folder: Path, *, why: str, on_phase: Callable[[str], None] = lambda _: None
) -> Backup:
    """A verified copy of the database in `folder`, on the disk when this returns. `on_phase` hears "copying",
    then "checking".

    Raises `DamagedLibraryError` when the copy fails its checks; it is removed then. Raises
    `LibraryError` when there is no room for it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_room(connection, folder)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    target = folder / f"{moment}-{time.time_ns() // 1000 % 1_000_000:06}-{why}.db"
    unfinished = target.with_suffix(".part")
    try:
        on_phase("copying")
        connection.execute("VACUUM INTO ?", (str(unfinished),))
        on_phase("checking")
        verify(unfinished)
        sync(unfinished)
        os.replace(unfinished, target)
        # The journal of VACUUM INTO must be gone from the folder as well, or a power cut undoes it.
        sync(folder)
    finally:
        unfinished.unlink(missing_ok=True)
    return _describe_file(target)


def listed(folder: Path) -> list[Backup]:
    """The backups there are, newest first."""
    found = sorted(folder.glob("*.db"), reverse=True)
    return [_describe_file(path) for path in found]


def _describe_file(path: Path) -> Backup:
    """The name says when: a copy of the file would have a date of its own."""
    moment = datetime.strptime(path.name[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return Backup(str(path), path.stat().st_size, int(moment.timestamp() * 1000))


def keep_damaged(path: Path, folder: Path) -> Backup:
    """The file as it is, without its checks: what can be saved from it is for later."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%S')}-000000-{DAMAGED}.db"
    shutil.copyfile(path, target)
    sync(target)
    return _describe_file(target)


def thin(folder: Path) -> int:
    """Remove hourly copies that newer ones make needless; how many. Others are kept."""
    hourly = [one for one in listed(folder) if one.why == HOURLY]
    needed = select_kept([datetime.fromtimestamp(one.made_at / 1000, UTC) for one in hourly])
    removed = [one for one, keep in zip(hourly, needed, strict=True) if not keep]
    for one in removed:
        Path(one.path).unlink()
    return len(removed)


def select_kept(moments: Sequence[datetime]) -> list[bool]:
    """Which of some copies, newest first, are worth their space: the newest, and the last of each of the
    hours, days, weeks and months in `KEPT`."""
    keep = [index == 0 for index in range(len(moments))]
    for pattern, most in RETENTION:
        spans: set[str] = set()
        for index, moment in enumerate(moments):
            span = moment.strftime(pattern)
            if span not in spans and len(spans) < most:
                spans.add(span)
                keep[index] = True
    return keep


def _check_room(connection: apsw.Connection, folder: Path) -> None:
    needed = connection.pragma("page_count") * connection.pragma("page_size") + SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LibraryError(
            f"There is no room for a backup in {folder}: it takes {needed // 1_000_000:,} MB, "
            f"and {free // 1_000_000:,} MB are free."
        )


def verify(path: Path) -> None:
    """Raises `DamagedLibraryError` unless every page, reference and word of the copy is sound. The copy
    must be nobody else's: the check of the words counts as a write."""
    try:
        connection = open_copy(path)
        try:
            _check(connection)
        finally:
            connection.close()
    except (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError) as error:
        raise DamagedLibraryError(f"The copy {path.name} is damaged: {error}") from error


def _check(connection: apsw.Connection) -> None:
    answer = connection.execute("PRAGMA integrity_check").fetchall()
    if answer != [("ok",)]:
        raise DamagedLibraryError(f"The database is damaged: {answer[0][0]}")
    if broken := connection.execute("PRAGMA foreign_key_check").fetchall():
        raise DamagedLibraryError(f"{len(broken)} rows of the database refer to rows that are gone.")
    if connection.pragma("user_version") == len(load_migrations()):
        # How words are prepared may differ from version to version; those of an older one are made anew.
        connection.execute("INSERT INTO generations_fts (generations_fts, rank) VALUES ('integrity-check', 1)")


def sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
