"""Opens files of the user safely: below the root, never through links, and only regular files.

Each path component is opened relative to its parent folder, so that a link cannot be swapped in meanwhile, and so
that paths longer than the system's limit still open.
"""

import os
import stat as modes

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import FileStat
from mysticanvas.fs.paths import join_system_path

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_LINK | getattr(os, "O_CLOEXEC", 0)
# Without O_NONBLOCK, opening a FIFO blocks forever. Regular files are not affected.
_FILE_FLAGS = (
    os.O_RDONLY | _NO_LINK | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)


class FileSource:
    """An open regular file; a context manager. `read` returns fewer bytes than requested only at the end."""

    def __init__(self, handle: int, path_bytes: bytes) -> None:
        self.handle = handle
        self._path_bytes = path_bytes
        self.size = os.fstat(handle).st_size

    def read(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        length = min(length, self.size - offset)
        if hasattr(os, "pread"):
            return os.pread(self.handle, length, offset)
        os.lseek(self.handle, offset, os.SEEK_SET)
        return os.read(self.handle, length)

    def stat(self) -> FileStat:
        now = os.fstat(self.handle)
        return FileStat(self._path_bytes, now.st_size, now.st_mtime_ns)

    def __enter__(self) -> "FileSource":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)


def open_beneath(root: bytes, path_bytes: bytes) -> FileSource:
    """Open a file by its path relative to `root`. Raises `UnreadableFileError`."""
    parts = path_bytes.split(b"/")
    if not path_bytes or any(part in (b"", b".", b"..") or b"\0" in part for part in parts):
        raise UnreadableFileError("The path is outside its folder.")
    try:
        handle = _open_parts(root, parts) if os.open in os.supports_dir_fd else _open_resolved(root, path_bytes)
    except FileNotFoundError as error:
        raise UnreadableFileError("The file no longer exists.") from error
    except PermissionError as error:
        raise UnreadableFileError("MystiCanvas has no permission to read this file.") from error
    except OSError as error:
        raise UnreadableFileError(f"The file could not be opened: {error.strerror}.") from error
    if not modes.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnreadableFileError("This is not a regular file.")
    return FileSource(handle, path_bytes)


def open_folder(root: bytes, path_bytes: bytes) -> int:
    """A handle of a folder below `root`, for the caller to close. Raises `OSError`."""
    folder = os.open(root, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
    for part in path_bytes.split(b"/") if path_bytes else []:
        try:
            inner = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder


def _open_parts(root: bytes, parts: list[bytes]) -> int:
    folder = open_folder(root, b"/".join(parts[:-1]))
    try:
        return os.open(parts[-1], _FILE_FLAGS, dir_fd=folder)
    finally:
        os.close(folder)


def _open_resolved(root: bytes, path_bytes: bytes) -> int:
    """For systems without folder handles (Windows): the resolved path must be below the root."""
    real = os.path.realpath(os.path.join(root, path_bytes))
    expected = os.path.join(os.path.realpath(root), os.path.normpath(path_bytes))
    if os.path.normcase(real) != os.path.normcase(expected):
        raise PermissionError("a link points outside of the folder")
    return os.open(join_system_path(root, path_bytes), _FILE_FLAGS)
