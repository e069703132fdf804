"""The one place in the product where a person's file is taken away (F7). Nothing else unlinks, renames
or moves a file beneath a root; a test holds it.
"""

import os
import stat as modes
from dataclasses import dataclass
from enum import StrEnum

from blake3 import blake3
from send2trash import send2trash
from send2trash.exceptions import TrashPermissionError

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.fs.hashing import fingerprint
from mysticanvas.fs.safe_open import FileSource, open_beneath, open_folder

_BLOCK_BYTES = 1024 * 1024


class Discard(StrEnum):
    """To the system's own trash, or for good."""

    SYSTEM_TRASH = "system_trash"
    UNLINK = "unlink"


@dataclass(frozen=True, slots=True)
class Expected:
    """What the file must still be. One of the hashes is known."""

    blake3: bytes | None
    fingerprint: bytes | None
    mtime_ns: int
    bytes: int


class NotDiscardedError(UnreadableFileError):
    """The file is still there; str() is the reason."""


def is_gone(root: bytes, path_bytes: bytes) -> bool:
    """Whether the root is there and the file is not. False while nothing can be known."""
    if not root_is_there(root):
        return False
    return not os.path.lexists(os.path.join(root, path_bytes))


def root_is_there(root: bytes) -> bool:
    """A folder with something in it: the empty place where a drive is mounted is not the drive."""
    try:
        with os.scandir(root) as entries:
            return next(iter(entries), None) is not None
    except OSError:
        return False


def discard(root: bytes, path_bytes: bytes, expected: Expected, how: Discard) -> None:
    """Take one file away, after looking that it is the one that was meant.

    Raises `NotDiscardedError` with the reason; then the file is where it was.
    """
    check(root, path_bytes, expected)
    path = os.path.join(root, path_bytes)
    try:
        if how is Discard.UNLINK:
            _unlink_beneath(root, path_bytes)
        else:
            send2trash(path)
    except TrashPermissionError as error:
        raise NotDiscardedError("There is no trash on that drive; choose to delete for good instead.") from error
    except OSError as error:
        raise NotDiscardedError(f"It could not be taken away: {error.strerror or error}.") from error


def check(root: bytes, path_bytes: bytes, expected: Expected) -> None:
    """Raises `NotDiscardedError` unless this is the very file, beneath its root, through no link."""
    if not root_is_there(root):
        raise NotDiscardedError("Its folder is not there now: the drive may be away.")
    if not os.access(os.path.dirname(os.path.join(root, path_bytes)), os.W_OK):
        raise NotDiscardedError("MystiCanvas may not change that folder.")
    try:
        with open_beneath(root, path_bytes) as source:
            _check_content(source, expected)
            _check_unmoved(root, path_bytes, source)
    except NotDiscardedError:
        raise
    except UnreadableFileError as error:
        raise NotDiscardedError(str(error)) from error


def _check_content(source: FileSource, expected: Expected) -> None:
    now = source.stat()
    if (now.bytes, now.mtime_ns) != (expected.bytes, expected.mtime_ns):
        raise NotDiscardedError("The file has changed since it was taken in.")
    if expected.blake3 is not None:
        digest, offset = blake3(), 0
        while block := source.read(offset, _BLOCK_BYTES):
            digest.update(block)
            offset += len(block)
        same = digest.digest() == expected.blake3
    else:
        same = expected.fingerprint is not None and fingerprint(source) == expected.fingerprint
    if not same:
        raise NotDiscardedError("The file has another content than when it was taken in.")


def _check_unmoved(root: bytes, path_bytes: bytes, source: FileSource) -> None:
    """The name leads to what was read, not to something that came into its place."""
    there = os.lstat(os.path.join(root, path_bytes))
    read = os.fstat(source.handle)
    if not modes.S_ISREG(there.st_mode) or (there.st_dev, there.st_ino) != (read.st_dev, read.st_ino):
        raise NotDiscardedError("The file was replaced while it was looked at.")


def _unlink_beneath(root: bytes, path_bytes: bytes) -> None:
    """From the folder's own handle, so that no link can be put in between."""
    if os.unlink not in os.supports_dir_fd:
        os.unlink(os.path.join(root, path_bytes))
        return
    folder, _, name = path_bytes.rpartition(b"/")
    handle = open_folder(root, folder)
    try:
        os.unlink(name, dir_fd=handle)
    finally:
        os.close(handle)
