"""Flushes and replaces files in ways that Linux, macOS and Windows all allow."""

import errno
import os
import time
from pathlib import Path

# Windows refuses to replace a file while another program, such as a virus scanner, has it open:
# ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_USER_MAPPED_FILE.
_IN_USE = (5, 32, 1224)
_WAITS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)


def sync(path: Path) -> None:
    """Flush a file to the disk, or the names in a folder where the system supports that. Raises `OSError`."""
    if path.is_dir():
        _sync_folder(path)
        return
    # Windows flushes only through a handle that may write.
    handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:
        # Windows cannot open a folder; it writes the names in the order of the changes.
        return
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network drives do not flush folders.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(handle)


def replace(source: Path | str, target: Path | str) -> None:
    """Like `os.replace`, but waits up to two seconds while another program has the target open on Windows.
    Raises `OSError`."""
    for wait_s in _WAITS_S:
        try:
            os.replace(source, target)
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _IN_USE:
                raise
            time.sleep(wait_s)
        else:
            return
    os.replace(source, target)
