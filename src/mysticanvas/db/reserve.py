"""A file of 32 MB in the library folder. On a full disk, deleting it makes room to open the library and clean up."""

import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

from mysticanvas.fs.durable import replace

log = logging.getLogger(__name__)

NAME = "reserve"
RESERVE_BYTES = 32 * 1024 * 1024
# With less than this, opening a library may fail: SQLite needs room for its log and its index.
FULL_BYTES = 8 * 1024 * 1024
# Created only if this much remains free.
ROOM_BYTES = 512 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024


def release_if_full(folder: Path) -> bool:
    """Deletes the reserve of the library in `folder` if the disk is full, and returns whether it did."""
    try:
        if shutil.disk_usage(folder).free >= FULL_BYTES:
            return False
        (folder / NAME).unlink()
    except OSError:
        return False
    log.warning("the disk is full, so the reserve file was deleted")
    return True


def create_if_room(folder: Path) -> bool:
    """Creates the reserve if there is none and the disk has room, and returns whether it did."""
    path, part = folder / NAME, folder / f"{NAME}.part"
    try:
        if path.exists() or shutil.disk_usage(folder).free < RESERVE_BYTES + ROOM_BYTES:
            return False
        _allocate(part)
        replace(part, path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        return False
    return True


def _allocate(path: Path) -> None:
    """Blocks on the disk: a file of zeros would take none where the file system compresses, or leaves holes."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
            return
        chunk = os.urandom(_CHUNK_BYTES)
        for _ in range(RESERVE_BYTES // _CHUNK_BYTES):
            file.write(chunk)
