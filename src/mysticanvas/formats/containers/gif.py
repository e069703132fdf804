"""GIF: reads size, frame count and comments without decoding pixels.

Source: GIF89a specification, sections 15 to 27.
"""

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import ImageFormat, ImageHead
from mysticanvas.formats.containers.source import BufferedSource, Entries, check_size, decode_utf8_or_latin1

# Counting stops here, because a malicious file can contain any number of frames.
MAX_FRAMES = 1_000
MAX_COMMENT_BYTES = 1024 * 1024


def read_head(source: BufferedSource) -> ImageHead:
    """Raises `UnreadableFileError` when the file has no frame."""
    screen = source.read(6, 7)
    if len(screen) < 7:
        raise UnreadableFileError("The GIF file is truncated: its header is incomplete.")
    width_px, height_px = int.from_bytes(screen[0:2], "little"), int.from_bytes(screen[2:4], "little")
    check_size(width_px, height_px)
    entries = Entries()
    offset = 13 + _measure_color_table(screen[4])
    frames, complete = 0, False
    while frames < MAX_FRAMES:
        kind = source.read(offset, 1)
        if kind == b"\x3b" or not kind:
            # Many programs forget the last byte, the trailer. Nothing is missing then.
            complete = kind == b"\x3b" or offset == source.size
            break
        if kind == b"\x2c":
            frames += 1
            offset += 10 + _measure_color_table((source.read(offset + 9, 1) or b"\0")[0]) + 1
        elif kind == b"\x21":
            if source.read(offset + 1, 1) == b"\xfe":
                comment, _ = _read_sub_blocks(source, offset + 2, keep=True)
                entries.add("comment", "Comment", decode_utf8_or_latin1(comment), important=True)
            offset += 2
        else:
            break
        _, offset = _read_sub_blocks(source, offset, keep=False)
    if frames == 0:
        raise UnreadableFileError("The GIF file contains no image.")
    return ImageHead(
        ImageFormat.GIF,
        width_px,
        height_px,
        frames,
        complete or frames >= MAX_FRAMES,
        entries.texts,
        buffer_bytes=4 * width_px * height_px,
    )


def _measure_color_table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _read_sub_blocks(source: BufferedSource, offset: int, *, keep: bool) -> tuple[bytes, int]:
    """(content, offset after it) of a series of sub-blocks; the content is empty unless `keep`."""
    content = bytearray()
    while length := (source.read(offset, 1) or b"\0")[0]:
        if keep and len(content) < MAX_COMMENT_BYTES:
            content += source.read(offset + 1, length)
        offset += 1 + length
    return bytes(content), offset + 1
