"""Schema migrations: applies the files `migrations/NNNN_what.sql`; `user_version` counts them."""

import logging
from pathlib import Path

import apsw

from mysticanvas.db import backup
from mysticanvas.db.io_errors import DISK_ERRORS, WAYS_OUT, build_library_error
from mysticanvas.db.schema import load_migrations
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import DamagedLibraryError, ForeignFileError, NewerLibraryError

log = logging.getLogger(__name__)

APPLICATION_ID = 0x4D796369  # "Myci"
MAX_PAGE_BYTES = 4_096
# The bytes 18 and 19 of a database: with a rollback journal, or with a write-ahead log. With others, SQLite only reads.
_FORMATS = (b"\1\1", b"\2\2")


def refuse_foreign_file(path: Path) -> None:
    """Raises for a file of another program or a newer version, without changing it. A missing file is accepted.

    Raises `ForeignFileError`, `DamagedLibraryError`, `NewerLibraryError`."""
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        application, version = _read_marks(path)
    except apsw.NotADBError as error:
        raise ForeignFileError(
            f"{path} is not a database, or its header is damaged. MystiCanvas did not change it. {WAYS_OUT}"
        ) from error
    except DISK_ERRORS as error:
        raise build_library_error(error, "opened") from error
    if _has_unknown_format(path):
        raise DamagedLibraryError(f"The first bytes of the database {path} are damaged. {WAYS_OUT}")
    if application != APPLICATION_ID:
        raise ForeignFileError(
            f"{path} belongs to another program, or its header is damaged. MystiCanvas did not change it. {WAYS_OUT}"
        )
    if version > len(load_migrations()):
        raise NewerLibraryError(
            f"The library {path} was written by a newer version of MystiCanvas (schema {version}). Update MystiCanvas. "
            f"If you have never used a newer version, the first bytes of the database are damaged. {WAYS_OUT}"
        )


def _has_unknown_format(path: Path) -> bool:
    """Whether SQLite would open the file only for reading. While there is a rollback journal, it may be incomplete."""
    with path.open("rb") as file:
        found = file.read(20)[18:]
    return found not in _FORMATS and not path.with_name(f"{path.name}-journal").exists()


def _read_marks(path: Path) -> tuple[int, int]:
    """(application_id, user_version), read without changing the file."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return connection.pragma("application_id"), connection.pragma("user_version")
    except apsw.ReadOnlyError:
        # There is a rollback journal, which only a writer may roll back.
        return _read_marks_in_header(path)
    finally:
        connection.close()


def _read_marks_in_header(path: Path) -> tuple[int, int]:
    """Source: the database file format of SQLite, section 1.3. Ours uses WAL mode from the first page on:
    a rollback journal next to a single page means that creating the library was interrupted."""
    header = path.read_bytes()[: MAX_PAGE_BYTES + 1]
    if len(header) <= MAX_PAGE_BYTES and header[68:72] == bytes(4):
        return APPLICATION_ID, 0
    return int.from_bytes(header[68:72], "big"), int.from_bytes(header[60:64], "big")


def migrate(connection: apsw.Connection, backups: Path) -> None:
    """Applies the missing migrations, one transaction each, after a verified backup."""
    version = connection.pragma("user_version")
    scripts = load_migrations()
    if version == len(scripts):
        return
    if version > 0:
        backup.make(connection, backups, why=f"before-schema-{len(scripts)}")
    connection.execute("PRAGMA synchronous = FULL")
    # Rebuilding a table drops it, and with foreign keys on a drop cascades.
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        for number, script in enumerate(scripts[version:], version + 1):
            _apply_script(connection, script, number)
            log.info("schema migrated", extra={"version": number})
        if version > 0:
            _record_migration(connection, version, len(scripts))
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def _record_migration(connection: apsw.Connection, before: int, after: int) -> None:
    connection.execute(
        """
        INSERT INTO events (at, level, kind, data_json)
        VALUES (?, 'info', 'migration', json_object('from', ?, 'to', ?))
        """,
        (now_ms(), before, after),
    )


def _apply_script(connection: apsw.Connection, script: str, number: int) -> None:
    with_version = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number};"
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(script + with_version).fetchall()
        if broken := connection.execute("PRAGMA foreign_key_check").fetchall():
            raise DamagedLibraryError(
                f"Migrating to schema {number} failed. Rows that would have invalid references: {len(broken):,}."
            )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
