"""Sidecars: small text files beside an image."""

import os
from functools import lru_cache

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import FileStat, TextEntry
from mysticanvas.domain.text import clean
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.fs.scanner import SIDECAR_ENDINGS

# No generator writes a longer sidecar; a larger one is something else.
MAX_SIDECAR_BYTES = 1024 * 1024
# Of all images of a day.
MAX_LOG_BYTES = 16 * 1024 * 1024


def read_sidecar(root: bytes, path_bytes: bytes) -> TextEntry:
    """Its text, in UTF-8 or as its byte order mark says. Raises `UnreadableFileError`."""
    return read_with_stat(root, path_bytes)[0]


def read_with_stat(root: bytes, path_bytes: bytes) -> tuple[TextEntry, FileStat]:
    """As `read_sidecar`, and what was read."""
    with open_beneath(root, path_bytes) as source:
        if source.size > MAX_SIDECAR_BYTES:
            raise UnreadableFileError("It is too large to describe an image.")
        content = source.read(0, MAX_SIDECAR_BYTES)
        stat = source.stat()
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    name = clean(os.path.basename(path_bytes).decode("utf-8", "replace"))
    return TextEntry("sidecar", name, clean(content.decode(encoding, "replace"))), stat


def read_log(root: bytes, path_bytes: bytes, name: str) -> str:
    """The text of the file of that name in the folder of an image; "" where none can be read."""
    path = os.path.join(os.path.dirname(path_bytes), os.fsencode(name))
    try:
        now = os.lstat(os.path.join(root, path))
        return _text_of_log(root, path, now.st_size, now.st_mtime_ns) if now.st_size <= MAX_LOG_BYTES else ""
    except (OSError, UnreadableFileError):
        return ""


@lru_cache(maxsize=1)
def _text_of_log(root: bytes, path_bytes: bytes, size: int, mtime_ns: int) -> str:
    """Kept, since the next image is mostly of the same folder; size and time tell one state from another."""
    with open_beneath(root, path_bytes) as source:
        return clean(source.read(0, size).decode("utf-8", "replace"))


def beside(root: bytes, path_bytes: bytes) -> list[bytes]:
    """The text files beside an image that bear its name, as paths relative to the root."""
    stem = path_bytes.rpartition(b".")[0] or path_bytes
    names = {name + ending for name in (stem, path_bytes) for ending in SIDECAR_ENDINGS}
    return sorted(name for name in names if os.path.lexists(os.path.join(root, name)))
