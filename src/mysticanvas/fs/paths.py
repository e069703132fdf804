"""Resolves paths that the user entered, as `domain/entered_path.py` reads them, and joins paths for the system."""

import ntpath
import os
from pathlib import Path

from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import InvalidInputError

# Folders may be 12 characters shorter than files.
_WINDOWS_LIMIT = 248
# MAXPATHLEN of macOS, which `F_GETPATH` requires.
_MAX_PATH_BYTES = 1024


def resolve_folder(path: str) -> Path:
    """The absolute path of an existing folder, with links resolved. Raises `InvalidInputError`."""
    try:
        folder = parse_entered_path(path).resolve()
        if not folder.is_dir():
            raise _build_missing_error(path, "folder")
        return _spell_as_stored(folder)
    except (OSError, ValueError, RuntimeError) as error:
        raise _build_missing_error(path, "folder") from error


def resolve_file(path: str) -> Path:
    """The absolute path of an existing file, with links resolved. Raises `InvalidInputError`."""
    try:
        file = parse_entered_path(path).resolve()
        there = file.is_file()
    except (OSError, ValueError, RuntimeError) as error:
        raise _build_missing_error(path, "file") from error
    if not there:
        raise _build_missing_error(path, "file")
    return file


def _spell_as_stored(folder: Path) -> Path:
    """The path in the case in which the file system stores it: on macOS, `resolve` keeps the case as entered, and a
    folder that is entered twice would be two. `F_GETPATH` exists only there."""
    try:
        import fcntl
    except ImportError:
        return folder
    if not hasattr(fcntl, "F_GETPATH"):
        return folder
    handle = os.open(folder, os.O_RDONLY)
    try:
        stored: bytes = fcntl.fcntl(handle, fcntl.F_GETPATH, bytes(_MAX_PATH_BYTES))
    finally:
        os.close(handle)
    return Path(os.fsdecode(stored.rstrip(b"\0")))


def _build_missing_error(path: str, kind: str) -> InvalidInputError:
    return InvalidInputError(f"The {kind} {path} does not exist.")


def join_system_path(root: bytes, path_bytes: bytes) -> bytes:
    """The path of a file of a library folder, as the system accepts it. `path_bytes` separates with slashes."""
    path = os.path.join(root, path_bytes)
    return extend_windows_path(path) if os.name == "nt" else path


def extend_windows_path(path: bytes) -> bytes:
    r"""A path that Windows accepts at any length: it limits paths to 260 characters unless they begin with `\\?\`,
    after which only backslashes separate names."""
    path = ntpath.normpath(path)
    if len(path) < _WINDOWS_LIMIT or path.startswith(b"\\\\?\\"):
        return path
    return b"\\\\?\\UNC" + path[1:] if path.startswith(b"\\\\") else b"\\\\?\\" + path
