"""JPEG: reads the segments before the scan, and checks for the end marker.

Source: ITU-T T.81, annex B. Exif and XMP, which can be split, are in APP1 (XMP specification, part 3, section
1.1.3), Photoshop resources in APP13, JUMBF in APP11 (ISO/IEC 19566-5, annex D).
"""

import re

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import ImageFormat, ImageHead, turn_size
from mysticanvas.formats.containers import c2pa, exif, iptc
from mysticanvas.formats.containers.source import BufferedSource, Entries, check_size, decode_utf8_or_latin1

SIGNATURE = b"\xff\xd8\xff"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
# Digest of the extended XMP, its total length and the offset of this part.
_EXTENDED_XMP_HEADER_BYTES = 32 + 4 + 4
MAX_EXTENDED_XMP_BYTES = 8 * 1024 * 1024
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE_MARKERS = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_STANDALONE_MARKERS = frozenset((0x01, *range(0xD0, 0xD9)))
_FILL_BYTES_READ = 64 * 1024
MAX_SEGMENTS = 10_000


def read_head(source: BufferedSource) -> ImageHead:
    """Raises `UnreadableFileError` when the file is truncated or damaged before the image data."""
    entries = Entries()
    apps = _AppSegments(entries)
    size: tuple[int, int] | None = None
    buffer_bytes, is_cmyk = 0, False
    offset = 2
    for _ in range(MAX_SEGMENTS):
        offset, marker = _find_next_marker(source, offset)
        if marker in _STANDALONE_MARKERS:
            continue
        if marker == 0xDA:
            break
        length = int.from_bytes(source.read(offset, 2), "big")
        if length < 2 or offset + length > source.size or marker == 0xD9:
            raise UnreadableFileError("The JPEG file is truncated or damaged: it contains no image data.")
        if marker in _FRAME_MARKERS:
            frame = source.read(offset + 3, length - 3)
            size = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[0:2], "big")
            buffer_bytes = _measure_coefficients(size, frame[5:]) if marker in _PROGRESSIVE_MARKERS else 0
            is_cmyk = frame[4:5] == b"\4"
        elif marker in (0xE1, 0xE2, 0xEB, 0xED):
            apps.read(marker, source.read(offset + 2, length - 2))
        elif marker == 0xFE:
            apps.read_comment(source.read(offset + 2, length - 2))
        offset += length
    if size is None:
        raise UnreadableFileError("The JPEG file contains no image.")
    check_size(*size)
    apps.finish()
    tail = source.read(max(0, source.size - 4096), 4096)
    return ImageHead(
        ImageFormat.JPEG,
        *turn_size(size, apps.orientation),
        1,
        b"\xff\xd9" in tail,
        entries.texts,
        tuple(entries.problems),
        apps.orientation,
        apps.has_profile or is_cmyk,
        buffer_bytes,
    )


def _measure_coefficients(size: tuple[int, int], components: bytes) -> int:
    """Bytes of the coefficients of all components, which a decoder of a progressive image keeps: two per sample."""
    factors = [(factor >> 4, factor & 15) for factor in components[1::3]] or [(1, 1)]
    widest, highest = max(1, *(h for h, _ in factors)), max(1, *(v for _, v in factors))
    return sum(2 * size[0] * size[1] * h * v // (widest * highest) for h, v in factors)


def _find_next_marker(source: BufferedSource, offset: int) -> tuple[int, int]:
    """(offset after the next marker, its code). Any number of fill bytes may precede it."""
    if source.read(offset, 1) != b"\xff":
        raise UnreadableFileError("The JPEG file is truncated or damaged: it contains no image data.")
    while True:
        block = source.read(offset, _FILL_BYTES_READ if source.read(offset + 1, 1) == b"\xff" else 2)
        match = re.search(rb"[^\xff]", block)
        if match is not None:
            return offset + match.end(), block[match.start()]
        if not block or offset + len(block) >= source.size:
            raise UnreadableFileError("The JPEG file is truncated: it contains no image data.")
        offset += len(block)


class _AppSegments:
    """Collects application segments, some of which are split into parts."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self._extended_xmp: dict[int, bytes] = {}
        self._extended_xmp_bytes = 0
        self._manifest = bytearray()
        self._saw_exif = False
        self.orientation = 1
        self.has_profile = False

    def read(self, marker: int, content: bytes) -> None:
        if marker == 0xED:
            iptc.read_photoshop(self._entries, content)
        elif marker == 0xEB:
            self._read_jumbf(content)
        elif marker == 0xE2:
            self.has_profile |= content.startswith(b"ICC_PROFILE\0")
        elif content.startswith(b"Exif\0\0"):
            exif.read_into(self._entries, content)
            self.orientation = self.orientation if self._saw_exif else exif.read_orientation(content)
            self._saw_exif = True
        elif content.startswith(_XMP):
            self._entries.add("xmp", "XMP", content[len(_XMP) :].decode("utf-8", "replace"), important=True)
        elif content.startswith(_EXTENDED_XMP):
            body = content[len(_EXTENDED_XMP) :]
            offset = int.from_bytes(body[36:40], "big")
            if self._extended_xmp_bytes + len(body) <= MAX_EXTENDED_XMP_BYTES:
                self._extended_xmp_bytes += len(body)
                self._extended_xmp.setdefault(offset, body[_EXTENDED_XMP_HEADER_BYTES:])

    def read_comment(self, content: bytes) -> None:
        """Add a comment. Some programs write a keyword before the text, as in PNG."""
        keyword, separator, text = content.partition(b"\0")
        if separator and text.strip(b"\0") and keyword.isalnum():
            self._entries.add("comment", keyword.decode("ascii"), decode_utf8_or_latin1(text), important=True)
        else:
            self._entries.add("comment", "Comment", decode_utf8_or_latin1(content), important=True)

    def _read_jumbf(self, content: bytes) -> None:
        """Append a part of the manifest. Every part repeats the header of its box."""
        if content[:2] == b"JP" and len(self._manifest) < c2pa.MAX_MANIFEST_BYTES:
            head = 16 if content[8:12] == b"\0\0\0\1" else 8
            self._manifest += content[8 if not self._manifest else 8 + head :]

    def finish(self) -> None:
        if self._extended_xmp:
            whole = b"".join(self._extended_xmp[offset] for offset in sorted(self._extended_xmp))
            self._entries.add("xmp", "XMP extension", whole.decode("utf-8", "replace"), important=True)
        if b"c2pa" in self._manifest[:200]:
            self._entries.add("c2pa", "C2PA", c2pa.summarize(bytes(self._manifest)), important=True)
