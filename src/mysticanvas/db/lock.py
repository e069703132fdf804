"""One process per library, ensured by a lock of the operating system, which ends with its process."""

import os
import sys
from pathlib import Path

from mysticanvas.domain.errors import LibraryBusyError, LibraryError


class LibraryLock:
    """Held from `take` to `release`. `take` raises `LibraryBusyError`, which names the holder, and `LibraryError` for a
    folder that is not writable."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, folder: Path) -> "LibraryLock":
        try:
            handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise LibraryError(
                f"MystiCanvas cannot write to the library folder {folder} ({error.strerror}). "
                "Choose another library with --library, or copy this library to a folder that you can write to."
            ) from error
        if not _try_lock(handle):
            holder = os.pread(handle, 32, 1).decode("ascii", "replace").strip() if hasattr(os, "pread") else ""
            os.close(handle)
            raise LibraryBusyError(
                f"Another MystiCanvas process (ID {holder or 'unknown'}) is using the library {folder}. "
                "Use that process, or stop it first."
            )
        os.lseek(handle, 1, os.SEEK_SET)
        os.write(handle, f"{os.getpid():<31}".encode("ascii"))
        return cls(handle)

    def release(self) -> None:
        os.close(self._handle)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        os.lseek(handle, 0, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
