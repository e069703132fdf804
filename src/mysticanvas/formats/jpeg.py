"""JPEG: segments up to the scan, and the end marker.

Source: ITU-T T.81, annex B; Exif and XMP in APP1.
"""

import re

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import ImageFormat, ImageHead
from mysticanvas.formats import exif
from mysticanvas.formats.source import BufferedSource, Entries, check_size, utf8_or_latin1

SIGNATURE = b"\xff\xd8\xff"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
_FILL_BYTES_READ = 64 * 1024
MAX_SEGMENTS = 10_000


def read_head(source: BufferedSource) -> ImageHead:
    """Raises `UnreadableFileError` when the file ends, or makes no sense, before its picture."""
    entries = Entries()
    size: tuple[int, int] | None = None
    offset = 2
    for _ in range(MAX_SEGMENTS):
        offset, marker = _next_marker(source, offset)
        if marker in _ALONE:
            continue
        if marker == 0xDA:
            break
        length = int.from_bytes(source.read(offset, 2), "big")
        if length < 2 or offset + length > source.size or marker == 0xD9:
            raise UnreadableFileError("The JPEG is cut off or damaged before its picture begins.")
        if marker in _FRAMES:
            frame = source.read(offset + 3, 4)
            size = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[0:2], "big")
        elif marker == 0xE1:
            _read_app1(entries, source.read(offset + 2, length - 2))
        elif marker == 0xFE:
            entries.add("comment", "Comment", utf8_or_latin1(source.read(offset + 2, length - 2)), important=True)
        offset += length
    if size is None:
        raise UnreadableFileError("The JPEG holds no picture.")
    check_size(*size)
    tail = source.read(max(0, source.size - 4096), 4096)
    return ImageHead(ImageFormat.JPEG, *size, 1, b"\xff\xd9" in tail, entries.texts, tuple(entries.problems))


def _next_marker(source: BufferedSource, offset: int) -> tuple[int, int]:
    """The offset after the next marker, and its code. Any number of fill bytes may precede it."""
    if source.read(offset, 1) != b"\xff":
        raise UnreadableFileError("The JPEG is cut off or damaged before its picture begins.")
    while True:
        block = source.read(offset, _FILL_BYTES_READ if source.read(offset + 1, 1) == b"\xff" else 2)
        match = re.search(rb"[^\xff]", block)
        if match is not None:
            return offset + match.end(), block[match.start()]
        if not block or offset + len(block) >= source.size:
            raise UnreadableFileError("The JPEG ends before its picture begins.")
        offset += len(block)


def _read_app1(entries: Entries, content: bytes) -> None:
    if content.startswith(b"Exif\0\0"):
        exif.read_into(entries, content)
    elif content.startswith(_XMP):
        entries.add("xmp", "XMP", content[len(_XMP) :].decode("utf-8", "replace"), important=True)
