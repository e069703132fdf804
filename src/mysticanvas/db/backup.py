"""Backups: copies of the database that are verified before they count."""

import re
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw

from mysticanvas.db.connections import open_copy
from mysticanvas.db.page_sums import STAMP
from mysticanvas.db.schema import load_migrations
from mysticanvas.domain.errors import DamagedLibraryError, LibraryError
from mysticanvas.fs.durable import replace, sync

HOURLY = "hourly"
DAMAGED = "damaged"
# How many of the newest hours, days, weeks and months keep a backup.
RETENTION = (("%Y%m%dT%H", 24), ("%Y%m%d", 7), ("%G-%V", 4), ("%Y%m", 12))
# Kept free besides the size of the copy, so that the library can continue to grow.
SPARE_BYTES = 64 * 1024 * 1024
_NAME = re.compile(r"20\d\d[01]\d[0-3]\dT[0-2]\d[0-5]\d[0-5]\d-\d+-.+\.db")


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
        """False for a file kept by `keep_damaged`; any other backup was verified when it was made."""
        return self.why != DAMAGED


def make(
    connection: apsw.Connection, folder: Path, *, why: str, on_phase: Callable[[str], None] = lambda _: None
) -> Backup:
    """A verified copy of the database in `folder`, on the disk when this returns. `on_phase` is called with
    "copying", then with "checking".

    Raises `DamagedLibraryError` when the copy fails its checks, and removes it. Raises
    `LibraryError` when the disk has too little free space.
    """
    _make_folder(folder)
    _check_room(connection, folder)
    target = folder / _build_name(why)
    unfinished = target.with_suffix(".part")
    try:
        on_phase("copying")
        connection.execute("VACUUM INTO ?", (str(unfinished),))
        _forget_sums(unfinished)
        on_phase("checking")
        if (damage := _find_damage(unfinished)) is not None:
            raise DamagedLibraryError(
                f"The database is damaged, so no backup was made ({damage}). Earlier backups are kept. To see what is "
                "damaged and what you can do, run: mysticanvas doctor"
            )
        sync(unfinished)
        replace(unfinished, target)
        # Syncs the removal of the journal of VACUUM INTO: after a power cut it would roll the copy back.
        sync(folder)
    finally:
        unfinished.unlink(missing_ok=True)
    return _describe_file(target)


def _build_name(why: str) -> str:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    return f"{moment}-{time.time_ns() // 1000 % 1_000_000:06}-{why}.db"


def list_backups(folder: Path) -> list[Backup]:
    """The backups in `folder`, newest first. Files with other names than those that MystiCanvas gives are left out."""
    found = sorted(folder.glob("*.db"), reverse=True)
    return [_describe_file(path) for path in found if _NAME.fullmatch(path.name)]


def _describe_file(path: Path) -> Backup:
    """The time comes from the name: a copied file has another mtime."""
    moment = datetime.strptime(path.name[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return Backup(str(path), path.stat().st_size, int(moment.timestamp() * 1000))


def keep_damaged(path: Path, folder: Path) -> Backup:
    """Keeps the file unchecked, with its write-ahead log, so that its data can be recovered later."""
    _make_folder(folder)
    target = folder / _build_name(DAMAGED)
    for end in ("-wal", ""):
        source = path.with_name(path.name + end)
        if source.exists():
            copy = target.with_name(target.name + end)
            shutil.copyfile(source, copy)
            sync(copy)
    return _describe_file(target)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        if folder.exists() and not folder.is_dir():
            raise LibraryError(
                f"{folder} is a file, but MystiCanvas stores backups in a folder of this name. Move or rename this "
                "file, and try again."
            ) from error
        raise LibraryError(
            f"The folder for backups {folder} cannot be created: {error.strerror}. Check the permissions and the free "
            "space of the library folder, and try again."
        ) from error


def prune_hourly(folder: Path) -> int:
    """Removes hourly backups that `RETENTION` does not keep, and returns how many. Other backups are kept."""
    hourly = [one for one in list_backups(folder) if one.why == HOURLY]
    needed = select_kept([datetime.fromtimestamp(one.made_at / 1000, UTC) for one in hourly])
    removed = [one for one, keep in zip(hourly, needed, strict=True) if not keep]
    for one in removed:
        Path(one.path).unlink()
    return len(removed)


def select_kept(moments: Sequence[datetime]) -> list[bool]:
    """Which copies to keep, parallel to `moments` (newest first): the newest, and the last one of each hour, day,
    week and month in `RETENTION`."""
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
            f"There is not enough free space for a backup in {folder}: it needs {needed // 1_000_000:,} MB, "
            f"but only {free // 1_000_000:,} MB are free. Free some space and try again."
        )


def verify(path: Path, *, name: str | None = None) -> None:
    """Raises `DamagedLibraryError` unless all pages, references and the word index of the copy are intact.
    Nothing else may have the copy open: checking the word index counts as a write. `name` is the name of the backup,
    None if it is that of the file."""
    if (damage := _find_damage(path)) is not None:
        raise DamagedLibraryError(
            f"The backup {name or path.name} is damaged ({damage}). Choose another one: mysticanvas backup list"
        )


def _find_damage(path: Path) -> str | None:
    try:
        with closing(open_copy(path)) as connection:
            return _check(connection)
    except (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError) as error:
        return str(error)


def _check(connection: apsw.Connection) -> str | None:
    answer = connection.execute("PRAGMA integrity_check").fetchall()
    if answer != [("ok",)]:
        return str(answer[0][0])
    if broken := connection.execute("PRAGMA foreign_key_check").fetchall():
        return f"rows with invalid references: {len(broken):,}"
    if connection.pragma("user_version") == len(load_migrations()):
        # The word index of an older schema may differ: migrating rebuilds it.
        connection.execute("INSERT INTO generations_fts (generations_fts, rank) VALUES ('integrity-check', 1)")
    return None


def _forget_sums(path: Path) -> None:
    """The copy has other pages: its checksums must not be taken for those of the library."""
    with closing(open_copy(path)) as connection:
        connection.execute("DELETE FROM settings WHERE name = ?", (STAMP,)).fetchall()
