"""WebP: reads RIFF chunks. The size in the RIFF header is often wrong, so it is ignored.

Source: RFC 9649, sections 2.3 to 2.7.
"""

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import ImageFormat, ImageHead, turn_size
from mysticanvas.formats.containers import c2pa, exif
from mysticanvas.formats.containers.source import MAX_TEXT_BYTES, BufferedSource, Entries, check_size

MAX_CHUNKS = 20_000
_PIXELS = (b"VP8 ", b"VP8L", b"ANMF")


def read_head(source: BufferedSource) -> ImageHead:
    """Raises `UnreadableFileError` when the file contains no image data."""
    entries = Entries()
    size: tuple[int, int] | None = None
    frames, pixels, complete, orientation, has_profile = 0, False, True, 1, False
    is_lossless = False
    offset = 12
    for _ in range(MAX_CHUNKS):
        header = source.read(offset, 8)
        if len(header) < 8:
            break
        kind, length = header[:4], int.from_bytes(header[4:], "little")
        body = offset + 8
        if kind == b"VP8X" or (kind in _PIXELS and size is None):
            size = _read_size(kind, source.read(body, 16)) or size
        if kind in _PIXELS:
            pixels = True
            frames += kind == b"ANMF"
            is_lossless |= kind == b"VP8L"
        if body + length > source.size:
            complete = False
            break
        if kind == b"EXIF" and length <= MAX_TEXT_BYTES:
            content = source.read(body, length)
            exif.read_into(entries, content)
            orientation = exif.read_orientation(content)
        elif kind == b"ICCP":
            has_profile = True
        elif kind == b"XMP " and length <= MAX_TEXT_BYTES:
            entries.add("xmp", "XMP", source.read(body, length).decode("utf-8", "replace"), important=True)
        elif kind == b"C2PA":
            manifest = source.read(body, min(length, c2pa.MAX_MANIFEST_BYTES))
            entries.add("c2pa", "C2PA", c2pa.summarize(manifest), important=True)
        offset = body + length + length % 2
    if size is None or not pixels:
        raise UnreadableFileError("The WebP file is truncated: it contains no image data.")
    check_size(*size)
    if not complete and frames <= 1 and source.size - offset < 64:
        raise UnreadableFileError("The WebP file is truncated: it contains no image data.")
    # A lossless image and the canvas of an animation are decoded as a whole, with 4 bytes per pixel.
    buffers = 2 if frames else 1 if is_lossless else 0
    return ImageHead(
        ImageFormat.WEBP,
        *turn_size(size, orientation),
        max(1, frames),
        complete,
        entries.texts,
        tuple(entries.problems),
        orientation,
        has_profile,
        4 * buffers * size[0] * size[1],
    )


def _read_size(kind: bytes, body: bytes) -> tuple[int, int] | None:
    if kind == b"VP8X" and len(body) >= 10:
        width, height = int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
        return width, height
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    return None
