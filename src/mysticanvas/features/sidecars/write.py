"""Writes a sidecar beside an image of the user, when the user requested it. No other file is changed."""

import os
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.fs.paths import join_system_path
from mysticanvas.fs.safe_open import open_beneath, open_folder

MAX_BYTES = 1024 * 1024


class Outcome(StrEnum):
    """FOREIGN: a file of another program exists and is kept. FAILED: the file could not be written."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    FOREIGN = "foreign"
    FAILED = "failed"


def write_sidecar(root: bytes, path_bytes: bytes, content: bytes, is_ours: Callable[[bytes], bool]) -> Outcome:
    """Write a file atomically, never through a link. `is_ours` decides by the content whether it may be replaced."""
    if (before := _read_existing(root, path_bytes)) is not None:
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
            name = join_system_path(root, path_bytes)
        return _replace_file(name, content, handle, is_new=before is None)
    finally:
        if handle is not None:
            os.close(handle)


def _read_existing(root: bytes, path_bytes: bytes) -> bytes | None:
    """The existing content; None without a file. b"?" for an unreadable file, which counts as foreign."""
    if not os.path.lexists(join_system_path(root, path_bytes)):
        return None
    try:
        with open_beneath(root, path_bytes) as source:
            return source.read(0, MAX_BYTES)
    except UnreadableFileError:
        return b"?"


def _replace_file(name: bytes, content: bytes, handle: int | None, *, is_new: bool) -> Outcome:
    part = name + b".part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        if is_new:
            # Reserve the name, so that a file that another program creates meanwhile is not overwritten.
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
