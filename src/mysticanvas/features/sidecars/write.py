"""Writing a file of our own beside a person's image, which they have asked for. No other file is touched."""

import os
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.fs.safe_open import open_beneath, open_folder

MOST_BYTES = 1024 * 1024


class Outcome(StrEnum):
    """FOREIGN: another program's file is there, and stays. FAILED: the folder may not be written."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    FOREIGN = "foreign"
    FAILED = "failed"


def write(root: bytes, path_bytes: bytes, content: bytes, is_ours: Callable[[bytes], bool]) -> Outcome:
    """The file is there whole, or as it was before. Nothing is written through a link."""
    if (before := _read(root, path_bytes)) is not None:
        if not is_ours(before):
            return Outcome.FOREIGN
        if before == content:
            return Outcome.UNCHANGED
    folder, _, name = path_bytes.rpartition(b"/")
    try:
        handle = open_folder(root, folder) if os.open in os.supports_dir_fd else None
    except OSError:
        return Outcome.FAILED
    try:
        if handle is None:
            name = os.path.join(root, path_bytes)
        return _write(name, content, handle, is_new=before is None)
    finally:
        if handle is not None:
            os.close(handle)


def _read(root: bytes, path_bytes: bytes) -> bytes | None:
    """None when nothing is there; something that cannot be read is somebody's."""
    if not os.path.lexists(os.path.join(root, path_bytes)):
        return None
    try:
        with open_beneath(root, path_bytes) as source:
            return source.read(0, MOST_BYTES)
    except UnreadableFileError:
        return b"?"


def _write(name: bytes, content: bytes, handle: int | None, *, is_new: bool) -> Outcome:
    part = name + b".part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        if is_new:
            # Takes the name: what another program puts there at this very moment is not lost.
            os.close(os.open(name, flags, 0o644, dir_fd=handle))
        with suppress(FileNotFoundError):
            os.unlink(part, dir_fd=handle)
        with open(os.open(part, flags, 0o644, dir_fd=handle), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, name, src_dir_fd=handle, dst_dir_fd=handle)
    except FileExistsError:
        return Outcome.FOREIGN
    except OSError:
        return Outcome.FAILED
    return Outcome.WRITTEN
