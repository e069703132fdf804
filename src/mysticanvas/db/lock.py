"""One process per library, ensured by a lock of the operating system, which ends with its process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
            holder = _read_pid(handle)
            os.close(handle)
            raise LibraryBusyError(
                f"Another MystiCanvas process (ID {holder or 'unknown'}) is using the library {folder}. "
                "Use that process, or stop it first."
            )
        os.lseek(handle, 1, os.SEEK_SET)
        os.write(handle, f"{os.getpid():<31}".encode("ascii"))
        return cls(handle)

    @classmethod
    @contextmanager
    def hold(cls, folder: Path) -> Iterator[None]:
        """Hold the lock while the context is open."""
        lock = cls.take(folder)
        try:
            yield
        finally:
            lock.release()

    def release(self) -> None:
        os.close(self._handle)


def find_holder(folder: Path) -> int | None:
    """The process that holds the lock of the library; None when nobody does, 0 when it is not known."""
    try:
        handle = os.open(folder / "lock", os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None
    try:
        # Closing the file gives the lock back.
        return None if _try_lock(handle, shared=True) else _read_pid(handle)
    finally:
        os.close(handle)


def _read_pid(handle: int) -> int:
    """Behind the first byte, which is locked: Windows lets nobody read that one."""
    try:
        os.lseek(handle, 1, os.SEEK_SET)
        return int(os.read(handle, 31))
    except (OSError, ValueError):
        return 0


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int, *, shared: bool = False) -> bool:
        # Windows has no shared lock here; the callers of `take` try again.
        os.lseek(handle, 0, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: int, *, shared: bool = False) -> bool:
        """`shared`: does not get in the way of others that only look."""
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
