"""Deletes files of the user, after verifying each one.

No other module deletes, renames or moves a file in a library folder (`tests/structure/test_unlinking.py`).
"""

import os
import stat as modes
from dataclasses import dataclass
from enum import StrEnum

from blake3 import blake3
from send2trash import send2trash
from send2trash.exceptions import TrashPermissionError

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.fs.hashing import compute_fingerprint
from mysticanvas.fs.paths import join_system_path
from mysticanvas.fs.safe_open import FileSource, open_beneath, open_folder

_BLOCK_BYTES = 1024 * 1024


class DiscardMethod(StrEnum):
    """Move the file to the system trash, or delete it permanently."""

    SYSTEM_TRASH = "system_trash"
    UNLINK = "unlink"


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """State that the file must have to be deleted. At least one of the hashes is not None."""

    blake3: bytes | None
    fingerprint: bytes | None
    mtime_ns: int
    bytes: int


class NotDiscardedError(UnreadableFileError):
    """The file was not deleted; the message is the reason."""


def is_missing(root: bytes, path_bytes: bytes) -> bool:
    """Whether the file is missing from an available root. False when the root is not available."""
    if not is_root_available(root):
        return False
    return not os.path.lexists(join_system_path(root, path_bytes))


def is_root_available(root: bytes) -> bool:
    """Whether the root is a folder that is not empty. An empty folder may be the mount point of a missing drive."""
    try:
        with os.scandir(root) as entries:
            return next(iter(entries), None) is not None
    except OSError:
        return False


def discard(root: bytes, path_bytes: bytes, expected: ExpectedFile, how: DiscardMethod) -> None:
    """Delete one file after verifying that it is the expected one.

    Raises `NotDiscardedError` with the reason; the file is unchanged then.
    """
    check_file(root, path_bytes, expected)
    path = join_system_path(root, path_bytes)
    try:
        if how is DiscardMethod.UNLINK:
            _unlink_beneath(root, path_bytes)
        else:
            # Text, because the Recycle Bin accepts no bytes.
            send2trash(os.path.normpath(os.fsdecode(path)))
    except TrashPermissionError as error:
        raise NotDiscardedError("This drive has no trash. Delete the file permanently instead.") from error
    except OSError as error:
        raise NotDiscardedError(f"The file could not be deleted: {error.strerror or error}.") from error


def check_file(root: bytes, path_bytes: bytes, expected: ExpectedFile) -> None:
    """Raises `NotDiscardedError` unless this is the expected file, reached below its root without links."""
    if not is_root_available(root):
        raise NotDiscardedError("The folder is not available. Its drive may be disconnected.")
    if not os.access(os.path.dirname(join_system_path(root, path_bytes)), os.W_OK):
        raise NotDiscardedError("MystiCanvas has no permission to change this folder.")
    try:
        with open_beneath(root, path_bytes) as source:
            _check_content(source, expected)
            _check_not_replaced(root, path_bytes, source)
    except NotDiscardedError:
        raise
    except UnreadableFileError as error:
        raise NotDiscardedError(str(error)) from error


def _check_content(source: FileSource, expected: ExpectedFile) -> None:
    now = source.stat()
    if (now.bytes, now.mtime_ns) != (expected.bytes, expected.mtime_ns):
        raise NotDiscardedError("The file changed since it was imported. Scan the folder again.")
    if expected.blake3 is not None:
        digest, offset = blake3(), 0
        while block := source.read(offset, _BLOCK_BYTES):
            digest.update(block)
            offset += len(block)
        same = digest.digest() == expected.blake3
    else:
        same = expected.fingerprint is not None and compute_fingerprint(source) == expected.fingerprint
    if not same:
        raise NotDiscardedError("The file's content differs from the imported file. Scan the folder again.")


def _check_not_replaced(root: bytes, path_bytes: bytes, source: FileSource) -> None:
    """Raises `NotDiscardedError` when another file has taken the name since `source` was opened."""
    there = os.lstat(join_system_path(root, path_bytes))
    read = os.fstat(source.handle)
    if not modes.S_ISREG(there.st_mode) or (there.st_dev, there.st_ino) != (read.st_dev, read.st_ino):
        raise NotDiscardedError("The file was replaced while it was being checked.")


def _unlink_beneath(root: bytes, path_bytes: bytes) -> None:
    """Delete through the folder's handle, so that the path cannot be redirected by a link."""
    if os.unlink not in os.supports_dir_fd:
        os.unlink(join_system_path(root, path_bytes))
        return
    folder, _, name = path_bytes.rpartition(b"/")
    handle = open_folder(root, folder)
    try:
        os.unlink(name, dir_fd=handle)
    finally:
        os.close(handle)
