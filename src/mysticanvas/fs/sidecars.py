"""Reads sidecars: small text files beside an image."""

import os
from functools import lru_cache

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import FileStat, TextEntry
from mysticanvas.domain.text import clean_text
from mysticanvas.fs.paths import join_system_path
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.fs.scanner import SIDECAR_ENDINGS

# No generator writes a longer sidecar; a larger file has another purpose.
MAX_SIDECAR_BYTES = 1024 * 1024
# A log covers all images of a day.
MAX_LOG_BYTES = 16 * 1024 * 1024


def read_sidecar(root: bytes, path_bytes: bytes) -> TextEntry:
    """The text of a sidecar in UTF-8, or UTF-16 with a byte order mark. Raises `UnreadableFileError`."""
    return read_sidecar_with_stat(root, path_bytes)[0]


def read_sidecar_with_stat(root: bytes, path_bytes: bytes) -> tuple[TextEntry, FileStat]:
    """As `read_sidecar`, with size and modification time of the file."""
    with open_beneath(root, path_bytes) as source:
        if source.size > MAX_SIDECAR_BYTES:
            raise UnreadableFileError("The file is too large for a sidecar.")
        content = source.read(0, MAX_SIDECAR_BYTES)
        stat = source.stat()
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    name = clean_text(os.path.basename(path_bytes).decode("utf-8", "replace"))
    return TextEntry("sidecar", name, clean_text(content.decode(encoding, "replace"))), stat


def read_log(root: bytes, path_bytes: bytes, name: str) -> str:
    """The text of the file `name` in the folder of the image at `path_bytes`; "" when it cannot be read."""
    path = os.path.join(os.path.dirname(path_bytes), os.fsencode(name))
    try:
        now = os.lstat(join_system_path(root, path))
        return _read_log_text(root, path, now.st_size, now.st_mtime_ns) if now.st_size <= MAX_LOG_BYTES else ""
    except (OSError, UnreadableFileError):
        return ""


@lru_cache(maxsize=1)
def _read_log_text(root: bytes, path_bytes: bytes, size: int, mtime_ns: int) -> str:
    """Cached, since the next image is usually in the same folder. Size and time are part of the cache key."""
    with open_beneath(root, path_bytes) as source:
        return clean_text(source.read(0, size).decode("utf-8", "replace"))


def find_sidecars(root: bytes, path_bytes: bytes) -> list[bytes]:
    """Existing text files beside an image with its name, as sorted paths relative to the root."""
    stem = path_bytes.rpartition(b".")[0] or path_bytes
    names = {name + ending for name in (stem, path_bytes) for ending in SIDECAR_ENDINGS}
    return sorted(name for name in names if os.path.lexists(join_system_path(root, name)))
